/** MCP messages in a HAR file: bodies of requests and answers, event streams, messages of sockets. */
import { createHash } from 'node:crypto';
import { parseJson } from '../../protocol/json.ts';
import { isObject } from '../../protocol/message.ts';
import type { ImportedMessage } from './imported.ts';

interface Entry {
  readonly startedDateTime?: unknown;
  readonly time?: unknown;
  readonly connection?: unknown;
  readonly request?: { readonly url?: unknown; readonly headers?: unknown; readonly postData?: { readonly text?: unknown } };
  readonly response?: {
    readonly headers?: unknown;
    readonly content?: { readonly text?: unknown; readonly mimeType?: unknown; readonly encoding?: unknown };
  };
  readonly timings?: { readonly wait?: unknown };
  readonly _edge?: unknown;
  readonly _webSocketMessages?: unknown;
}

/** Every MCP message of a HAR document. What is no JSON-RPC is passed over: a HAR of a browser has much else. */
export function harMessages(document: unknown): readonly ImportedMessage[] {
  const log = isObject(document) ? document['log'] : undefined;
  const entries = isObject(log) && Array.isArray(log['entries']) ? (log['entries'] as Entry[]) : [];
  const sessions = new Map<string, string>();
  return entries.flatMap((entry, index) => messagesOf(entry, index, sessions));
}

function messagesOf(entry: Entry, index: number, sessions: Map<string, string>): readonly ImportedMessage[] {
  const began = Date.parse(String(entry.startedDateTime));
  if (Number.isNaN(began)) return [];
  const edge = entry._edge === 'server' ? 'server' : 'client';
  const server = edge === 'server' ? { server: hostOf(entry.request?.url) } : {};
  if (Array.isArray(entry._webSocketMessages)) {
    const connection = `socket ${typeof entry.connection === 'string' ? entry.connection : index}`;
    return (entry._webSocketMessages as { type?: unknown; time?: unknown; data?: unknown }[]).flatMap(({ type, time, data }) =>
      rpcMessages(String(data)).map((message) => ({
        time: typeof time === 'number' ? time * 1000 : began,
        from: type === 'send' ? ('client' as const) : ('server' as const),
        connection,
        transport: 'bridge' as const,
        edge,
        ...server,
        message,
      })),
    );
  }
  const connection = connectionOf(entry, sessions);
  const asked = rpcMessages(String(entry.request?.postData?.text ?? ''));
  const wait = typeof entry.timings?.wait === 'number' && entry.timings.wait > 0 ? entry.timings.wait : 0;
  const end = began + (typeof entry.time === 'number' && entry.time > 0 ? entry.time : wait);
  const answered = bodyMessages(entry.response?.content);
  const stream = asked.map((message) => (message as { id?: unknown; method?: unknown }).id).find((id) => id !== undefined) as
    | string
    | number
    | undefined;
  return [
    ...asked.map((message): ImportedMessage => ({ time: began, from: 'client', connection, transport: 'http', edge, ...server, message })),
    ...answered.map(
      (message, at): ImportedMessage => ({
        // the first comes after the wait, the last at the end; HAR does not say more
        time: at === answered.length - 1 ? end : began + wait,
        from: 'server',
        connection,
        transport: 'http',
        edge,
        ...server,
        ...(stream === undefined || !('method' in message) ? {} : { stream }),
        message,
      }),
    ),
  ];
}

/** One session of a legacy server is one connection; else what the file says, or the address. */
function connectionOf({ request, response, connection }: Entry, sessions: Map<string, string>): string {
  const id = headerOf(response?.headers, 'mcp-session-id') ?? headerOf(request?.headers, 'mcp-session-id');
  if (id !== undefined) {
    const digest = createHash('sha256').update(id).digest('hex');
    const known = sessions.get(digest) ?? `session ${sessions.size + 1}`;
    sessions.set(digest, known);
    return known;
  }
  const address = String(request?.url ?? '').split(/[?#]/)[0] ?? '';
  return address.includes('.invalid/') && typeof connection === 'string' ? `${address} ${connection}` : address;
}

function headerOf(headers: unknown, name: string): string | undefined {
  if (!Array.isArray(headers)) return undefined;
  const found = (headers as { name?: unknown; value?: unknown }[]).find((header) => String(header?.name).toLowerCase() === name);
  return typeof found?.value === 'string' && found.value !== '' ? found.value : undefined;
}

function hostOf(url: unknown): string {
  try {
    return decodeURIComponent(new URL(String(url)).hostname.replace(/\.invalid$/, ''));
  } catch {
    return 'imported';
  }
}

function bodyMessages(content: NonNullable<Entry['response']>['content']): readonly object[] {
  if (typeof content?.text !== 'string') return [];
  const text = content.encoding === 'base64' ? Buffer.from(content.text, 'base64').toString('utf8') : content.text;
  return String(content.mimeType).includes('event-stream') || /^(?:event|data|id|:)/.test(text)
    ? eventData(text).flatMap(rpcMessages)
    : rpcMessages(text);
}

/** The data of each event (WHATWG HTML, section 9.2.6). */
function eventData(text: string): readonly string[] {
  return text.split(/\r\n\r\n|\n\n|\r\r/).flatMap((event) => {
    const data = event.split(/\r\n|\n|\r/).flatMap((line) => (/^data:/.test(line) ? [line.slice(5).replace(/^ /, '')] : []));
    return data.length === 0 ? [] : [data.join('\n')];
  });
}

/** The JSON-RPC messages of a text; a batch (2025-03-26) has several. */
export function rpcMessages(text: string): readonly object[] {
  if (!/^\s*[[{]/.test(text)) return [];
  try {
    const value = parseJson(text);
    return (Array.isArray(value) ? value : [value]).filter(
      (message): message is object => isObject(message) && message['jsonrpc'] === '2.0',
    );
  } catch {
    return [];
  }
}
