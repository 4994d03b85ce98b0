/** Carries one request to one server and its outcome back: across the eras, with progress, log, and what the server asks on the way. */
import type { Sealer } from '../api/seal.ts';
import { inputRequired, MAY_ASK, requestDigest, withoutRound } from '../protocol/asking.ts';
import { RPC } from '../protocol/codes.ts';
import { bridgeOutcome, META, withoutEnvelope } from '../protocol/eras.ts';
import { hopsOf, withoutHops } from '../protocol/hops.ts';
import { isObject, type JsonObject, metaOf, type Notification, type Outcome } from '../protocol/message.ts';
import { withMembers } from '../protocol/outcome.ts';
import type { CallEnd } from '../upstreams/circuit-breaker.ts';
import type { Connection } from '../upstreams/connection.ts';
import type { Identity } from '../upstreams/handshake.ts';
import type { CallScope } from '../upstreams/lease.ts';
import { endOf } from '../upstreams/outage.ts';
import type { Question, RequestOptions } from '../upstreams/request.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { answerRounds, passQuestion } from './answering.ts';
import { taskResult } from './awaited-task.ts';
import type { ClientCall } from './call.ts';
import { LogLevels, reaches } from './log-levels.ts';
import { invalidState, Parking, type ParkState, type Rounds } from './parking.ts';
import { refusedByUrl, urlRequests } from './url-elicitation.ts';

/** A server's own `requestState` on its way through a modern client, bound to who got it. */
interface RelayState {
  readonly kind: 'relay';
  readonly server: string;
  readonly principal: string;
  readonly digest: string;
  readonly expires: number;
  readonly inner: string;
}
/** A call that a legacy server refused until a page was visited: nothing has run, so it is simply sent again. */
interface AgainState extends Omit<RelayState, 'kind' | 'inner'> {
  readonly kind: 'again';
}
/** Milliseconds a relayed state is good for; the server's own may end sooner. */
const RELAY_LIFE_MS = 60 * 60_000;

/** One request on its way to one server. */
export interface Carriage {
  readonly upstream: Upstream;
  readonly call: ClientCall;
  /** Params as the server knows them: names and URIs are its own. */
  readonly params: JsonObject | undefined;
  /** The tool may be issued again after an interruption. */
  readonly replaySafe: boolean;
  /** The tool runs only as a task, which this client cannot have: it is begun as one and its result waited for. */
  readonly asTask?: boolean;
  /** The server whose own `requestState` is in {@link params}. */
  readonly stateOf?: string;
  /** Called when there is a connection and the request goes out: from then on it may have run. */
  readonly onSent?: () => void;
}

/** Carries requests. Safe for concurrent calls. */
export class Carrier {
  readonly #identity: Identity;
  readonly #sealer: Sealer;
  readonly #parking: Parking;
  readonly #levels = new LogLevels();

  constructor({ identity, sealer, awayMs }: { identity: Identity; sealer: Sealer; awayMs?: number | undefined }) {
    this.#identity = identity;
    this.#sealer = sealer;
    this.#parking = new Parking({ sealer, ...(awayMs === undefined ? {} : { awayMs }) });
  }

  /** Calls that wait for their client now. */
  get parked(): number {
    return this.#parking.size;
  }

  /** Has a shared legacy server log from `level` on, if it does not already. */
  logFrom(connection: Connection, level: string): Promise<void> {
    return this.#levels.lower(connection, level);
  }

  /** Gives parked calls up. */
  close(): void {
    this.#parking.close();
  }

  /**
   * @returns the outcome in the client's era
   * @throws SBX_SERVER_*, SBX_CIRCUIT_OPEN, SBX_BUSY, SBX_STATE_INVALID, SBX_CALL_*
   */
  carry(carriage: Carriage): Promise<Outcome> {
    const { call } = carriage;
    return call.era === 'modern' ? this.#modern(carriage) : this.#legacy(carriage);
  }

