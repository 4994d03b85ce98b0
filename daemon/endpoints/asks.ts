/** What we ask a legacy client: ids of our own, its answers and progress, and taking a question back. */
import { randomBytes } from 'node:crypto';
import { isObject, type JsonObject, metaOf, type Outcome, type RequestId, type Response } from '../protocol/message.ts';
import type { AskOptions } from '../router/call.ts';
import type { Deliver } from './deliver.ts';

interface Open {
  readonly related: RequestId | undefined;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (reason: unknown) => void;
  readonly onProgress: ((params: JsonObject) => void) | undefined;
}

/** The open questions of one session. */
export class Asks {
  /** Ids differ from those of the same session before a restart: a late answer must not meet another question. */
  readonly #prefix = `ask-${randomBytes(4).toString('hex')}-`;
  readonly #deliver: Deliver;
  readonly #open = new Map<RequestId, Open>();
  readonly #pages = new Set<unknown>();
  #next = 1;

  constructor(deliver: Deliver) {
    this.#deliver = deliver;
  }

  /**
   * Sends one question.
   * @throws the signal's reason when it is taken back, or what {@link close} was given
   */
  ask(method: string, params: JsonObject | undefined, { signal, related, onProgress }: AskOptions): Promise<Outcome> {
    const id = `${this.#prefix}${this.#next++}`;
    if (params?.['elicitationId'] !== undefined) this.#pages.add(params['elicitationId']);
    return new Promise<Outcome>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const takeBack = (): void => {
        this.#open.delete(id);
        this.#deliver(
          { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, reason: 'The question was taken back.' } },
          related,
        );
        reject(signal?.reason);
      };
      const done = (): void => signal?.removeEventListener('abort', takeBack);
      signal?.addEventListener('abort', takeBack, { once: true });
      this.#open.set(id, {
        related,
        resolve: (outcome) => {
          done();
          resolve(outcome);
        },
        reject: (reason) => {
          done();
          reject(reason);
        },
        onProgress,
      });
      const token = metaOf(params)?.['progressToken'];
      const sent = token === undefined ? params : { ...params, _meta: { ...metaOf(params), progressToken: id } };
      this.#deliver({ jsonrpc: '2.0', id, method, ...(sent === undefined ? {} : { params: sent }) }, related);
    });
  }

  /** The client's request that the question of this id belongs to. */
  relatedOf(id: RequestId | null | undefined): RequestId | undefined {
    return id === null || id === undefined ? undefined : this.#open.get(id)?.related;
  }

  /** Takes the client's answer. */
  answered(message: Response): void {
    const open = message.id === null ? undefined : this.#open.get(message.id);
    if (open === undefined || message.id === null) return; // taken back, or never asked
    this.#open.delete(message.id);
    open.resolve('error' in message ? { error: message.error } : { result: isObject(message.result) ? message.result : {} });
  }

  /** Takes the client's progress on an answer (sampling may take long). */
  progress(params: JsonObject): void {
    const token = params['progressToken'];
    if (typeof token === 'string') this.#open.get(token)?.onProgress?.(params);
  }

  /** Whether this client was shown the page of that elicitation. */
  opened(elicitationId: unknown): boolean {
    return this.#pages.has(elicitationId);
  }

  /** Nobody answers any more. */
  close(reason: Error): void {
    for (const { reject } of [...this.#open.values()]) reject(reason);
    this.#open.clear();
  }
}
