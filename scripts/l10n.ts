/**
 * The strings people see in VS Code: those of the source (`l10n.t('…')`) and of the manifest. `node scripts/run.cjs scripts/l10n.ts` writes the English bundle and
 * names what the other languages lack; a test asks the same.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';

const ROOT = resolve(import.meta.dirname, '..');

/** A string of the source, or why a call has none that can be translated. */
export interface SourceString {
  readonly file: string;
  readonly text: string | undefined;
}

type Node = { readonly type: string; readonly [key: string]: unknown };

/**
 * Every first argument of a call `….l10n.t(…)`, `l10n.t(…)` or, in the traffic page, `t(…)` under `extension/`. For `l10n.t(row.detail)` every `detail: '…'` of
 * the file counts: a table whose words are put in where it is used.
 */
export function sourceStrings(root: string = ROOT): readonly SourceString[] {
  return globSync('extension/**/*.ts', { cwd: root })
    .map((file) => file.replaceAll('\\', '/'))
    .sort()
    .flatMap((file) => {
      const program = parseSync(file, readFileSync(join(root, file), 'utf8')).program as unknown as Node;
      return [...calls(program)]
        .flatMap((given): (string | undefined)[] => {
          if (given?.type === 'Literal' && typeof given['value'] === 'string') return [given['value']];
          const key = given?.type === 'MemberExpression' ? (given['property'] as Node)['name'] : undefined;
          const texts = typeof key === 'string' ? [...valuesOf(program, key)] : [];
          return texts.length === 0 ? [undefined] : texts;
        })
        .map((text) => ({ file, text }));
    });
}

/** The first arguments of translating calls. */
function* calls(node: unknown): Generator<Node | undefined> {
  for (const child of children(node)) yield* calls(child);
  if (!isNode(node) || node.type !== 'CallExpression' || !isTranslate(node['callee'] as Node)) return;
  yield (node['arguments'] as Node[])[0];
}

/** The texts that stand under a key anywhere in a file. */
function* valuesOf(node: unknown, key: string): Generator<string> {
  for (const child of children(node)) yield* valuesOf(child, key);
  if (!isNode(node) || node.type !== 'Property') return;
  const value = node['value'] as Node;
  if ((node['key'] as Node)['name'] === key && typeof value['value'] === 'string') yield value['value'];
}

function children(node: unknown): readonly unknown[] {
  return typeof node === 'object' && node !== null ? Object.values(node) : [];
}

function isNode(node: unknown): node is Node {
  return typeof node === 'object' && node !== null && 'type' in node;
}

function isTranslate(callee: Node): boolean {
  if (callee.type === 'Identifier') return callee['name'] === 't';
  if (callee.type !== 'MemberExpression' || (callee['property'] as Node)['name'] !== 't') return false;
  const object = callee['object'] as Node;
  return object['name'] === 'l10n' || (object['property'] as Node | undefined)?.['name'] === 'l10n';
}

/** The keys `%…%` of the manifest. */
export function manifestKeys(root: string = ROOT): readonly string[] {
  return [...readFileSync(join(root, 'package.json'), 'utf8').matchAll(/"%([\w.-]+)%"/g)].map(([, key]) => key ?? '');
}

/** A bundle: `l10n/bundle.l10n.json`, `package.nls.de.json`, … */
export function bundle(file: string, root: string = ROOT): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(join(root, file), 'utf8')) as Record<string, string>;
}

if (process.argv[1] === import.meta.filename) {
  const texts = [...new Set(sourceStrings().flatMap(({ text }) => text ?? []))].sort();
  writeFileSync(
    join(ROOT, 'l10n', 'bundle.l10n.json'),
    `${JSON.stringify(Object.fromEntries(texts.map((text) => [text, text])), null, 2)}\n`,
  );
  const german = bundle('l10n/bundle.l10n.de.json');
  const manifest = bundle('package.nls.de.json');
  const missing = [...texts.filter((text) => german[text] === undefined), ...manifestKeys().filter((key) => manifest[key] === undefined)];
  const unused = Object.keys(german).filter((text) => !texts.includes(text));
  for (const text of missing) console.log(`missing in German: ${text}`);
  for (const text of unused) console.log(`no longer used: ${text}`);
  process.exitCode = missing.length + unused.length === 0 ? 0 : 1;
}
