/** What holds for any path, any tree and any links; the changing tools against a model in memory; edits, patterns and globs exactly. */
import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { applyEdits } from '../../../servers/filesystem/engines/edits.ts';
import { compilePattern } from '../../../servers/filesystem/engines/regex.ts';
import { decodeText, type Encoding, encode } from '../../../servers/filesystem/engines/text.ts';
import { type Area, openArea } from '../../../servers/filesystem/guard/area.ts';
import { readContent } from '../../../servers/filesystem/guard/content.ts';
import { compileGlob } from '../../../servers/filesystem/guard/glob.ts';
import type { FileTool } from '../../../servers/filesystem/tools/define.ts';
import { copyFile, deleteFile, moveFile } from '../../../servers/filesystem/tools/moving.ts';
import { createDirectory, editFile, writeFile } from '../../../servers/filesystem/tools/writing.ts';
import type { JsonObject } from '../../../servers/plugin/define.ts';

const FULL = process.env['SIGNALBOX_FULL'] === '1' || process.env['SIGNALBOX_TEST_TIER'] === 'full';
const RUNS = FULL ? 5000 : 300;
const SECRET = 'SECRET-OUTSIDE';
const QUIET = { signal: new AbortController().signal, note: () => undefined, progress: () => undefined };
const linux = { skip: process.platform !== 'linux' };

function scratch(): string {
  return realpathSync(mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sbx-fsp-')));
}

const NAMES = ['a', 'b', 'c', 'd', '.env', 'link'];
const step = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 3, arbitrary: fc.constantFrom('..', '.', '', '...', '~', 'outside', 'area', 'secret') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
);
const path = fc.oneof(
  { weight: 5, arbitrary: fc.array(step, { minLength: 1, maxLength: 8 }).map((steps) => steps.join('/')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);
const target = fc.oneof(
  path,
  path.map((one) => `$BASE/${one}`),
  path.map((one) => `$BASE/area/${one}`),
  fc.constantFrom('/', '/etc/passwd', '/proc/self/root', '..', '../outside', '../outside/secret'),
);
const entry = fc.record({
  at: fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 }),
  kind: fc.constantFrom('file', 'folder', 'link', 'link'),
  target,
});

