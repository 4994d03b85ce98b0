/** What a legacy server asks its client: who answers, and the end of a question before its answer. */
import { SignalboxError } from '../api/errors.ts';
import type { Origin } from '../api/sessions.ts';
import { RPC, rpcError } from '../protocol/codes.ts';
import { type JsonObject, metaOf, type Outcome, type Request, type RequestId } from '../protocol/message.ts';
import type { Question, RequestOptions } from './request.ts';

/** What the questions of one connection need. */
export interface QuestionsOptions {
  /** Name for errors. */
  readonly server: string;
  readonly reply: (id: RequestId, outcome: Outcome, origin: Origin | undefined) => void;
  /** Sends `notifications/progress` on a question. */
  readonly progress: (params: JsonObject, origin: Origin | undefined) => void;
  /** Answers what belongs to no call. */
  readonly outside: ((question: Question) => Promise<Outcome>) | undefined;
  /** The server asked something only a person or a model behind the client can answer. */
  readonly onAsked: () => void;
}

/** Whom a question is for. */
export type Asker = { readonly id: RequestId; readonly options: RequestOptions } | 'nobody' | 'ambiguous';

interface Open {
  readonly abort: AbortController;
  readonly call: RequestId | undefined;
  readonly origin: RequestOptions['origin'];
}

/** The open questions of one connection. */
export class Questions {
  readonly #options: QuestionsOptions;
  readonly #open = new Map<RequestId, Open>();

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /** Questions that belong to a request of ours. */
  openOf(call: RequestId): number {
    let count = 0;
    for (const open of this.#open.values()) if (open.call === call) count += 1;
    return count;
  }

  /** Takes one question and sees to its answer; never guesses whose it is. */
  asked(request: Request, asker: Asker): void {
    const { id, method, params } = request;
    const origin = typeof asker === 'string' ? undefined : asker.options.origin;
    if (method === 'ping') return this.#options.reply(id, { result: {} }, origin?.());
    if (method !== 'roots/list') this.#options.onAsked();
    const answer = asker === 'ambiguous' ? undefined : asker === 'nobody' ? this.#options.outside : asker.options.onQuestion;
    if (asker === 'ambiguous') return this.#options.reply(id, { error: rpcError(this.#ambiguous(method), RPC.internal) }, undefined);
    if (answer === undefined) return this.#options.reply(id, { error: unsupported(method) }, origin?.());
    const abort = new AbortController();
    this.#open.set(id, { abort, call: asker === 'nobody' ? undefined : asker.id, origin });
    const progressToken = metaOf(params)?.['progressToken'];
    const tell = this.#options.progress;
    void answer({
      method,
      params,
      signal: abort.signal,
      ...(progressToken === undefined ? {} : { onProgress: (progress) => tell({ ...progress, progressToken }, origin?.()) }),
    })
      .catch((error: unknown): Outcome => ({ error: rpcError(error) }))
      .then((outcome) => {
        // Taken back, or its call is over: nobody waits for the answer.
        if (this.#open.delete(id)) this.#options.reply(id, outcome, origin?.());
      });
  }

  /** The client's request that an open question belongs to. */
  originOf(id: unknown): Origin | undefined {
    return typeof id === 'string' || typeof id === 'number' ? this.#open.get(id)?.origin?.() : undefined;
  }

  /** The server took a question back (`notifications/cancelled`). */
  cancelled(params: JsonObject): void {
    const id = params['requestId'];
    if (typeof id !== 'string' && typeof id !== 'number') return;
    const open = this.#open.get(id);
    this.#open.delete(id);
    open?.abort.abort(new Error(typeof params['reason'] === 'string' ? params['reason'] : 'the server took its question back'));
  }

  /** A request of ours is over: its questions are too. The server still gets an answer, for it may wait for one. */
  over(call: RequestId): void {
    if (this.#open.size === 0) return;
    for (const [id, open] of [...this.#open]) {
      if (open.call !== call) continue;
      this.#open.delete(id);
      open.abort.abort(new Error('the call is over'));
      this.#options.reply(id, { error: { code: RPC.internal, message: 'The call this belongs to is over.' } }, open.origin?.());
    }
  }

  /** The connection is gone. */
  close(): void {
    for (const open of this.#open.values()) open.abort.abort(new Error('the server is gone'));
    this.#open.clear();
  }

  #ambiguous(method: string): SignalboxError {
    return new SignalboxError(
      'SBX_QUESTION_AMBIGUOUS',
      `It is not certain which call ${method} of server "${this.#options.server}" belongs to.`,
      {
        why: 'Calls of several clients were under way on one connection, and on standard streams a question does not say which one it belongs to.',
        fix: 'Call again: from now on every client has a connection of its own to this server. Or set "sharing": "never" for it.',
      },
    );
  }
}

/** What a client without that capability answers. */
export function unsupported(method: string): { code: number; message: string } {
  return { code: RPC.methodNotFound, message: `The client does not support ${method} (SBX_QUESTION_UNSUPPORTED)` };
}
