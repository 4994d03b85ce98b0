/** A tool's result as a document people can read: text, JSON, images, sound, links, and structured content held against its schema. */
import type * as VSCode from 'vscode';
import type { MemoryFiles } from './documents.ts';
import type { ToolCall } from './run.ts';

/** A result as it is shown. */
export interface ShownResult {
  readonly call: ToolCall;
  readonly result: Readonly<Record<string, unknown>>;
  /** Markdown. */
  readonly text: string;
  /** Files beside it: images, sound, binary resources. */
  readonly media: readonly { readonly name: string; readonly data: Uint8Array }[];
  /** Resources it points to. */
  readonly links: readonly { readonly uri: string; readonly name: string }[];
}

type Block = Readonly<Record<string, unknown>>;

const ENDINGS: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/svg+xml': 'svg',
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
  'audio/ogg': 'ogg',
};

/**
 * @param problems what is wrong with the structured content; undefined when the tool promises none
 */
export function describeResult(
  vscode: Pick<typeof VSCode, 'l10n'>,
  call: ToolCall,
  result: Readonly<Record<string, unknown>>,
  problems: readonly string[] | undefined,
  ms: number,
): ShownResult {
  const { l10n } = vscode;
  const media: { name: string; data: Uint8Array }[] = [];
  const links: { uri: string; name: string }[] = [];
  const add = (base64: unknown, mimeType: unknown, kind: string): string => {
    const ending = ENDINGS[String(mimeType)] ?? 'bin';
    const name = `${kind}-${media.length + 1}.${ending}`;
    media.push({ name, data: Buffer.from(String(base64), 'base64') });
    return name;
  };
  const blocks = (Array.isArray(result['content']) ? (result['content'] as unknown[]) : []).filter(isBlock);
  const parts = blocks.map((block): string => {
    switch (block['type']) {
      case 'text':
        return textPart(String(block['text'] ?? ''));
      case 'image': {
        const name = add(block['data'], block['mimeType'], 'image');
        return `![${name}](data:${mimeOf(block)};base64,${base64Of(block['data'])})`;
      }
      case 'audio':
        return `*${l10n.t('Sound')}: ${add(block['data'], block['mimeType'], 'audio')}*`;
      case 'resource_link':
        links.push({ uri: String(block['uri']), name: String(block['title'] ?? block['name'] ?? block['uri']) });
        return `*${l10n.t('Resource')}:* \`${inline(String(block['uri']))}\`${typeof block['description'] === 'string' ? ` — ${escaped(block['description'])}` : ''}`;
      case 'resource': {
        const inner = isBlock(block['resource']) ? block['resource'] : {};
        const head = `*${l10n.t('Resource')}:* \`${inline(String(inner['uri']))}\``;
        if (typeof inner['text'] === 'string') return `${head}\n\n${textPart(inner['text'])}`;
        return `${head} (${add(inner['blob'], inner['mimeType'], 'resource')})`;
      }
      default:
        return fenced(JSON.stringify(block, null, 2), 'json');
    }
  });
  const structured = result['structuredContent'];
  const isError = result['isError'] === true;
  const text = [
    `# ${isError ? '$ERROR ' : ''}${escaped(call.tool)}`.replace('$ERROR', `${l10n.t('Failed')}:`),
    `${l10n.t('{0} ms', Math.round(ms))}${isError ? `, ${l10n.t('the tool says it failed')}` : ''}`,
    ...parts,
    ...(structured === undefined
      ? []
      : [`## ${l10n.t('Structured content')}`, verdict(vscode, problems), fenced(JSON.stringify(structured, null, 2), 'json')]),
    ...(structured === undefined && problems !== undefined && !isError
      ? [verdict(vscode, [l10n.t('The tool promises structured content and gave none.')])]
      : []),
    `## ${l10n.t('Arguments')}`,
    fenced(JSON.stringify(call.arguments, null, 2), 'json'),
  ].join('\n\n');
  return { call, result, text: `${text}\n`, media, links };
}

/** Puts a result and what belongs to it into one folder in memory. */
export function storeResult(files: MemoryFiles, shown: ShownResult): { document: VSCode.Uri; media: readonly VSCode.Uri[] } {
  const folder = files.folder();
  const media = shown.media.map(({ name, data }) => files.put(`${folder}/${name}`, data));
  return { document: files.put(`${folder}/${shown.call.tool}.md`, shown.text), media };
}

function verdict({ l10n }: Pick<typeof VSCode, 'l10n'>, problems: readonly string[] | undefined): string {
  if (problems === undefined) return l10n.t('The tool has no output schema.');
  if (problems.length === 0) return `✓ ${l10n.t('It fits the output schema.')}`;
  return [`✗ ${l10n.t('It does not fit the output schema:')}`, ...problems.map((problem) => `* ${escaped(problem)}`)].join('\n');
}

function textPart(text: string): string {
  const trimmed = text.trim();
  if (/^[[{]/.test(trimmed)) {
    try {
      return fenced(JSON.stringify(JSON.parse(trimmed), null, 2), 'json');
    } catch {
      // it only looks like JSON
    }
  }
  return fenced(text, 'text');
}

/** A fence longer than any in the text: what a server says cannot end it. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** A server chooses these words: they must not become links, images or HTML. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+!<>|&]/g, (sign) => `\\${sign}`).replaceAll('\n', ' ');
}

function inline(text: string): string {
  return text.replaceAll('`', "'").replaceAll('\n', ' ');
}

function mimeOf(block: Block): string {
  const type = String(block['mimeType']);
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'application/octet-stream';
}

function base64Of(data: unknown): string {
  return String(data).replace(/[^A-Za-z0-9+/=]/g, '');
}

function isBlock(value: unknown): value is Block {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
