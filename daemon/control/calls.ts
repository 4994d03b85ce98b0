/** Tool calls of the control channel: the connection is the client, so it can be asked and told. */
import { randomUUID } from 'node:crypto';
import type { CallAnswer, CallEvent, CallMethods } from '../api/calls.ts';
import type { EndpointRef } from '../api/control.ts';
import { SignalboxError } from '../api/errors.ts';
import type { ControlHandlers, ControlPeer } from '../endpoints/control-server.ts';
import { RPC } from '../protocol/codes.ts';
import { isObject, type JsonObject, type Notification, type Outcome, response } from '../protocol/message.ts';
import type { AskOptions, CallerSession } from '../router/call.ts';
import type { EndpointView } from '../router/endpoint-view.ts';
import type { Router } from '../router/router.ts';
import type { ControlClient, SeenRequest } from './control-client.ts';
import { schemaProblems } from './schema-check.ts';

/** What calls need. */
export interface CallParts {
  readonly router: Router;
  readonly client: ControlClient;
  /** @throws SBX_ENDPOINT_UNKNOWN */
  readonly view: (ref: EndpointRef) => EndpointView;
  /** The result of an outcome. @throws the SignalboxError in it */
  readonly resultOf: (outcome: Outcome) => Record<string, unknown>;
}

/** Builds the handlers. */
export function callHandlers(parts: CallParts): Pick<ControlHandlers, keyof CallMethods> {
  const callers = new WeakMap<ControlPeer, ControlCaller>();
  const callerOf = (peer: ControlPeer): ControlCaller => {
    const known = callers.get(peer) ?? new ControlCaller(peer, parts);
    callers.set(peer, known);
    return known;
  };
  return {
    'call/run': async ({ call, name, arguments: args, ...ref }, peer) => {
      const outcome = await callerOf(peer).run(call, parts.view(ref), { name, arguments: args });
      return parts.resultOf(outcome);
    },
    'call/answer': async ({ call, question, answer }, peer) => {
      callerOf(peer).answer(call, question, answer as CallAnswer);
      return {};
    },
    'schema/check': async ({ schema, value }) => ({ problems: await schemaProblems(schema, value) }),
    'call/cancel': async ({ call, reason }, peer) => ({ cancelled: callerOf(peer).cancel(call, reason) }),
  };
}

interface Running extends AbortController {
  readonly questions: Map<string, (answer: CallAnswer) => void>;
  seen: SeenRequest | undefined;
}

/** One control connection as a client that can be asked: a legacy session of its own, as long as the connection lives. */
class ControlCaller {
  readonly #peer: ControlPeer;
  readonly #router: Router;
  readonly #client: ControlClient;
  readonly #id = `control-${randomUUID()}`;
  readonly #running = new Map<string, Running>();
  readonly #views = new Set<EndpointView>();

