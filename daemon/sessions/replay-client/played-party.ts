/** One recorded connection played over a live one: each recorded frame in its turn, sent or waited for. */
import { SignalboxError } from '../../api/errors.ts';
import type { FrameLine, ReplayDifference } from '../../api/recordings.ts';
import type { Edge } from '../../api/sessions.ts';
import { MODERN_VERSION } from '../../protocol/eras.ts';
import {
  isRequest,
  type JsonObject,
  type Message,
  metaOf,
  type Notification,
  type Request,
  type Response,
} from '../../protocol/message.ts';
import { differences } from '../compare/difference.ts';
import { targetOf } from '../compare/findings.ts';
import { OpenRequests } from '../compare/open-requests.ts';
import { bodyOf, renamedQuestions, roundKey, sameQuestions } from '../compare/questions.ts';
import { hasPlaceholder } from '../redaction/placeholder.ts';
import { finalTask, hasEnded } from './final-task.ts';
import type { Answered, LiveParty, Sent } from './live-party.ts';
import { compareLoose } from './loose-notifications.ts';
import type { PlayContext } from './play-context.ts';
import { PlayedQuestions } from './played-questions.ts';
import { verdictOn } from './safety.ts';
import type { PartySurvey } from './survey.ts';

/** A recorded request. */
interface Exchange {
  readonly line: FrameLine;
  readonly request: Request;
  readonly target: string | undefined;
  /** Absent when it was not sent. */
  readonly sent: Sent | undefined;
  /** Notifications of it, with their numbers. */
  readonly notifications: { readonly n: number; readonly message: Notification }[];
  cancelled: boolean;
}

/** Milliseconds a notification that belongs to no request is waited for before the request that came after it. */
const LOOSE_MS = 2000;
/** Milliseconds after which a request is taken back, if it was recorded so, at most. */
const CANCEL_MS = 1000;
const HANDSHAKES: ReadonlySet<string> = new Set(['initialize', 'server/discover']);

/** A connection being played. */
export class PlayedParty {
  readonly live: LiveParty;
  readonly #context: PlayContext;
  readonly #edge: Edge;
  readonly #open = new OpenRequests<Exchange>();
  readonly #questions: PlayedQuestions;
  /** Recorded notifications that belong to no request. */
  readonly #loose: { readonly n: number; readonly message: Notification }[] = [];
  readonly #recorded = new Map<string, number>();
  /** Methods of notifications that did not come again: not waited for any more. */
  readonly #silent = new Set<string>();
  /** Requests whose questions were others this time. */
  readonly #blocked = new Set<string>();
  #finished = false;
  #closing: Promise<void> | undefined;

  constructor(context: PlayContext, recorded: PartySurvey, live: LiveParty) {
    this.#context = context;
    this.live = live;
    this.#edge = recorded.edge;
    this.#questions = new PlayedQuestions(context, recorded, live);
  }

  /** The client said something: it is sent. */
  async said(line: FrameLine, message: Message): Promise<void> {
    if (isRequest(message)) await this.#request(line, message);
    else if ('method' in message) await this.#notification(line, message);
    else this.#questions.answer(message);
  }

  /** The server said something: it is waited for, and compared. */
  async heard(line: FrameLine, message: Message): Promise<void> {
    if (isRequest(message) && message.method === 'ping') return; // answered when it comes
    if (isRequest(message)) await this.#questions.ask(line, message);
    else if ('method' in message) this.#heardNotification(line, message);
    else await this.#answer(line, message);
  }

