/**
 * Parked calls: a modern client before a legacy server that asks in the middle of a call. The upstream call stays open; the client gets
 * `input_required` with a sealed state, answers in a new request, and the call goes on (2026-07-28, "Multi round-trip requests").
 */
import { SignalboxError } from '../api/errors.ts';
import type { Sealer } from '../api/seal.ts';
import { InFlight } from '../protocol/in-flight.ts';
import { isObject, type Outcome } from '../protocol/message.ts';
import type { Connection } from '../upstreams/connection.ts';
import type { ClientCall } from './call.ts';
import { type Answered, Park, type Run } from './park.ts';

export type { Rounds, Run } from './park.ts';

/** What is sealed into `requestState` of a parked call. */
export interface ParkState {
  readonly kind: 'park';
  readonly id: string;
  readonly round: number;
  readonly principal: string;
  /** `requestDigest` of the call. */
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
  /** Key → digest of the questions of this round. */
  readonly questions: Readonly<Record<string, string>>;
  /** Answers of earlier rounds; only for calls that may be issued again. */
  readonly journal: readonly Answered[];
}
/** What a call is parked under. */
export interface Parked {
  readonly digest: () => string;
  readonly replaySafe: boolean;
}

/** What parking needs. */
export interface ParkingOptions {
  readonly sealer: Sealer;
  /** Milliseconds a client may stay away. */
  readonly lifeMs?: number;
  /** Milliseconds after which newer calls may take the connection of a call whose client is away. */
  readonly awayMs?: number;
}

/** Ten minutes, the policy of the design; a v1 server gives up on its own question after one, which is then delivered. */
const LIFE_MS = 10 * 60_000;
/** A person needs a while to answer; who takes longer loses the call only when another one waits for its connection. */
const AWAY_MS = 60_000;
/** Calls parked at once, by all clients and by one. */
const LIMIT = 1000;
const OWN_LIMIT = 100;

/** All parked calls. */
export class Parking {
  readonly #sealer: Sealer;
  readonly #lifeMs: number;
  readonly #awayMs: number;
  readonly #parks = new InFlight<string, Park>();

  constructor({ sealer, lifeMs = LIFE_MS, awayMs = AWAY_MS }: ParkingOptions) {
    this.#sealer = sealer;
    this.#lifeMs = lifeMs;
    this.#awayMs = awayMs;
  }

  /** Calls that wait for their client now. */
  get size(): number {
    return this.#parks.size;
  }

  /**
   * Issues a call that may be parked.
   * @param of digest: of the request, computed only when it is needed; replaySafe: the answers travel in the state, so that the call can
   * be issued again after a restart
   */
  begin(call: ClientCall, of: Parked, run: Run): Promise<Outcome> {
    return this.#park(call, of, [], 0).start(call, run);
  }

  /** Gives up the call that has waited longest for its client on one of these connections: newer ones need it. */
  makeRoom(connections: readonly Connection[]): void {
    const candidates = [...this.#parks.values()].sort((a, b) => a.awaySince - b.awaySince);
    for (const park of candidates) {
      if (Date.now() - park.awaySince < this.#awayMs || park.connection === undefined || !connections.includes(park.connection)) continue;
      this.#parks.delete(park.id);
      park.giveUp(new Error('newer calls of the client needed its connection'));
      return;
    }
  }

  /**
   * The next round of a parked call. The same state twice gives the same outcome.
   * @param run issues the call again where that is allowed and the parked one is gone
   * @throws SBX_STATE_INVALID, SBX_CALL_EXPIRED, SBX_CALL_INTERRUPTED
   */
  resume(call: ClientCall, state: ParkState, digest: string, run: Run | undefined): Promise<Outcome> {
    if (state.principal !== call.caller.principal || state.digest !== digest)
      throw invalidState('It belongs to another request or another client.');
    const responses = isObject(call.request.params?.['inputResponses']) ? call.request.params['inputResponses'] : {};
    const park = this.#parks.get(state.id);
    if (park !== undefined) return park.resume(call, state.round, responses);
    if (state.expires < Date.now()) throw expired(call.request.method);
    if (run === undefined) throw interrupted(call.request.method);
    const answers = Object.entries(state.questions).flatMap(([key, question]) => {
      const response = responses[key];
      return isObject(response) ? [{ digest: question, response }] : [];
    });
    return this.#park(call, { digest: () => digest, replaySafe: true }, [...state.journal, ...answers], state.round + 1).start(call, run);
  }

  /** Gives every parked call up. */
  close(): void {
    for (const park of this.#parks.values()) park.giveUp(new Error('the daemon is leaving'));
    this.#parks.clear();
  }

  #park(call: ClientCall, { digest, replaySafe }: Parked, journal: readonly Answered[], round: number): Park {
    const { principal } = call.caller;
    return new Park({
      principal,
      journal,
      round,
      lifeMs: this.#lifeMs,
      keep: (park) => {
        let own = 0;
        for (const other of this.#parks.values()) if (other.principal === principal) own += 1;
        if (this.#parks.size >= LIMIT || own >= OWN_LIMIT) return false;
        this.#parks.set(park.id, park);
        return true;
      },
      forget: (park) => this.#parks.delete(park.id),
      seal: (park, questions, answered) =>
        this.#sealer.seal({
          kind: 'park',
          id: park.id,
          round: park.round,
          principal,
          digest: digest(),
          expires: Date.now() + this.#lifeMs,
          questions,
          journal: replaySafe ? answered : [],
        } satisfies ParkState),
    });
  }
}

/** The error for sealed state that is not ours, was changed, or belongs to something else. */
export function invalidState(why: string): SignalboxError {
  return new SignalboxError('SBX_STATE_INVALID', 'The requestState is not valid.', {
    why,
    fix: 'Send the requestState of the last answer unchanged, with the same method and arguments and the same credential.',
  });
}

function expired(method: string): SignalboxError {
  return new SignalboxError('SBX_CALL_EXPIRED', `${method} waited too long for the answer to its question.`, {
    why: 'A call that asks waits ten minutes for its client, then it is cancelled at the server.',
    fix: 'Check what it did, then call it again.',
  });
}

function interrupted(method: string): SignalboxError {
  return new SignalboxError('SBX_CALL_INTERRUPTED', `${method} was interrupted while it waited for an answer.`, {
    why: 'The daemon or the server was restarted, or newer calls of this client needed its connection; the call may have run in part, and Signalbox never runs a call twice by itself.',
    fix: 'Check what it did, then call it again if that is safe. A tool that may be repeated can be named in replaySafe of its server.',
  });
}
