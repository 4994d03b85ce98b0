/** Statistics of tools and lists over frames as they come: of a recording of any size, or of what the tap keeps. Bounded memory. */
import type { ErrorShape } from '../../api/errors.ts';
import type { FrameLine, OpenLine, RecordingLine } from '../../api/recordings.ts';
import type { Edge, ListStatistics, ToolStatistics } from '../../api/sessions.ts';
import { isObject, isRequest, type Message } from '../../protocol/message.ts';
import { Damage } from '../recording/damage.ts';
import { Percentiles } from './percentiles.ts';
import { contentTokens, jsonTokens } from './tokens.ts';

/** A frame, whoever kept it. */
export interface CountedFrame {
  readonly edge: Edge;
  /** What ids of requests are unique in: a session, or a connection. */
  readonly connection: string;
  /** From the client's side to the server's. */
  readonly toServer: boolean;
  /** Number of the event, and of the client's request it belongs to. */
  readonly n: number;
  readonly call?: number | undefined;
  /** Milliseconds, from whenever. */
  readonly time: number;
  readonly bytes: number;
  readonly message: object;
  /** Server edge. */
  readonly server?: string | undefined;
}

/** What was found. */
export interface Statistics {
  readonly tools: readonly ToolStatistics[];
  readonly lists: readonly ListStatistics[];
  /** What of a recording could not be read, and is not counted; absent when all of it was. */
  readonly problems?: readonly ErrorShape[];
}

