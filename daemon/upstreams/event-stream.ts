/** Reads `text/event-stream` (HTML Living Standard, "Interpreting an event stream"): only what MCP uses, data and id. */
import { LineFramer } from './framing.ts';

/** One event. */
export interface StreamEvent {
  readonly data: string;
  readonly id?: string;
}

/** Feeds bytes in, gets events out; an event over `limit` bytes is dropped and reported. */
export class EventStreamReader {
  readonly #framer: LineFramer;
  #data: string[] = [];
  #id: string | undefined;

  /** @param limit bytes one line (so one message) may have */
  constructor(limit: number, onEvent: (event: StreamEvent) => void, onOversize: (bytes: number) => void) {
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

  #line(line: string): void {
    if (line.startsWith(':')) return;
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'id') this.#id = value;
  }

  #dispatch(onEvent: (event: StreamEvent) => void): void {
    if (this.#data.length > 0) {
      const data = this.#data.join('\n');
      onEvent(this.#id === undefined ? { data } : { data, id: this.#id });
    }
    this.#data = [];
  }
}