  constructor(peer: ControlPeer, { router, client }: CallParts) {
    this.#peer = peer;
    this.#router = router;
    this.#client = client;
    peer.gone.addEventListener('abort', () => this.#end(), { once: true });
  }

  async run(call: string, view: EndpointView, params: JsonObject): Promise<Outcome> {
    if (this.#running.has(call))
      throw new SignalboxError('SBX_USAGE', `There is a call \`${call}\` already.`, {
        why: 'The name of a call is unique on its connection while it runs.',
        fix: 'Choose another name.',
      });
    const request = { jsonrpc: '2.0', id: call, method: 'tools/call', params: { ...params, _meta: { progressToken: call } } } as const;
    const seen = this.#client.see(view, request);
    const running: Running = Object.assign(new AbortController(), { questions: new Map<string, (answer: CallAnswer) => void>(), seen });
    this.#running.set(call, running);
    this.#views.add(view);
    const tell = (
      event: Omit<Extract<CallEvent, { kind: 'log' }>, 'call'> | Omit<Extract<CallEvent, { kind: 'progress' }>, 'call'>,
    ): void => this.#peer.notify('call', { call, ...event } as CallEvent);
    try {
      const outcome = await this.#router.handle(view, {
        request,
        era: 'legacy',
        caller: { principal: 'control', client: '', session: this.#session(call, running) },
        signal: running.signal,
        origin: seen?.origin,
        notify: (notification) => {
          seen?.out(notification);
          const event = eventOf(notification);
          if (event !== undefined) tell(event);
        },
      });
      if (running.signal.aborted) throw cancelled(running.signal.reason);
      seen?.out(response(call, outcome));
      return outcome;
    } finally {
      this.#running.delete(call);
    }
  }

  answer(call: string, question: string, answer: CallAnswer): void {
    const waiting = this.#running.get(call)?.questions.get(question);
    if (waiting !== undefined) return waiting(answer);
    throw new SignalboxError('SBX_USAGE', 'Nobody waits for this answer.', {
      why: 'The question was answered or taken back, or its call is over.',
      fix: 'Answer a question of a running call, once.',
    });
  }

  cancel(call: string, reason = 'It was cancelled by the person who made it.'): boolean {
    const running = this.#running.get(call);
    running?.seen?.fault(`Cancelled: ${reason}`);
    running?.abort(new Error(reason));
    return running !== undefined;
  }

  #session(call: string, running: Running): CallerSession {
    return {
      id: this.#id,
      capabilities: { elicitation: { form: {}, url: {} } },
      level: 'info',
      ask: (method, params, options) => this.#ask(call, running, method, params, options),
      tell: (notification) => {
        const id = notification.params?.['elicitationId'];
        if (notification.method === 'notifications/elicitation/complete' && typeof id === 'string')
          this.#peer.notify('call', { call, kind: 'withdrawn', question: id });
      },
    };
  }

  #ask(call: string, running: Running, method: string, params: JsonObject | undefined, { signal }: AskOptions): Promise<Outcome> {
    if (method !== 'elicitation/create')
      return Promise.resolve({ error: { code: RPC.methodNotFound, message: `A person cannot answer ${method}.` } });
    const id = params?.['elicitationId'];
    const question = typeof id === 'string' ? id : randomUUID();
    return new Promise<Outcome>((resolve, reject) => {
      const over = AbortSignal.any([running.signal, ...(signal === undefined ? [] : [signal])]);
      const withdrawn = (): void => {
        running.questions.delete(question);
        if (!this.#peer.gone.aborted) this.#peer.notify('call', { call, kind: 'withdrawn', question });
        reject(over.reason);
      };
      if (over.aborted) return reject(over.reason);
      over.addEventListener('abort', withdrawn, { once: true });
      running.questions.set(question, ({ action, content }) => {
        over.removeEventListener('abort', withdrawn);
        running.questions.delete(question);
        const answer = { result: { action, ...(action === 'accept' && isObject(content) ? { content } : {}) } };
        running.seen?.in(response(question, answer));
        resolve(answer);
      });
      running.seen?.out({ jsonrpc: '2.0', id: question, method, ...(params === undefined ? {} : { params }) });
      this.#peer.notify('call', { call, kind: 'question', question, params: params ?? {} });
    });
  }

  #end(): void {
    for (const running of this.#running.values()) running.abort(new Error('The control connection ended.'));
    for (const view of this.#views) this.#router.sessionEnded(view, this.#id);
  }
}

function eventOf({ method, params }: Notification) {
  if (method === 'notifications/progress') {
    const { progress, total, message } = params ?? {};
    return {
      kind: 'progress',
      progress: typeof progress === 'number' ? progress : 0,
      ...(typeof total === 'number' ? { total } : {}),
      ...(typeof message === 'string' ? { message } : {}),
    } as const;
  }
  if (method !== 'notifications/message') return undefined;
  const { level, logger, data } = params ?? {};
  return { kind: 'log', level: String(level), data, ...(typeof logger === 'string' ? { logger } : {}) } as const;
}

function cancelled(reason: unknown): SignalboxError {
  return new SignalboxError('SBX_CALL_CANCELLED', 'The call was cancelled.', {
    why: reason instanceof Error ? reason.message : String(reason),
    fix: 'Call again. What the tool did until then is done.',
  });
}