describe('filesystem properties', () => {
  it('whatever the tree, the links and the path: what is found lies beneath the root', linux, () => {
    let found = 0;
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 12 }), fc.array(path, { minLength: 5, maxLength: 20 }), (entries, paths) => {
        const base = scratch();
        const root = join(base, 'area');
        mkdirSync(root);
        mkdirSync(join(base, 'outside'));
        writeFileSync(join(base, 'outside', 'secret'), SECRET);
        writeFileSync(join(base, 'secret'), SECRET);
        for (const { at, kind, target: to } of entries) {
          try {
            makeBeneath(root, at.slice(0, -1));
            if (kind === 'file') writeFileSync(join(root, ...at), 'inside', { flag: 'wx' });
            else if (kind === 'folder') mkdirSync(join(root, ...at));
            else symlinkSync(to.replaceAll('$BASE', base).replaceAll('\0', '') || '.', join(root, ...at));
          } catch {
            // The name is taken, or its folder is a file: another tree.
          }
        }
        const area = openArea([{ path: root, access: 'write' }]);
        try {
          for (const one of [...paths, ...paths.map((given) => join(root, given.replaceAll('\0', '')))]) found += probe(area, root, one);
        } finally {
          area.close();
        }
        assert.deepEqual([readdirSync(base).sort(), readdirSync(join(base, 'outside'))], [['area', 'outside', 'secret'], ['secret']]);
        assert.equal(readFileSync(join(base, 'outside', 'secret'), 'utf8'), SECRET);
        rmSync(base, { recursive: true, force: true });
      }),
      { numRuns: RUNS },
    );
    assert.ok(found > RUNS, `${found} paths led somewhere`);
  });

  it('the changing tools do what a model in memory does', linux, async () => {
    const name = fc.constantFrom('a', 'b', 'c', 'a/x', 'a/y', 'b/x', 'a/x/z', 'c/y');
    const command = fc.oneof(
      fc.record({ tool: fc.constant('write'), path: name, content: fc.constantFrom('', 'one', 'two two') }),
      fc.record({ tool: fc.constant('edit'), path: name, old: fc.constantFrom('one', 'two', 'x'), content: fc.constantFrom('ONE', '') }),
      fc.record({ tool: fc.constant('mkdir'), path: name }),
      fc.record({ tool: fc.constant('move'), path: name, to: name }),
      fc.record({ tool: fc.constant('copy'), path: name, to: name }),
      fc.record({ tool: fc.constant('delete'), path: name }),
    ) as fc.Arbitrary<Command>;
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 15 }), async (commands) => {
        const root = scratch();
        const area = openArea([{ path: root, access: 'write' }]);
        const model: Model = new Map();
        try {
          for (const one of commands) {
            const expected = apply(model, one);
            const done = await perform(area, one);
            assert.equal(done, expected, `${JSON.stringify(one)} ${done ? 'was done' : 'was refused'}`);
            assert.deepEqual(
              onDisk(root),
              [...model].sort(([a], [b]) => (a < b ? -1 : 1)),
              JSON.stringify(one),
            );
          }
        } finally {
          area.close();
          rmSync(root, { recursive: true, force: true });
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('an edit replaces exactly what it names and nothing else', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'b', '\n', 'é', '🚂', ' '), maxLength: 20 });
    fc.assert(
      fc.property(piece, piece, piece, piece, (before, old, after, next) => {
        const text = before + old + after;
        fc.pre(old !== '' && text.indexOf(old) === before.length && text.indexOf(old, before.length + 1) < 0);
        assert.equal(applyEdits('f', text, [{ oldText: old, newText: next }]).text, before + next + after);
        const crlf = (value: string): string => value.replaceAll('\n', '\r\n');
        if (text.includes('\n'))
          assert.equal(applyEdits('f', crlf(text), [{ oldText: old, newText: next }]).text, crlf(before + next + after));
      }),
      { numRuns: RUNS * 5 },
    );
  });

  it('text is the same after decoding and encoding, in every encoding', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom<Encoding>('utf-8', 'utf-8-bom', 'utf-16le', 'utf-16be', 'latin1'),
        (text, encoding) => {
          fc.pre(!text.includes('\0') && !text.startsWith('\ufeff') && (encoding !== 'latin1' || /^[\u0000-\u00ff]*$/u.test(text)));
          const bytes = encode('f', text, encoding);
          const decoded = decodeText('f', bytes);
          if (encoding !== 'latin1') assert.equal(decoded.text, text);
          // Whatever encoding was taken for it, the bytes come back.
          assert.deepEqual(encode('f', decoded.text, decoded.encoding), bytes);
        },
      ),
      { numRuns: RUNS * 5 },
    );
  });

  it('a pattern finds what JavaScript finds, by either engine, with the literal that every match has', () => {
    const atom = fc.constantFrom('a', 'b', 'ab', '.', '[ab]', '[^a]', '\\w', '\\d', '\\.', '(?:a|b)', '(ab)', 'x', '1', ' ', '\\bfoo', 'é');
    const part = fc
      .tuple(atom, fc.constantFrom('', '', '', '*', '+', '?', '{1,3}', '{2}'))
      .map(([one, times]) => (/^(?:ab|\\bfoo)$/.test(one) && times !== '' ? `(?:${one})${times}` : one + times));
    const source = fc
      .array(fc.oneof({ weight: 8, arbitrary: part }, { weight: 1, arbitrary: fc.constantFrom('|', '^', '$') }), {
        minLength: 1,
        maxLength: 6,
      })
      .map((parts) => parts.join(''));
    const line = fc.string({ unit: fc.constantFrom('a', 'b', 'A', 'x', '1', '.', ' ', 'f', 'o', 'é', 'É'), maxLength: 25 });
    fc.assert(
      fc.property(source, fc.boolean(), fc.array(line, { maxLength: 6 }), (pattern, ignoreCase, lines) => {
        const expected = new RegExp(pattern, ignoreCase ? 'imu' : 'mu');
        const compiled = compilePattern(pattern, { ignoreCase, literal: false });
        for (const one of lines) {
          // \b and \w of RE2 know ASCII only, as JavaScript's do.
          assert.equal(compiled.find(one), one.search(expected), `${pattern} in ${JSON.stringify(one)} by ${compiled.engine}`);
          if (compiled.literal !== undefined && expected.test(one))
            assert.ok(one.includes(compiled.literal), `${pattern} promises ${compiled.literal}`);
          if (expected.test(one)) assert.ok(compiled.test(lines.join('\n')), `${pattern} in all lines at once`);
        }
      }),
      { numRuns: RUNS * 10 },
    );
  });

  it('a glob matches what its meaning says', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 4 }).filter((one) => !/^\.+$/.test(one));
    const pattern = fc.array(fc.oneof(name, fc.constantFrom('**', '*', 'a*', '?b', '[ab]*', '*.b')), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(pattern, fc.array(name, { minLength: 1, maxLength: 5 }), (segments, names) => {
        assert.equal(
          compileGlob(segments.join('/'))(names.join('/')),
          meaning(segments, names),
          `${segments.join('/')} on ${names.join('/')}`,
        );
      }),
      { numRuns: RUNS * 10 },
    );
  });
});

