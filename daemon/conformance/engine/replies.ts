/** The client's part of a connection: what the server asks is answered. */
import { setTimeout as pause } from 'node:timers/promises';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import type { Sent } from '../transports/wire.ts';
import type { SessionOptions } from './exchange.ts';
import type { Judge } from './judge.ts';

/** Milliseconds in which an answer to a server's request is taken. */
const TAKEN_MS = 500;

/** Answers requests of the server, and looks whether the answers are taken. */
export class Replies {
  readonly #judge: Judge;
  readonly #respond: SessionOptions['respond'];
  readonly #send: (message: JsonObject) => Sent;
  /** Whether the connection is over: what comes of an answer then says nothing. */
  readonly #over: () => boolean;
  /** Answers that are on their way. */
  readonly #under: Promise<void>[] = [];

  constructor(judge: Judge, respond: SessionOptions['respond'], send: (message: JsonObject) => Sent, over: () => boolean) {
    this.#judge = judge;
    this.#respond = respond;
    this.#send = send;
    this.#over = over;
  }

  /** Answers one request: as the property says, or that there is no such method. */
  answer(message: JsonObject): void {
    const method = String(message['method']);
    const params = isObject(message['params']) ? message['params'] : {};
    const made = method === 'ping' ? {} : this.#respond?.(method, params);
    const outcome =
      made === undefined
        ? { error: { code: -32601, message: 'Method not found' } }
        : typeof made['code'] === 'number'
          ? { error: made }
          : { result: made };
    const sent = this.#send({ jsonrpc: '2.0', id: message['id'], ...outcome });
    const taken = sent.exchange?.then(({ status, body }) => {
      if (status === 0 || this.#over()) return;
      const got = `HTTP ${status} ${body.slice(0, 100)}`;
      this.#judge.check(
        'HTTP-CLIENT-RESPONSE-202',
        status === 202,
        'status 202 for the answer to its request',
        got,
        status < 300 ? 'warning' : undefined,
      );
    });
    if (taken !== undefined) this.#under.push(taken);
  }

  /** Waits until the answers that are on their way have been taken, for a short while. */
  async taken(): Promise<void> {
    if (this.#under.length > 0) await Promise.race([Promise.all(this.#under.splice(0)), pause(TAKEN_MS)]);
  }
}
