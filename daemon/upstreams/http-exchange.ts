/** One HTTP request and its answer, whole or as an event stream, straight on undici's dispatcher: no fetch, no signals, no streams. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { EventStreamReader, type StreamEvent } from './event-stream.ts';

/** What an exchange tells. Exactly one of `ended` and `broken` comes last, unless it was aborted: then nothing comes any more. */
export interface ExchangeListener {
  /** The answer has begun. */
  began?(status: number, headers: IncomingHttpHeaders): void;
  /** An event of an answer that is a stream. */
  event(event: StreamEvent): void;
  /** Something over the limit was left out. */
  oversize(bytes: number, head: string, tail: string): void;
  /** The answer is over. `body` is there where it was no stream of events and not over the limit. */
  ended(answer: Answer): void;
  /** The connection failed, before or in the answer. */
  broken(error: Error): void;
}

/** An answer that has come to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Undefined when it was a stream of events or over the limit. */
  readonly body: Buffer | undefined;
}

/** The media type of a `content-type`, without parameters. */
export function mediaType(headers: IncomingHttpHeaders): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** A request under way; handed to `dispatch` as its handler. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #listener: ExchangeListener;
  readonly #limit: number;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #reader: EventStreamReader | undefined;
  #chunks: Buffer[] = [];
  #size = 0;
  #aborted = false;

  /** @param limit bytes one message may have */
  constructor(listener: ExchangeListener, limit: number) {
    this.#listener = listener;
    this.#limit = limit;
  }

  /** Ends it; nothing more is told. */
  abort(): void {
    this.#aborted = true;
    this.#controller?.abort(ABORTED);
  }

  /** @internal */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted) controller.abort(ABORTED);
  }

  /** @internal */
  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.#aborted) return;
    this.#status = status;
    this.#headers = headers;
    this.#listener.began?.(status, headers);
    if (status < 300 && mediaType(headers) === 'text/event-stream')
      this.#reader = new EventStreamReader(
        this.#limit,
        (event) => this.#aborted || this.#listener.event(event),
        (bytes, head, tail) => this.#listener.oversize(bytes, head, tail),
      );
  }

  /** @internal */
  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#aborted) return;
    if (this.#reader !== undefined) return this.#reader.push(chunk);
    const fitted = this.#size <= this.#limit;
    this.#size += chunk.length;
    if (this.#size <= this.#limit) this.#chunks.push(chunk);
    else if (fitted) this.#chunks = []; // its end is waited for, so that its whole size can be told
  }

  /** @internal */
  onResponseEnd(): void {
    if (this.#aborted) return;
    const { length, 0: only } = this.#chunks;
    if (this.#size > this.#limit) this.#listener.oversize(this.#size, '', '');
    const whole = this.#reader === undefined && this.#size <= this.#limit;
    const body = whole ? (length === 1 ? only : Buffer.concat(this.#chunks, this.#size)) : undefined;
    this.#chunks = [];
    this.#listener.ended({ status: this.#status, headers: this.#headers, body });
  }

  /** @internal */
  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (!this.#aborted) this.#listener.broken(error);
  }
}

const ABORTED = new Error('The request was given up.');
