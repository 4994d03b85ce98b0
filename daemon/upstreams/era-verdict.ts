/** Which leg serves a client of an era: the server's own leg of that era if it speaks it, else the other one. Found out once and kept. */
import { SignalboxError } from '../api/errors.ts';
import type { Era } from '../protocol/eras.ts';
import { EraRefused } from './handshake.ts';
import type { Leg } from './leg.ts';
import type { ServerFacts } from './server-facts.ts';

/** What the failure of a trial may mean: this era is not spoken. Anything else (no such command, nobody at the address) is no answer. */
const ANSWERS = new Set([
  'SBX_SERVER_EXITED',
  'SBX_SERVER_TIMEOUT',
  'SBX_SERVER_HTTP',
  'SBX_SERVER_PROTOCOL',
  'SBX_SERVER_NOT_JSON',
  'SBX_MESSAGE_INVALID',
]);

/** The verdict on one server. */
export class EraVerdict {
  readonly #facts: ServerFacts;
  readonly #legs: Readonly<Record<Era, Leg>>;
  readonly #only: Era | undefined;
  readonly #settling = new Map<Era, Promise<Leg>>();

  /** @param only the one era there can be, by the configured transport */
  constructor(facts: ServerFacts, legs: Readonly<Record<Era, Leg>>, only?: Era) {
    this.#facts = facts;
    this.#legs = legs;
    this.#only = only;
  }

  /** The era a client of `era` is served in, as far as known now. */
  now(era: Era): Era {
    if (this.#only !== undefined) return this.#only;
    if (this.#legs[era].connection !== undefined) return era;
    const verdict = this.#facts.verdict(era);
    if (verdict === undefined || verdict.speaks) return era;
    const other = otherThan(era);
    // Only looked at again behind the back of those who call meanwhile.
    if (verdict.stale && this.#legs[other].connection !== undefined) this.#settle(era).catch(() => undefined);
    return other;
  }

  /** Whether the server is known to speak it. */
  certain(era: Era): boolean {
    return this.#facts.verdict(era)?.speaks === true;
  }

  /**
   * The leg for clients of `era`, live; finds out which it is.
   * @throws why the server does not start
   */
  async settled(era: Era): Promise<Leg> {
    const leg = this.#legs[this.now(era)];
    if (leg.connection !== undefined) return leg;
    return this.#settle(era);
  }

  #settle(era: Era): Promise<Leg> {
    const under = this.#settling.get(era);
    if (under !== undefined) return under;
    const settling = this.#find(era).finally(() => this.#settling.delete(era));
    this.#settling.set(era, settling);
    return settling;
  }

  async #find(era: Era): Promise<Leg> {
    const other = otherThan(era);
    const verdict = this.#facts.verdict(era);
    if (this.#only !== undefined) return this.#sole(this.#only);
    if (verdict?.speaks === false && !verdict.stale) return this.#sole(other);
    // A legacy server on standard streams may not survive a question from the future, so that is asked of a child of its own;
    // `initialize` every server must see first.
    const trial = era === 'modern' && verdict?.speaks !== true;
    try {
      await this.#legs[era].ready(trial);
      this.#facts.learn(era, true);
      return this.#legs[era];
    } catch (error) {
      const answered = error instanceof EraRefused || (trial && error instanceof SignalboxError && ANSWERS.has(error.code));
      if (!answered) {
        // No such command, nobody at the address: no answer to the question of the era, but a server that is down.
        if (trial) this.#legs[era].fail(error);
        throw error;
      }
      const leg = await this.#instead(other, error, this.#legs[era]);
      this.#facts.learn(era, false, error instanceof SignalboxError && error.code === 'SBX_SERVER_TIMEOUT');
      this.#facts.learn(other, true);
      return leg;
    }
  }

  /** The other era, after `refusal` of the one asked for. */
  async #instead(other: Era, refusal: unknown, refused: Leg): Promise<Leg> {
    try {
      await this.#legs[other].ready();
      return this.#legs[other];
    } catch (error) {
      // It speaks neither: the more telling of the two reasons, and no new attempt before the back-off is over.
      const reason = error instanceof EraRefused && this.#legs[other].era === 'modern' ? refusal : error;
      if (error instanceof EraRefused) this.#facts.forgetEras();
      refused.fail(reason);
      throw reason;
    }
  }

  async #sole(era: Era): Promise<Leg> {
    try {
      await this.#legs[era].ready();
    } catch (error) {
      if (error instanceof EraRefused) this.#facts.forgetEras(); // it is another server now; the next call finds out
      throw error;
    }
    return this.#legs[era];
  }
}

function otherThan(era: Era): Era {
  return era === 'legacy' ? 'modern' : 'legacy';
}
