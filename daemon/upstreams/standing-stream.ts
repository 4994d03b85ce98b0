/** The GET stream on which a legacy server says what belongs to no request (2025-11-25, "Listening for Messages from the Server"). */
import { SignalboxError } from '../api/errors.ts';
import { readFrame } from '../protocol/frame.ts';
import { idAtEdge } from '../protocol/message.ts';
import type { StreamEvent } from './event-stream.ts';
import type { Answer, Exchange, ExchangeListener } from './http-exchange.ts';
import type { PostOwner } from './http-post.ts';
import { tooLarge } from './link-errors.ts';
import { Resumption } from './resumption.ts';

/** The stream over all its connections, until it is closed or the server does not offer it. */
export class StandingStream implements ExchangeListener {
  readonly #owner: PostOwner;
  readonly #resumption = new Resumption();
  #exchange: Exchange | undefined;
  #worked = false;
  #closed = false;

  constructor(owner: PostOwner) {
    this.#owner = owner;
  }

  /** Opens it, from after the last event heard. */
  open(): void {
    if (!this.#closed) this.#exchange = this.#owner.stream(this, this.#resumption.lastEventId);
  }

  /** Ends it. */
  close(): void {
    this.#closed = true;
    this.#resumption.stop();
    this.#exchange?.abort();
  }

  began(status: number): void {
    if (status !== 200) return;
    this.#worked = true;
    this.#resumption.began();
  }

  event(event: StreamEvent): void {
    this.#resumption.heard(event);
    if (event.data.length === 0 || (event.type ?? 'message') !== 'message') return;
    try {
      this.#owner.listener.message(readFrame(event.data), undefined, event.data.length);
    } catch (error) {
      if (!(error instanceof SignalboxError)) throw error;
      this.#owner.listener.fault(error);
    }
  }

  oversize(bytes: number, head: string, tail: string): void {
    const { server, messageBytes } = this.#owner.options;
    this.#owner.listener.fault(tooLarge(server, bytes, messageBytes), idAtEdge(head, tail));
  }

  ended({ status }: Answer): void {
    // 405: the server offers no such stream. A 404 says so too, unless there was one: then the session is gone.
    if (status === 404 && this.#worked) this.#owner.lost(`The server ended session ${this.#owner.session}.`);
    else if (status === 200 || (this.#worked && status >= 500)) this.#resumption.again(() => this.open());
  }

  broken(): void {
    // A dead server shows at the next request.
    this.#resumption.again(() => this.open());
  }
}