  /** The recorded connection says nothing more. */
  async finish(): Promise<void> {
    if (this.#finished) return;
    this.#finished = true;
    await compareLoose(this.#context, this.#loose, this.live);
    this.#questions.finish();
    for (const { sent } of this.#open.values()) if (sent !== undefined && sent.fate === undefined) this.live.giveUp(sent);
    this.#open.clear();
  }

  async close(): Promise<void> {
    this.#closing ??= this.live.close();
    await this.#closing;
  }

  async #request(line: FrameLine, request: Request): Promise<void> {
    const { substitution, survey, allowWrites, rules, timeoutMs } = this.#context;
    this.#context.step();
    await this.#looseFirst();
    const target = targetOf(request.params);
    const params = substitution.toLive(request.params);
    const permissions = {
      allowWrites,
      allow: rules.allow ?? [],
      recorded: (tool: string) => survey.readOnly.get(tool),
      live: (tool: string) => this.live.readsOnly(tool, params, timeoutMs),
    };
    const verdict = this.#obstacle(request, params) ?? (await verdictOn(request.method, request.params, permissions));
    if (!verdict.send) this.#context.findings.add({ ...about(line, request, target), kind: verdict.kind, changes: [], why: verdict.why });
    const sent = verdict.send ? this.live.request({ ...request, ...given(params) }) : undefined;
    this.#open.add(request.id, line.call, { line, request, target, sent, notifications: [], cancelled: false });
  }

  /** Why a request cannot be sent as it was: what it needs is not there. */
  #obstacle(request: Request, params: JsonObject | undefined): { send: false; kind: 'skipped'; why: string } | undefined {
    const skipped = (why: string): { send: false; kind: 'skipped'; why: string } => ({ send: false, kind: 'skipped', why });
    const { _meta, ...own } = request.params ?? {};
    if (this.#context.substitution.needsLost(own))
      return skipped('It goes on with a request that was not sent, or was answered otherwise.');
    const round = own['inputResponses'] !== undefined || own['requestState'] !== undefined;
    if (round && this.#blocked.has(roundKey(request))) return skipped('It answers questions the server did not ask this time.');
    const { _meta: _meta2, ...sending } = params ?? {};
    return hasPlaceholder(JSON.stringify(sending))
      ? skipped('Redaction took out what it sends: `values` of the rules can give it back.')
      : undefined;
  }

  async #notification(line: FrameLine, message: Notification): Promise<void> {
    const params = this.#context.substitution.toLive(message.params);
    if (message.method !== 'notifications/cancelled') {
      this.live.tell({ ...message, ...given(params) });
      return;
    }
    const exchange = this.#open.get(message.params?.['requestId'], line.call);
    if (exchange !== undefined) await this.#takeBack(exchange, line.t, params);
  }

  /** The client closed the stream of a request, which takes it back in the modern era. */
  async gaveUp(call: number, t: number): Promise<void> {
    const exchange = this.#open.values().find(({ line }) => line.call === call);
    if (exchange !== undefined) await this.#takeBack(exchange, t, undefined);
  }

  /** As late as it was, and after as much progress. */
  async #takeBack(exchange: Exchange, t: number, params: JsonObject | undefined): Promise<void> {
    exchange.cancelled = true;
    const { sent } = exchange;
    if (sent === undefined || sent.fate !== undefined) return;
    const due = sent.at + Math.min(t - exchange.line.t, CANCEL_MS);
    await this.live.until(() => sent.fate !== undefined || sent.notifications.length >= exchange.notifications.length, LOOSE_MS);
    await this.live.until(() => sent.fate !== undefined || performance.now() >= due, CANCEL_MS);
    if (sent.fate !== undefined) return;
    const modern = metaOf(exchange.request.params)?.['io.modelcontextprotocol/protocolVersion'] === MODERN_VERSION;
    // Over HTTP the modern era takes a request back by closing its stream (2026-07-28, "Cancellation").
    if (modern && this.live.streams) this.live.giveUp(sent);
    else this.live.tell({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { ...params, requestId: sent.id } });
  }

  #heardNotification(line: FrameLine, message: Notification): void {
    this.#recorded.set(message.method, (this.#recorded.get(message.method) ?? 0) + 1);
    const exchange = this.#exchangeOf(line, message);
    if (exchange === undefined || exchange.request.method === 'subscriptions/listen') this.#loose.push({ n: line.n, message });
    else exchange.notifications.push({ n: line.n, message });
  }

