/** One event stream of a legacy session that survives its connection (2025-11-25, "Resumability and Redelivery"). */
import type { ServerResponse } from 'node:http';
import type { Message } from '../protocol/message.ts';
import { type Event, eventOf, eventSize, messageSize, openStream, writeEvent } from './event-stream.ts';

/** Events kept for one stream; beyond that the oldest notification goes. */
const EVENTS = 256;
/** Bytes kept for one stream. */
const BYTES = 8 * 1024 * 1024;
/** Milliseconds a client waits before it comes back: with the two attempts of the v1 SDK that covers a restart of the daemon. */
const RETRY_MS = 2000;

interface Kept {
  readonly sequence: number;
  readonly event: Event;
  readonly size: number;
  readonly kind: 'notification' | 'request' | 'answer';
}

/** What a stream is made from. */
export interface ResumableStreamOptions {
  readonly name: string;
  /** What its event ids begin with; undefined: it has none and cannot be resumed. */
  readonly prefix: (() => string) | undefined;
  /** What is said in place of an answer that was too big to be kept. */
  readonly lostAnswer?: () => Message;
  /** Bounds of what is kept, for tests. */
  readonly bounds?: { readonly events: number; readonly bytes: number };
}

/** Numbers and keeps events, and writes them to whatever connection there is. */
export class ResumableStream {
  readonly name: string;
  readonly #prefix: (() => string) | undefined;
  readonly #lostAnswer: (() => Message) | undefined;
  readonly #bounds: { readonly events: number; readonly bytes: number };
  readonly #kept: Kept[] = [];
  #bytes = 0;
  /** Number of the last event. */
  #sequence = 0;
  /** Number of the last event that went to a connection. */
  #written = 0;
  #over = false;
  #answered = false;
  #answerLost = false;
  #response: ServerResponse | undefined;

  constructor({ name, prefix, lostAnswer, bounds = { events: EVENTS, bytes: BYTES } }: ResumableStreamOptions) {
    this.name = name;
    this.#prefix = prefix;
    this.#lostAnswer = lostAnswer;
    this.#bounds = bounds;
  }

  /** Whether a client that lost the connection can come back to it. */
  get resumable(): boolean {
    return this.#prefix !== undefined;
  }
  /** Whether somebody reads it. */
  get attached(): boolean {
    return this.#response !== undefined;
  }
  /** Whether nothing comes after an event: the answer was said before it, or there will be none. */
  endsAt(sequence: number): boolean {
    return this.#over && (!this.#answered || sequence >= this.#sequence);
  }
  /** Bytes kept. */
  get bytes(): number {
    return this.#bytes;
  }
  /** Id of the last event, for whoever begins to read here. */
  get position(): string | undefined {
    return this.#id(this.#sequence, false);
  }

  /**
   * Writes to this connection from now on; one it had before is ended.
   * @param after number of the last event the client has; absent: what was never written to any connection
   * @param opening written first
   */
  attach(response: ServerResponse, after?: number, opening?: string): void {
    this.#response?.end();
    this.#response = response;
    response.once('close', () => {
      if (this.#response === response) this.#response = undefined;
    });
    openStream(response);
    if (opening !== undefined) writeEvent(response, opening);
    const from = after ?? this.#written;
    this.#written = this.#sequence;
    for (const { sequence, event } of this.#kept) if (sequence > from) writeEvent(response, event);
    if (this.#answerLost && this.#lostAnswer !== undefined)
      writeEvent(response, eventOf(this.#lostAnswer(), this.#id(this.#sequence, true)));
    if (this.#over) response.end();
  }

  /**
   * Tells the client where it is and when to come back, before anything is said: an id and empty data (2025-11-25, "Sending Messages to
   * the Server"; SEP-1699). Not for older revisions: their clients take empty data for a broken message.
   */
  prime(): void {
    const id = this.position;
    if (id !== undefined && this.#response !== undefined) writeEvent(this.#response, `id: ${id}\nretry: ${RETRY_MS}\ndata: \n\n`);
  }

  /**
   * Says something; after an `answer` nothing follows.
   * @returns bytes of the message; 0 when it is over
   */
  send(message: Message, kind: Kept['kind']): number {
    if (this.#over) return 0;
    this.#sequence += 1;
    const last = kind === 'answer';
    const event = eventOf(message, this.#id(this.#sequence, last));
    this.#keep({ sequence: this.#sequence, event, size: eventSize(event), kind });
    if (last) this.#over = this.#answered = true;
    const bytes = messageSize(event);
    if (this.#response === undefined) return bytes;
    this.#written = this.#sequence;
    writeEvent(this.#response, event, last);
    return bytes;
  }

  /** Ends it without an answer. */
  end(): void {
    this.#over = true;
    this.#response?.end();
  }

  #keep(event: Kept): void {
    // A standing stream keeps what nobody read even where it cannot be resumed by id.
    this.#kept.push(event);
    this.#bytes += event.size;
    while (this.#kept.length > this.#bounds.events || this.#bytes > this.#bounds.bytes) {
      const notification = this.#kept.findIndex(({ kind }) => kind === 'notification');
      const [gone] = this.#kept.splice(Math.max(notification, 0), 1);
      if (gone === undefined) return;
      this.#bytes -= gone.size;
      if (gone.kind === 'answer') this.#answerLost = true;
    }
  }

  #id(sequence: number, last: boolean): string | undefined {
    return this.#prefix === undefined ? undefined : `${this.#prefix()}${sequence}${last ? 'e' : ''}`;
  }
}
