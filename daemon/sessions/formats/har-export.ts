/**
 * HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/). A request over HTTP is an entry of its own, with the stream of its answer as the
 * body; a connection that is no HTTP is one entry with its messages in `_webSocketMessages`, the field in which Chrome writes those of a
 * socket and which viewers show. Headers and addresses are not recorded, so the URL names the endpoint or the server.
 */
import type { FrameLine, OpenLine } from '../../api/recordings.ts';
import type { ExportSource, LineSink } from './jsonl.ts';

/** One message of an entry. */
export interface HarMessage {
  readonly type: 'send' | 'receive';
  /** Seconds since 1970. */
  readonly time: number;
  readonly opcode: 1;
  readonly data: string;
}

/** An HTTP exchange being put together. */
interface Exchange {
  readonly open: OpenLine;
  readonly began: number;
  readonly request: string | undefined;
  readonly answers: { readonly t: number; readonly text: string }[];
}

/** Writes the recording as HAR. Entries come in the order they end: memory holds what is open. */
export async function harText({ reader, redact, see }: ExportSource, write: LineSink, version: string): Promise<void> {
  const epoch = Date.parse(reader.header.createdAt);
  const opens = new Map<string, OpenLine>();
  const exchanges = new Map<string, Exchange>();
  const sockets = new Map<string, { readonly open: OpenLine; readonly messages: HarMessage[] }>();
  let first = true;
  const entry = async (value: object): Promise<void> => {
    await write(`${first ? '' : ','}\n${JSON.stringify(value)}`);
    first = false;
  };
  const end = async (key: string): Promise<void> => {
    const exchange = exchanges.get(key);
    exchanges.delete(key);
    if (exchange !== undefined) await entry(exchangeEntry(exchange, epoch));
  };
  await write(`{"log":{"version":"1.2","creator":{"name":"Signalbox","version":${JSON.stringify(version)}},"entries":[`);
  for await (const line of reader.lines()) {
    if (line.k === 'open') opens.set(line.c, line);
    if (line.k !== 'frame') {
      see.line(line, line.k === 'open' ? JSON.stringify(line) : '');
      continue;
    }
    const open: OpenLine = opens.get(line.c) ?? { k: 'open', t: line.t, c: line.c, edge: 'client', transport: 'bridge' };
    const message = redact(await reader.message(line)) as { id?: unknown; method?: unknown };
    const text = JSON.stringify(message);
    see.line({ ...line, m: message }, text);
    if (open.transport !== 'http') {
      const socket = sockets.get(line.c) ?? { open, messages: [] };
      sockets.set(line.c, socket);
      socket.messages.push({ type: isSent(line, open) ? 'send' : 'receive', time: (epoch + line.t) / 1000, opcode: 1, data: text });
      continue;
    }
    if (isSent(line, open)) {
      const exchange: Exchange = { open, began: line.t, request: text, answers: [] };
      if (message.method !== undefined && message.id !== undefined) exchanges.set(`${line.c} ${JSON.stringify(message.id)}`, exchange);
      else await entry(exchangeEntry(exchange, epoch));
      continue;
    }
    const answers = message.method === undefined;
    const key = `${line.c} ${JSON.stringify(answers ? message.id : line.stream)}`;
    const known = exchanges.get(key) ?? exchanges.get(`${line.c} standing`);
    const exchange: Exchange = known ?? { open, began: line.t, request: undefined, answers: [] };
    if (known === undefined) exchanges.set(`${line.c} standing`, exchange);
    exchange.answers.push({ t: line.t, text });
    if (answers && exchanges.get(key) === exchange) await end(key);
  }
  for (const key of [...exchanges.keys()]) await end(key);
  for (const { open, messages } of sockets.values()) await entry(socketEntry(open, messages, epoch));
  await write('\n]}}\n');
}

/** Whether the message went from a client to a server. */
function isSent(line: FrameLine, open: OpenLine): boolean {
  return (line.d === 'in') === (open.edge === 'client');
}

function urlOf({ edge, endpoint, server }: OpenLine, scheme: string): string {
  const path = edge === 'client' ? (endpoint ?? '/mcp/default') : '/mcp';
  return `${scheme}://${edge === 'client' ? 'signalbox' : encodeURIComponent(server ?? 'server')}.invalid${path}`;
}

function exchangeEntry({ open, began, request, answers }: Exchange, epoch: number): object {
  const last = answers.at(-1);
  const time = Math.max(0, (last?.t ?? began) - began);
  const wait = Math.max(0, (answers[0]?.t ?? began) - began);
  const streams = answers.length > 1 || request === undefined;
  const body = streams ? answers.map(({ text }) => `event: message\ndata: ${text}\n\n`).join('') : (last?.text ?? '');
  const type = streams ? 'text/event-stream' : 'application/json';
  return {
    startedDateTime: new Date(epoch + began).toISOString(),
    time,
    request: {
      method: request === undefined ? 'GET' : 'POST',
      url: urlOf(open, 'http'),
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: [],
      queryString: [],
      ...(request === undefined ? {} : { postData: { mimeType: 'application/json', text: request } }),
      headersSize: -1,
      bodySize: request === undefined ? 0 : Buffer.byteLength(request),
    },
    response: {
      status: last === undefined ? 202 : 200,
      statusText: last === undefined ? 'Accepted' : 'OK',
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: last === undefined ? [] : [{ name: 'Content-Type', value: type }],
      content: { size: Buffer.byteLength(body), mimeType: last === undefined ? 'x-unknown' : type, text: body },
      redirectURL: '',
      headersSize: -1,
      bodySize: Buffer.byteLength(body),
    },
    cache: {},
    timings: { send: 0, wait, receive: time - wait },
    connection: open.c,
    _edge: open.edge,
  };
}

function socketEntry(open: OpenLine, messages: readonly HarMessage[], epoch: number): object {
  const began = messages[0]?.time ?? epoch / 1000;
  const time = ((messages.at(-1)?.time ?? began) - began) * 1000;
  const empty = { httpVersion: 'HTTP/1.1', cookies: [], headers: [], headersSize: -1, bodySize: 0 };
  return {
    startedDateTime: new Date(began * 1000).toISOString(),
    time,
    request: { method: 'GET', url: urlOf(open, 'ws'), queryString: [], ...empty },
    response: { status: 101, statusText: 'Switching Protocols', content: { size: 0, mimeType: 'x-unknown' }, redirectURL: '', ...empty },
    cache: {},
    timings: { send: 0, wait: 0, receive: time },
    connection: open.c,
    comment: `MCP over ${open.transport}, no HTTP: the messages are in _webSocketMessages.`,
    _resourceType: 'websocket',
    _edge: open.edge,
    _transport: open.transport,
    _webSocketMessages: messages,
  };
}
