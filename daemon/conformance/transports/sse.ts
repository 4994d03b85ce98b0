/** The event-stream format (WHATWG HTML, "Server-sent events"), read strictly. */
import type { SseEvent } from './wire.ts';

/** Reads a stream piece by piece; `fault` hears of lines that are no fields. */
export class SseReader {
  #rest = '';
  #data: string[] = [];
  #fields: { id?: string; event?: string; retry?: string } = {};
  #any = false;
  readonly #event: (event: SseEvent) => void;
  readonly #fault: (line: string) => void;

  constructor(event: (event: SseEvent) => void, fault: (line: string) => void) {
    this.#event = event;
    this.#fault = fault;
  }

  /** Takes the next piece of text. */
  push(text: string): void {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  /** What stands unfinished at the end of the stream, if anything. */
  get unfinished(): string {
    return this.#any ? this.#data.join('\n') : this.#rest;
  }

  #line(line: string): void {
    if (line === '') {
      if (this.#any) this.#event({ data: this.#data.join('\n'), ...this.#fields });
      this.#data = [];
      this.#fields = {};
      this.#any = false;
      return;
    }
    if (line.startsWith(':')) return;
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    this.#any = true;
    if (name === 'data') this.#data.push(value);
    else if (name === 'id' || name === 'event' || name === 'retry') this.#fields[name] = value;
    else this.#fault(line);
  }
}
