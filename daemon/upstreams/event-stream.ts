/** Reads `text/event-stream` (HTML Living Standard, "Interpreting an event stream") as bytes: only what MCP uses. */
import { LineFramer } from './framing.ts';

/** One event. An event without data is one too: it may set the id a stream is resumed from (2025-11-25, "Sending Messages to the Server"). */
export interface StreamEvent {
  readonly data: Buffer;
  /** The `event` field; absent = `message`. */
  readonly type?: string;
  /** The last `id` of the stream so far. */
  readonly id?: string;
  /** Milliseconds of the `retry` field, if this event has one. */
  readonly retry?: number;
}

const NOTHING: Buffer = Buffer.alloc(0);
const COLON = 0x3a;
const SPACE = 0x20;

/** Feeds bytes in, gets events out; a line over `limit` bytes is dropped and reported. */
export class EventStreamReader {
  readonly #framer: LineFramer;
  #data: Buffer[] = [];
  #type: string | undefined;
  #id: string | undefined;
  #retry: number | undefined;
  #fields = 0;

  /** @param limit bytes one line (so one message) may have */
  constructor(limit: number, onEvent: (event: StreamEvent) => void, onOversize: (bytes: number, head: string, tail: string) => void) {
    this.#framer = new LineFramer(
      limit,
      (line) => this.#line(line),
      onOversize,
      () => this.#dispatch(onEvent),
    );
  }

  /** Takes the next bytes. */
  push(chunk: Buffer): void {
    this.#framer.push(chunk);
  }

  #line(line: Buffer): void {
    const colon = line.indexOf(COLON);
    if (colon === 0) return; // a comment
    const field = line.toString('latin1', 0, colon === -1 ? line.length : colon);
    const value = colon === -1 ? NOTHING : line.subarray(line[colon + 1] === SPACE ? colon + 2 : colon + 1);
    this.#fields++;
    if (field === 'data') this.#data.push(value);
    else if (field === 'id') this.#id = value.toString('utf8');
    else if (field === 'event') this.#type = value.toString('utf8');
    else if (field === 'retry' && /^\d+$/.test(value.toString('latin1'))) this.#retry = Number(value.toString('latin1'));
  }

  #dispatch(onEvent: (event: StreamEvent) => void): void {
    if (this.#fields === 0) return;
    const [first = NOTHING, ...more] = this.#data;
    const data = more.length === 0 ? first : Buffer.concat([first, ...more.flatMap((line) => [LINE_FEED, line])]);
    const [id, type, retry] = [this.#id, this.#type, this.#retry];
    this.#data = [];
    this.#type = undefined;
    this.#retry = undefined;
    this.#fields = 0;
    onEvent({
      data,
      ...(type === undefined ? {} : { type }),
      ...(id === undefined ? {} : { id }),
      ...(retry === undefined ? {} : { retry }),
    });
  }
}
const LINE_FEED = Buffer.from('\n');
