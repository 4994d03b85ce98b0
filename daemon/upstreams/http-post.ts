/** One message posted to a Streamable HTTP server, and what comes of it: JSON, or a stream that may break off and be taken up again. */
import type { IncomingHttpHeaders } from 'node:http';
import { SignalboxError } from '../api/errors.ts';
import { RPC } from '../protocol/codes.ts';
import { readFrame } from '../protocol/frame.ts';
import { isObject, isRequest, type JsonObject, type Message, type Request, type RequestId } from '../protocol/message.ts';
import type { StreamEvent } from './event-stream.ts';
import { type Answer, type Exchange, type ExchangeListener, mediaType } from './http-exchange.ts';
import type { LinkListener } from './link.ts';
import { httpFailure, tooLarge, unreachable } from './link-errors.ts';
import { Resumption } from './resumption.ts';

/** What a post needs of its link. */
export interface PostOwner {
  readonly listener: LinkListener;
  readonly options: { readonly server: string; readonly url: string; readonly messageBytes: number };
  readonly session: string | undefined;
  readonly resumable: boolean;
  readonly tooOld: ((message: Message, refusal: SignalboxError) => void) | undefined;
  stream(listener: ExchangeListener, lastEventId: string | undefined): Exchange;
  began(headers: IncomingHttpHeaders): void;
  finished(id: RequestId | undefined): void;
  lost(why: string): void;
  /** The result of a `tools/list` is here. */
  listed(bytes: Buffer, result: () => JsonObject): void;
  /** Reads the lists for what this call must mirror in its headers. */
  relearn(request: Request): Promise<void>;
  post(message: Message, post: HttpPost): void;
}

/** Statuses by which a server that knows only HTTP+SSE refuses a POST (2025-11-25, "Backwards Compatibility"). */
const TOO_OLD: readonly number[] = [400, 404, 405];

/** A post under way. */
export class HttpPost implements ExchangeListener {
  readonly #owner: PostOwner;
  readonly #listener: LinkListener;
  readonly #message: Message;
  /** Of the request posted; undefined for a notification or a response. */
  readonly #id: RequestId | undefined;
  /** The request now under way: the POST, or the GET that took its stream up. */
  exchange: Exchange | undefined;
  #answered: boolean;
  #resumption: Resumption | undefined;
  #abandoned = false;
  #relearned = false;

  /** @param listener whom the answer is for */
  constructor(owner: PostOwner, message: Message, id: RequestId | undefined, listener: LinkListener) {
    this.#owner = owner;
    this.#listener = listener;
    this.#message = message;
    this.#id = id;
    this.#answered = id === undefined;
  }

  /** Nobody waits for it any more. */
  abandon(): void {
    this.#abandoned = true;
    this.#resumption?.stop();
    this.exchange?.abort();
  }

  began(status: number, headers: IncomingHttpHeaders): void {
    if (status === 200) this.#resumption?.began();
    this.#owner.began(headers);
  }

  event(event: StreamEvent): void {
    if (event.id !== undefined || event.retry !== undefined) {
      this.#resumption ??= new Resumption();
      this.#resumption.heard(event);
    }
    if (event.data.length > 0 && (event.type ?? 'message') === 'message') this.#deliver(event.data);
  }

  oversize(bytes: number): void {
    this.#answered = true;
    const { server, messageBytes } = this.#owner.options;
    this.#listener.fault(tooLarge(server, bytes, messageBytes), this.#id);
  }