/** Makes folders without going through a link that was made before: the arrangement must not write where the links lead. */
function makeBeneath(root: string, names: readonly string[]): void {
  let at = root;
  for (const name of names) {
    at = join(at, name);
    if (!existsSync(at)) mkdirSync(at);
    if (!lstatSync(at).isDirectory()) throw new Error('A link or a file is in the way.');
  }
}

/** 1 when the path led somewhere. */
function probe(area: Area, root: string, one: string): number {
  try {
    const { place } = area.locate(one, 'read');
    try {
      const real = readlinkSync(place.ref);
      assert.ok(real === root || real.startsWith(`${root}/`), `${one} led to ${real}`);
      assert.equal(real, place.path === '' ? root : `${root}/${place.path}`);
      if (place.stat?.isFile() === true) assert.equal(readContent(place, 1000).toString('utf8'), 'inside');
      return 1;
    } finally {
      place.close();
    }
  } catch (thrown) {
    assert.match(String((thrown as { code?: string }).code), /^SBX_FS_/, String(thrown));
    return 0;
  }
}

type Command = { readonly tool: string; readonly path: string; readonly content?: string; readonly old?: string; readonly to?: string };
/** Path to content; a folder is null. */
type Model = Map<string, string | null>;

/** Whether the model does it. */
function apply(model: Model, { tool, path: one, content = '', old = '', to = '' }: Command): boolean {
  const parent = (of: string): boolean => !of.includes('/') || model.get(of.slice(0, of.lastIndexOf('/'))) === null;
  const below = (of: string): string[] => [...model.keys()].filter((name) => name === of || name.startsWith(`${of}/`));
  const now = model.get(one);
  switch (tool) {
    case 'write':
      if (!parent(one) || now === null) return false;
      model.set(one, content);
      return true;
    case 'edit':
      if (typeof now !== 'string' || now.split(old).length !== 2) return false;
      model.set(one, now.replace(old, content));
      return true;
    case 'mkdir': {
      const steps = one.split('/').map((_, index, all) => all.slice(0, index + 1).join('/'));
      if (steps.some((step) => typeof model.get(step) === 'string')) return false;
      for (const step of steps) model.set(step, null);
      return true;
    }
    case 'delete':
      if (now === undefined) return false;
      for (const name of below(one)) model.delete(name);
      return true;
    default: {
      if (now === undefined || model.has(to) || !parent(to) || to.startsWith(`${one}/`)) return false;
      for (const name of below(one)) {
        model.set(to + name.slice(one.length), model.get(name) ?? null);
        if (tool === 'move') model.delete(name);
      }
      return true;
    }
  }
}

async function perform(area: Area, { tool, path: one, content = '', old = '', to = '' }: Command): Promise<boolean> {
  const calls: Record<string, [FileTool, JsonObject]> = {
    write: [writeFile(area, 1000), { path: one, content }],
    edit: [editFile(area, 1000), { path: one, edits: [{ oldText: old, newText: content }] }],
    mkdir: [createDirectory(area), { path: one }],
    move: [moveFile(area), { source: one, destination: to }],
    copy: [copyFile(area, 1_000_000), { source: one, destination: to }],
    delete: [deleteFile(area), { path: one, recursive: true }],
  };
  const [definition, args] = calls[tool] ?? [];
  assert.ok(definition !== undefined && args !== undefined);
  try {
    await definition.run(args, QUIET);
    return true;
  } catch (thrown) {
    assert.match(String((thrown as { code?: string }).code), /^SBX_FS_/, String(thrown));
    return false;
  }
}

function onDisk(root: string): [string, string | null][] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map((found): [string, string | null] => {
      const full = join(found.parentPath, found.name);
      return [full.slice(root.length + 1), found.isDirectory() ? null : readFileSync(full, 'utf8')];
    })
    .filter(([name]) => !name.startsWith('.signalbox'))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The meaning of a glob, said as plainly as possible. */
function meaning(segments: readonly string[], names: readonly string[]): boolean {
  const [first, ...rest] = segments;
  if (first === undefined) return names.length === 0;
  if (first === '**') return meaning(rest, names) || (names.length > 0 && meaning(segments, names.slice(1)));
  const [name, ...others] = names;
  return name !== undefined && segmentMeans(first, name) && meaning(rest, others);
}

function segmentMeans(segment: string, name: string): boolean {
  const source = segment.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}