  /** The request a recorded notification belongs to: by its token, or by what the recording knows, where the live side will know it too. */
  #exchangeOf(line: FrameLine, { method, params }: Notification): Exchange | undefined {
    if (method === 'notifications/progress') {
      const token = params?.['progressToken'];
      return this.#open.values().find(({ request }) => metaOf(request.params)?.['progressToken'] === token);
    }
    if (!this.live.streams) return undefined;
    if (line.stream !== undefined) return this.#open.get(line.stream, line.call);
    const called = this.#edge === 'client' && line.call !== undefined;
    return called ? this.#open.values().find((exchange) => exchange.line.call === line.call) : undefined;
  }

  /** Notifications of a request that are compared: what came on its stream only where the recording knows streams or calls. */
  #noted({ line, notifications, sent }: Exchange): { readonly told: readonly Notification[]; readonly tells: readonly Notification[] } {
    if (this.#context.rules.notifications === 'none') return { told: [], tells: [] };
    const traced = line.stream !== undefined || (this.#edge === 'client' && line.call !== undefined);
    const tells = (sent?.notifications ?? []).filter(({ method }) => traced || method === 'notifications/progress');
    return { told: notifications.map(({ message }) => message), tells };
  }

  /** A client that asks after it was told of a change must not ask before the live server has told it. */
  async #looseFirst(): Promise<void> {
    for (const [method, count] of this.#recorded) {
      if (this.#silent.has(method) || method === 'notifications/progress' || method === 'notifications/message') continue;
      if (!(await this.live.until(() => (this.live.heard.get(method) ?? 0) >= count || this.live.closed !== undefined, LOOSE_MS)))
        this.#silent.add(method);
    }
  }

  async #answer(line: FrameLine, recorded: Response): Promise<void> {
    const { findings, substitution, timeoutMs } = this.#context;
    const exchange = this.#open.take(recorded.id, line.call);
    if (exchange === undefined) return;
    const { sent, request, target } = exchange;
    if (sent === undefined) return substitution.lose(bodyOf(recorded));
    // Whether an answer was faster than the word that nobody wants it is chance.
    if (exchange.cancelled || request.method === 'subscriptions/listen') return;
    const recordedMs = line.t - exchange.line.t;
    const limit = Math.max(timeoutMs, recordedMs * 3);
    const first = await this.#questions.settled(sent, limit);
    const again = (): Sent => this.live.request({ ...request, ...given(substitution.toLive(request.params)) });
    const polled = request.method === 'tasks/get' && hasEnded(recorded);
    const fate = polled ? await finalTask(first, () => this.#questions.settled(again(), limit), limit) : first;
    if (fate !== undefined && 'message' in fate) return this.#compare(line, exchange, recorded, fate, recordedMs);
    if (fate !== undefined && !this.live.answered && HANDSHAKES.has(request.method)) throw unreached(fate.failure);
    substitution.lose(bodyOf(recorded));
    const why = fate === undefined ? `No answer came within ${limit} ms.` : `${fate.failure.message} ${fate.failure.why}`;
    findings.add({ ...about(exchange.line, request, target), kind: 'missing', changes: [], before: bodyOf(recorded), why });
  }

  #compare(line: FrameLine, exchange: Exchange, recorded: Response, { message, ms }: Answered, recordedMs: number): void {
    const { findings, substitution, rulesFor } = this.#context;
    const { request, target, sent } = exchange;
    // How far a task was at that moment is chance.
    if (request.method === 'tasks/get' && 'result' in recorded && !hasEnded(recorded) && 'result' in message) {
      findings.pass(request.method, target, [{ pointer: '/result/status', why: 'how far a task was' }]);
      return findings.same(request.method, target);
    }
    const which = rulesFor(request.method, target);
    const [before, live] = [bodyOf(recorded), bodyOf(message)];
    const renames = renamedQuestions(before, live, which);
    const after = renames.body;
    for (const [old, now] of renames.pairs) substitution.pair(old, now);
    substitution.learn(before, after);
    if (!sameQuestions(before, after, which)) {
      this.#blocked.add(roundKey(request));
      substitution.lose(before);
    }
    const { told, tells } = this.#noted(exchange);
    const noted = told.length + tells.length > 0;
    const found = differences(
      noted ? { ...before, notifications: told } : before,
      noted ? { ...after, notifications: tells } : after,
      which,
    );
    findings.pass(request.method, target, found.ignored);
    if (found.changes.length === 0) findings.same(request.method, target);
    else {
      findings.add({ ...about(exchange.line, request, target), kind: 'changed', changes: found.changes, before, after: live });
      this.#accept(line, exchange, recorded, message);
    }
    const { factor, floorMs } = which.slower;
    // With a question in between it is a person's time, or ours.
    const timed = !HANDSHAKES.has(request.method) && sent !== undefined && this.live.lastQuestion < sent.at;
    if (timed && ms > recordedMs * factor && ms - recordedMs >= floorMs)
      findings.add({
        ...about(exchange.line, request, target),
        kind: 'slower',
        changes: [],
        ms: { before: Math.round(recordedMs), after: Math.round(ms) },
      });
  }

  #accept(line: FrameLine, exchange: Exchange, recorded: Response, message: Response): void {
    const { accepted, substitution } = this.#context;
    if (accepted === undefined) return;
    accepted.answers.set(line.n, { jsonrpc: '2.0', id: recorded.id, ...substitution.toRecorded(bodyOf(message)) });
    const { told, tells } = this.#noted(exchange);
    if (JSON.stringify(told) === JSON.stringify(tells)) return;
    for (const { n } of exchange.notifications) accepted.dropped.add(n);
    accepted.inserted.set(line.n, substitution.toRecorded(tells));
  }
}

/** The members every difference about a request has. */
function about(line: FrameLine, { method }: Request, target: string | undefined): Pick<ReplayDifference, 'request' | 'method' | 'target'> {
  return { request: line.n, method, ...(target === undefined ? {} : { target }) };
}

function given(params: JsonObject | undefined): { readonly params?: JsonObject } {
  return params === undefined ? {} : { params };
}

function unreached(failure: SignalboxError): SignalboxError {
  return new SignalboxError(failure.code, failure.message, { why: failure.why, fix: failure.fix, cause: failure });
}
