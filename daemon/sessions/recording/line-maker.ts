/** Turns what the tap tells into the lines of a recording. Runs beside the calls: it serialises and nothing more; redaction comes later. */
import type { FrameLine, OpenLine, OtherLine } from '../../api/recordings.ts';
import type { RpcId, TapConnection, TapEvent, TapFrame } from '../../api/sessions.ts';
import { encode } from '../../protocol/frame.ts';
import type { Message } from '../../protocol/message.ts';
import { Recent } from './recent.ts';

/**
 * Lines on their way to the writer, two entries each: of a frame the line without its message and without the closing brace, and the
 * message as JSON (text, or UTF-8 where it was never text); of any other line the whole of it and null. Neither is redacted.
 */
export type LineItems = (string | Uint8Array<ArrayBuffer> | null)[];

/** Requests whose number is remembered, for what belongs to them. */
const CALLS = 65_536;

/** Makes the lines of one recording. */
export class LineMaker {
  readonly #epoch: number;
  readonly #connections = new Map<string, string>();
  /** `n` by `seq`, of clients' requests. */
  readonly #calls = new Recent<number, number>(CALLS);
  readonly #prefix: string;
  #n: number;
  #c = 0;
  #t = 0;

  /**
   * @param epoch milliseconds since 1970 of the recording's beginning
   * @param after `n` of the last frame there is already, when a recording goes on
   * @param part number of the part that begins: names of connections are its own
   */
  constructor(epoch: number, { after = 0, part = 1 }: { readonly after?: number; readonly part?: number } = {}) {
    this.#epoch = epoch;
    if (part > 1) this.#t = Math.max(0, Date.now() - epoch);
    this.#n = after;
    this.#prefix = part === 1 ? 'c' : `p${part}c`;
  }

  /** Time of the last line. */
  get t(): number {
    return this.#t;
  }

  /** Adds the line of an event, and before it that of its connection when it is new. */
  add(items: LineItems, event: TapEvent): number {
    const t = this.#time(event.time);
    if (event.kind === 'stderr') return push(items, { k: 'stderr', t, server: event.server, line: event.line });
    const { connection } = event;
    if (event.kind === 'frame') return this.#frame(items, event, this.#opened(items, connection, t), t);
    if (event.kind === 'close') {
      const c = this.#connections.get(connection.id);
      this.#connections.delete(connection.id);
      return c === undefined ? 0 : push(items, { k: 'close', t, c, ...(event.why === undefined ? {} : { why: event.why }) });
    }
    const c = this.#opened(items, connection, t);
    if (event.kind === 'open') return 0;
    const call = event.call === undefined ? undefined : this.#calls.get(event.call);
    return push(items, { k: 'fault', t, c, why: event.why, ...(call === undefined ? {} : { call }) });
  }

  /** Adds a gap: `lost` events are missing before what comes next. */
  gap(items: LineItems, why: string, lost?: number): number {
    return push(items, { k: 'gap', t: this.#t, ...(lost === undefined ? {} : { lost }), why });
  }

  #frame(items: LineItems, event: TapFrame, c: string, t: number): number {
    this.#n += 1;
    const n = this.#n;
    if (event.call === event.seq) this.#calls.set(event.seq, n);
    const call = event.call === undefined ? undefined : this.#calls.get(event.call);
    let text: string | Uint8Array<ArrayBuffer>;
    try {
      text = written(event.message);
    } catch (error) {
      this.#n -= 1;
      const why = `A message could not be written as JSON: ${error instanceof Error ? error.message : String(error)}`;
      return push(items, { k: 'fault', t, c, why });
    }
    const bytes = event.bytes;
    const era = event.era === undefined ? '' : `,"era":"${event.era}"`;
    const of = call === undefined ? '' : `,"call":${call}`;
    const stream = event.stream === undefined ? '' : `,"stream":${JSON.stringify(event.stream satisfies RpcId)}`;
    items.push(`{"k":"frame","n":${n},"t":${t},"c":"${c}","d":"${event.direction}"${era},"bytes":${bytes}${of}${stream}`, text);
    return text.length + 100;
  }

  #opened(items: LineItems, connection: TapConnection, t: number): string {
    const known = this.#connections.get(connection.id);
    if (known !== undefined) return known;
    this.#c += 1;
    const c = `${this.#prefix}${this.#c}`;
    this.#connections.set(connection.id, c);
    const { edge, transport, session, client, endpoint, workspace, server } = connection;
    push(items, {
      k: 'open',
      t,
      c,
      edge,
      transport,
      ...(session === undefined ? {} : { session }),
      ...(client === undefined ? {} : { client }),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(workspace === undefined ? {} : { workspace }),
      ...(server === undefined ? {} : { server }),
    });
    return c;
  }

  /** Milliseconds since the beginning, to the microsecond; never backwards. */
  #time(time: number): number {
    this.#t = Math.max(this.#t, Math.round((time - this.#epoch) * 1000) / 1000);
    return this.#t;
  }
}

function push(items: LineItems, line: OpenLine | OtherLine): number {
  const text = JSON.stringify(line);
  items.push(text, null);
  return text.length;
}

/** The message as it goes over the wire. Bytes are copied: they are handed to another thread, and theirs belong to a larger buffer. */
function written(message: object): string | Uint8Array<ArrayBuffer> {
  const frame = encode(message as Message);
  if (typeof frame === 'string') return frame;
  const out = new Uint8Array(frame.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of frame) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** How a frame's line begins, for who reads it back: `n`, `t`, and the era. */
export function headOf(head: string): Pick<FrameLine, 'n' | 't' | 'era'> {
  const n = Number.parseInt(head.slice(NUMBER_AT, NUMBER_AT + 16), 10);
  const t = Number.parseFloat(head.slice(head.indexOf(',"t":', NUMBER_AT) + 5));
  const era = head.includes('"era":"modern"') ? 'modern' : head.includes('"era":"legacy"') ? 'legacy' : undefined;
  return { n, t, ...(era === undefined ? {} : { era }) };
}
const NUMBER_AT = '{"k":"frame","n":'.length;