  #legacy(carriage: Carriage): Promise<Outcome> {
    const { upstream, call, params } = carriage;
    const { caller, request, signal } = call;
    const level = caller.session?.level;
    return answerRounds({
      server: upstream.server.name,
      whileAsking: (answer) => upstream.whileAsking(answer),
      session: caller.session,
      related: request.id,
      signal,
      params,
      send: (round) =>
        this.#leased(carriage, signal, async (connection) => {
          if (connection.era === 'legacy') {
            // The server may not have run yet when the level was set.
            if (level !== undefined) await this.#levels.lower(connection, level);
            return this.#request(connection, call, round, {
              signal,
              onQuestion: counted(upstream, passQuestion(caller.session, request.id)),
            });
          }
          const capabilities = capabilitiesOf(caller.session?.capabilities);
          return this.#request(connection, call, round, { signal, capabilities, ...(level === undefined ? {} : { logLevel: level }) });
        }),
    });
  }

  async #modern(carriage: Carriage): Promise<Outcome> {
    const { call } = carriage;
    if (!MAY_ASK.has(call.request.method)) return this.#plain(carriage);
    const given = call.request.params?.['requestState'];
    if (given === undefined) return this.#first(carriage);
    const state = typeof given === 'string' ? this.#sealer.open<ParkState | RelayState | AgainState>(given) : undefined;
    if (state === undefined) throw invalidState('It was not given out by this Signalbox, was changed, or is too old.');
    const digest = requestDigest(call.request);
    if (state.kind === 'park')
      return this.#parking.resume(call, state, digest, carriage.replaySafe ? (rounds) => this.#run(carriage, rounds) : undefined);
    if (state.principal !== call.caller.principal || state.digest !== digest)
      throw invalidState('It belongs to another request or another client.');
    if (state.expires < Date.now()) throw invalidState('It is too old.');
    if (state.kind === 'again') return this.#first({ ...carriage, params: withoutRound(carriage.params) });
    return this.#first({ ...carriage, params: { ...carriage.params, requestState: state.inner }, stateOf: state.server });
  }

  #first(carriage: Carriage): Promise<Outcome> {
    const { call } = carriage;
    return this.#parking.begin(call, { digest: () => requestDigest(call.request), replaySafe: carriage.replaySafe }, (rounds) =>
      this.#run(carriage, rounds),
    );
  }

  /** One run of a modern client's call; what a legacy server asks parks it, what a modern one asks goes to the client with our seal. */
  async #run(carriage: Carriage, rounds: Rounds): Promise<Outcome> {
    const { upstream, call, params, stateOf } = carriage;
    const outcome = await this.#leased(carriage, rounds.signal, (connection) => {
      rounds.on(connection);
      // Another server has the name now, or answers in its place: one server's state is not another's to read.
      if (stateOf !== undefined && stateOf !== upstream.server.name) throw invalidState(`It was given out by server "${stateOf}".`);
      return connection.era === 'modern'
        ? this.#request(connection, call, params, { signal: rounds.signal, ...modernOptions(call) }, rounds)
        : this.#request(
            connection,
            call,
            carriage.asTask === true ? { ...withoutRound(params), task: {} } : withoutRound(params),
            { signal: rounds.signal, onQuestion: counted(upstream, rounds.onQuestion), ...logOf(call) },
            rounds,
          ).then((begun) => (carriage.asTask === true ? taskResult(connection, begun, rounds) : begun));
    });
    const server = upstream.server.name;
    if (refusedByUrl(outcome)) {
      const requests = urlRequests(outcome, modernOptions(call).capabilities);
      return {
        result: { resultType: 'input_required', inputRequests: requests, requestState: this.#bound(call, { kind: 'again', server }) },
      };
    }
    const asked = inputRequired(outcome);
    if (asked?.state === undefined) return outcome;
    return withMembers(outcome, { requestState: this.#bound(call, { kind: 'relay', server, inner: asked.state }) });
  }

  #bound(call: ClientCall, more: object): string {
    return this.#sealer.seal({
      ...more,
      principal: call.caller.principal,
      digest: requestDigest(call.request),
      expires: Date.now() + RELAY_LIFE_MS,
    });
  }

  async #plain(carriage: Carriage): Promise<Outcome> {
    const { call, params } = carriage;
    const outcome = await this.#leased(carriage, call.signal, (connection) =>
      this.#request(connection, call, params, {
        signal: call.signal,
        ...(connection.era === 'modern' ? modernOptions(call) : logOf(call)),
      }),
    );
    // The modern era has no such code, and these methods cannot ask.
    return refusedByUrl(outcome) && 'error' in outcome ? { error: { ...outcome.error, code: RPC.internal } } : outcome;
  }

  async #leased(
    { upstream, call, onSent }: Carriage,
    signal: AbortSignal,
    use: (connection: Connection) => Promise<Outcome>,
  ): Promise<Outcome> {
    const turn = await call.admit?.(signal);
    try {
      const lease = await upstream.lease({ ...scopeOf(call, signal), onCrowded: (held) => this.#parking.makeRoom(held) });
      onSent?.();
      let went: CallEnd = 'ok';
      try {
        return await use(lease.connection);
      } catch (error) {
        went = endOf(error, signal.aborted);
        throw error;
      } finally {
        lease.release(went);
      }
    } finally {
      turn?.();
    }
  }

  async #request(
    connection: Connection,
    call: ClientCall,
    params: JsonObject | undefined,
    options: RequestOptions,
    rounds?: Rounds,
  ): Promise<Outcome> {
    const { era, request, caller } = call;
    const current = (): ClientCall => rounds?.current() ?? call;
    const token = metaOf(request.params)?.['progressToken'];
    const hops = hopsOf(request.params);
    if (options.logLevel !== undefined && connection.era === 'legacy') await this.#levels.lower(connection, options.logLevel);
    const clean = withoutHops(era === 'modern' ? withoutEnvelope(params) : params);
    const outcome = await connection.request(request.method, clean, {
      ...options,
      asker: caller.session?.id ?? `${caller.principal} ${String(request.id)}`,
      origin: () => current().origin,
      ...(hops.length === 0 ? {} : { hops }),
      ...(token === undefined ? {} : { onProgress: (progress) => tellProgress(current(), progress) }),
      onNotification: (notification) => {
        if (wanted(current(), notification)) current().notify(notification);
      },
    });
    return bridgeOutcome(outcome, request.method, connection.era, era, { ...this.#identity });
  }
}

/** A modern client hears the log only of a request that asked for it, a legacy one from its session's level on. */
function wanted({ era, request, caller }: ClientCall, { method, params }: Notification): boolean {
  if (method !== 'notifications/message') return true;
  const level = era === 'modern' ? metaOf(request.params)?.[META.logLevel] : (caller.session?.level ?? 'debug');
  return typeof level === 'string' && reaches(params, level);
}

/** Progress goes to the request of the present round, under the token that one gave. */
function tellProgress(call: ClientCall, progress: JsonObject): void {
  const progressToken = metaOf(call.request.params)?.['progressToken'];
  if (progressToken !== undefined)
    call.notify({ jsonrpc: '2.0', method: 'notifications/progress', params: { ...progress, progressToken } });
}

function scopeOf({ era, caller, request }: ClientCall, signal: AbortSignal): CallScope {
  const { principal, session } = caller;
  return {
    era,
    principal,
    mayAsk: MAY_ASK.has(request.method),
    signal,
    ...(session === undefined ? {} : { session }),
  };
}

function modernOptions(call: ClientCall): { capabilities: JsonObject; logLevel?: string } {
  const meta = metaOf(call.request.params);
  const capabilities = meta?.[META.clientCapabilities];
  return { capabilities: isObject(capabilities) ? capabilities : {}, ...logOf(call) };
}

function logOf(call: ClientCall): { logLevel?: string } {
  const level = metaOf(call.request.params)?.[META.logLevel];
  return typeof level === 'string' ? { logLevel: level } : {};
}

/** What a legacy client can do, as a modern server may hear it: tasks are another thing there. */
function capabilitiesOf(declared: JsonObject | undefined): JsonObject {
  const { tasks: _tasks, ...capabilities } = declared ?? {};
  return capabilities;
}

/** Questions are counted at their server, so that people see why a call stands still. */
function counted(upstream: Upstream, pass: (question: Question) => Promise<Outcome>): (question: Question) => Promise<Outcome> {
  return (question) => upstream.whileAsking(pass(question));
}
