/** Modern requests under way: each stands alone, there is no session to keep them in. */
import { type Request, response } from '../protocol/message.ts';
import type { Router } from '../router/router.ts';
import type { Exchange } from './exchange.ts';

/** A modern request under way. */
export class ModernCall extends AbortController {
  readonly request: Request;
  readonly exchange: Exchange;
  over = false;
  /** Its place among those under way. */
  place = -1;

  constructor(request: Request, exchange: Exchange) {
    super();
    this.request = request;
    this.exchange = exchange;
  }

  /** The connection is gone; before the answer that is a cancel (2026-07-28, "Cancellation"). */
  closed(): void {
    if (this.over || this.signal.aborted) return;
    this.exchange.gone();
    this.abort(new Error('cancelled by the client'));
  }

  /** The daemon is leaving. */
  interrupt(router: Router): void {
    this.exchange.send(response(this.request.id, router.interrupted(this.request)));
    this.abort(new Error('the daemon is leaving'));
  }
}

/**
 * The modern requests of an endpoint that are under way. An array, not a `Set`: V8 chains the tables a set has outgrown, and once one of
 * them is old the whole chain, with every call that ever was in it, waits for a major collection (a fifth of all CPU, measured).
 */
export class ModernCalls {
  readonly #calls: ModernCall[] = [];

  /** How many there are. */
  get size(): number {
    return this.#calls.length;
  }

  /** Every one, as they are now. */
  all(): readonly ModernCall[] {
    return [...this.#calls];
  }

  /** One more. */
  add(call: ModernCall): void {
    call.place = this.#calls.push(call) - 1;
  }

  /** One less; the last one takes its place. */
  remove(call: ModernCall): void {
    const last = this.#calls.pop();
    if (last === undefined || last === call) return;
    last.place = call.place;
    this.#calls[call.place] = last;
  }
}