  ended(answer: Answer): void {
    const { status, headers, body } = answer;
    if (this.#resumption?.resuming === true && status !== 200) this.#fail(httpFailure(this.#owner.options.server, status, body));
    else if (body === undefined) this.#streamOver('It closed the stream before its answer.');
    else if (this.#refusedAsTooOld(answer)) return;
    else if (this.#sessionGone(answer)) this.#lose();
    else if (mediaType(headers) === 'application/json' && body.length > 0) this.#single(body);
    else if (status >= 400 || this.#id !== undefined) this.#fail(httpFailure(this.#owner.options.server, status, body));
    else this.#owner.finished(this.#id);
  }

  broken(error: Error): void {
    this.#streamOver(error.message === '' ? error.name : error.message, error);
  }

  /** A stream that is over without its answer is taken up after its last event, if it has told of one (2025-11-25, SEP-1699). */
  #streamOver(why: string, cause?: unknown): void {
    const { server, url } = this.#owner.options;
    if (this.#answered) this.#owner.finished(this.#id);
    else if (this.#resumption?.lastEventId === undefined || !this.#owner.resumable) this.#fail(unreachable(server, url, why, cause));
    else if (
      !this.#resumption.again((lastEventId) => {
        if (!this.#abandoned) this.exchange = this.#owner.stream(this, lastEventId);
      })
    )
      this.#fail(unreachable(server, url, why, cause));
  }

  #deliver(bytes: Buffer): void {
    let message: Message;
    try {
      message = readFrame(bytes);
    } catch (error) {
      this.#listener.fault(error as SignalboxError, this.#id);
      return;
    }
    if (!('method' in message) && message.id === this.#id) {
      this.#answered = true;
      this.#owner.finished(this.#id);
      this.#learn(message, bytes);
    }
    this.#listener.message(message, this.#id, bytes.length);
  }

  #learn(message: Message, bytes: Buffer): void {
    if ('result' in message && isRequest(this.#message) && this.#message.method === 'tools/list')
      this.#owner.listed(bytes, () => message.result);
  }

  /**
   * A refusal for headers that do not mirror the parameters: the lists say which ones it wants. It was not run, so it is sent again, once
   * (2026-07-28, "Server Validation"; what the SDK's client does).
   */
  #asksForMirrors(message: Message): boolean {
    const posted = this.#message;
    if (this.#relearned || !('error' in message) || message.error.code !== RPC.headerMismatch) return false;
    if (!isRequest(posted) || posted.method !== 'tools/call') return false;
    this.#relearned = true;
    this.#owner.listener.aside?.('in', message, posted.id);
    this.#owner.relearn(posted).then(
      () => {
        if (this.#abandoned) return;
        this.#owner.post(posted, this);
        this.#owner.listener.aside?.('out', posted, posted.id);
      },
      () => {
        if (this.#abandoned) return;
        this.#owner.finished(this.#id);
        this.#listener.message({ ...message, id: posted.id }, this.#id);
      },
    );
    return true;
  }

  #single(bytes: Buffer): void {
    let message: Message;
    try {
      message = readFrame(bytes);
    } catch (error) {
      this.#fail(error as SignalboxError);
      return;
    }
    if (this.#asksForMirrors(message)) return;
    this.#owner.finished(this.#id);
    this.#learn(message, bytes);
    // An error of the transport has no id of ours: it answers the request that was posted.
    const foreign = 'error' in message && this.#id !== undefined && message.id !== this.#id;
    this.#listener.message(foreign ? { ...message, id: this.#id } : message, this.#id, bytes.length);
  }

  #fail(error: SignalboxError): void {
    this.#answered = true;
    this.#owner.finished(this.#id);
    this.#listener.fault(error, this.#id);
  }

  #refusedAsTooOld({ status, body }: Answer): boolean {
    const { tooOld, session, options } = this.#owner;
    const asks = 'method' in this.#message && this.#message.method === 'initialize';
    // A 400 that is a JSON-RPC error comes from a server that does speak Streamable HTTP.
    if (tooOld === undefined || !asks || session !== undefined || !TOO_OLD.includes(status) || (status === 400 && rpcErrorOf(body)))
      return false;
    tooOld(this.#message, httpFailure(options.server, status, body));
    return true;
  }

  /** 404 says it; servers made with the SDK's examples say 400 and that the session is not valid or not initialized. */
  #sessionGone({ status, body }: Answer): boolean {
    if (this.#owner.session === undefined) return false;
    return status === 404 || (status === 400 && /session|not initialized/i.test(rpcErrorOf(body) ?? ''));
  }

  #lose(): void {
    const { session, options } = this.#owner;
    this.#fail(
      new SignalboxError('SBX_SESSION_UNKNOWN', `Server "${options.server}" knows session ${session} no more.`, {
        why: 'It was restarted or has ended the session; it refused the request, so nothing of it was run.',
        fix: 'Send it again: a new session is opened.',
      }),
    );
    this.#owner.lost(`The server ended session ${session}.`);
  }
}

/** The message of a JSON-RPC error in a body. */
function rpcErrorOf(body: Buffer | undefined): string | undefined {
  try {
    const value: unknown = JSON.parse(body?.toString('utf8') ?? '');
    const error = isObject(value) ? value['error'] : undefined;
    return isObject(error) && typeof error['code'] === 'number' ? String(error['message']) : undefined;
  } catch {
    return undefined; // not JSON: no JSON-RPC error
  }
}