/** Requests without an answer that are remembered; the oldest are given up. */
const OPEN = 20_000;
/** Names counted by themselves; what comes after is counted together. */
const NAMES = 5000;
const OTHERS = '(others)';
const LISTS: ReadonlySet<string> = new Set(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']);

interface Open {
  readonly n: number;
  readonly time: number;
  readonly bytes: number;
  readonly method: string;
  readonly name: string;
  readonly firstPage: boolean;
  server: string | undefined;
}
interface Row {
  readonly server: string | undefined;
  readonly name: string;
  readonly ms: Percentiles;
  errors: number;
  bytesIn: number;
  bytesOut: number;
  tokens: number;
}
interface Pages {
  readonly server: string | undefined;
  readonly method: string;
  bytes: number;
  tokens: number;
}

/** Counts answered requests: at the clients' edge, where nothing is recorded there (or a server is named) at the servers'. */
export class TrafficStatistics {
  readonly #server: string | undefined;
  readonly #edges: Readonly<Record<Edge, EdgeCount>> = { client: new EdgeCount(), server: new EdgeCount() };

  /** @param options.server only what was said to that server */
  constructor({ server }: { readonly server?: string | undefined } = {}) {
    this.#server = server;
  }

  /** The next frame. */
  add(frame: CountedFrame): void {
    if (this.#server !== undefined && (frame.edge === 'client' || frame.server !== this.#server)) return;
    if (frame.edge === 'server' && frame.toServer && frame.call !== undefined) this.#edges.client.attribute(frame.call, frame.server);
    this.#edges[frame.edge].add(frame);
  }

  /** What was counted, the tool that was called most first. */
  result(): Statistics {
    const { client, server } = this.#edges;
    return client.empty ? server.result() : client.result();
  }
}

class EdgeCount {
  readonly #open = new Map<string, Open>();
  readonly #byNumber = new Map<number, Open>();
  readonly #rows = new Map<string, Row>();
  readonly #lists = new Map<string, Pages>();

  get empty(): boolean {
    return this.#rows.size === 0;
  }

  add({ edge, connection, toServer, n, call, time, bytes, message: object, server }: CountedFrame): void {
    const message = object as Message;
    // Several clients may be one session, and use the same id at once: the call tells them apart.
    const whose = edge === 'client' && call !== undefined ? `${connection} ${call}` : connection;
    if (isRequest(message)) {
      if (toServer) this.#asked(`${whose} ${typeof message.id} ${message.id}`, n, time, bytes, message.method, message.params, server);
      return;
    }
    if ('method' in message || toServer) return;
    const key = `${whose} ${typeof message.id} ${message.id}`;
    const open = this.#open.get(key);
    if (open === undefined) return;
    this.#open.delete(key);
    this.#byNumber.delete(open.n);
    this.#answered(open, message, time, bytes);
  }

  /** The client's request went on to a server. */
  attribute(call: number, server: string | undefined): void {
    const open = this.#byNumber.get(call);
    if (open?.method === 'tools/call') open.server = server;
  }

  result(): Statistics {
    const tools = [...this.#rows.values()].map(({ server, name, ms, ...row }) => ({
      ...(server === undefined ? {} : { server }),
      name,
      count: ms.count,
      p50: rounded(ms.at(0.5)),
      p99: rounded(ms.at(0.99)),
      ...row,
    }));
    const lists = [...this.#lists.values()].map(({ server, ...list }) => ({ ...(server === undefined ? {} : { server }), ...list }));
    return {
      tools: tools.sort((one, other) => other.count - one.count || (one.name < other.name ? -1 : 1)),
      lists: lists.sort((one, other) => other.tokens - one.tokens),
    };
  }

  #asked(
    key: string,
    n: number,
    time: number,
    bytes: number,
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    server: string | undefined,
  ): void {
    const tool = params?.['name'];
    const name = method === 'tools/call' && typeof tool === 'string' ? tool : method;
    const open = { n, time, bytes, method, name, firstPage: params?.['cursor'] === undefined, server };
    this.#open.set(key, open);
    this.#byNumber.set(n, open);
    if (this.#open.size > OPEN) this.#forget(OPEN / 8);
  }

  /** Many at once: finding the first entry of a map passes over all that were deleted before it. */
  #forget(count: number): void {
    let left = count;
    for (const [key, { n }] of this.#open) {
      if (left-- <= 0) return;
      this.#open.delete(key);
      this.#byNumber.delete(n);
    }
  }

  #answered(open: Open, message: Message, time: number, bytes: number): void {
    const { method, server } = open;
    const result = 'result' in message ? message.result : undefined;
    const row = this.#row(open);
    row.ms.add(Math.max(0, time - open.time));
    if (result === undefined || result['isError'] === true) row.errors += 1;
    row.bytesIn += open.bytes;
    row.bytesOut += bytes;
    row.tokens += method === 'tools/call' ? contentTokens(result) : jsonTokens(result);
    if (!LISTS.has(method) || !isObject(result)) return;
    const key = JSON.stringify([server, method]);
    const pages = open.firstPage ? undefined : this.#lists.get(key);
    const { _meta, nextCursor, ttlMs, cacheScope, resultType, ...items } = result;
    this.#lists.set(key, { server, method, bytes: (pages?.bytes ?? 0) + bytes, tokens: (pages?.tokens ?? 0) + jsonTokens(items) });
  }

  #row({ server, name }: Open): Row {
    const key = JSON.stringify([server, name]);
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    if (this.#rows.size >= NAMES && name !== OTHERS) return this.#row({ ...OTHER, server: undefined });
    const row: Row = { server, name, ms: new Percentiles(), errors: 0, bytesIn: 0, bytesOut: 0, tokens: 0 };
    this.#rows.set(key, row);
    return row;
  }
}

const OTHER: Open = { n: 0, time: 0, bytes: 0, method: OTHERS, name: OTHERS, firstPage: true, server: undefined };

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/**
 * Statistics of a recording, read once.
 * @param message gives the message of a frame, from its side file where it is in one
 */
export async function recordingStatistics(
  lines: AsyncIterable<RecordingLine>,
  message: (line: FrameLine) => Promise<object>,
  options: { readonly server?: string | undefined } = {},
): Promise<Statistics> {
  const statistics = new TrafficStatistics(options);
  const opens = new Map<string, OpenLine>();
  const damage = new Damage();
  for await (const line of lines) {
    damage.line(line);
    if (line.k === 'open') opens.set(line.c, line);
    const open = line.k === 'frame' ? opens.get(line.c) : undefined;
    if (line.k !== 'frame' || open === undefined) continue;
    const { edge, server } = open;
    statistics.add({
      edge,
      connection: edge === 'client' && open.session !== undefined ? `session ${open.session}` : line.c,
      toServer: (line.d === 'in') === (edge === 'client'),
      n: line.n,
      call: line.call,
      time: line.t,
      bytes: line.bytes,
      message: await message(line),
      server,
    });
  }
  const { problems } = damage;
  return { ...statistics.result(), ...(problems === undefined ? {} : { problems }) };
}
