/** Ids of server-sent events: opaque to clients, understood by the next daemon too, and worth nothing in another session. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { RequestId } from '../protocol/message.ts';

/** What an event id says about where it stood. */
export interface EventPlace {
  /** Session the stream belongs to. */
  readonly session: string;
  /** Stream within the session; a new daemon uses other names. */
  readonly stream: string;
  /** The request the stream answers; absent on the standing stream. */
  readonly request?: { readonly id: RequestId; readonly method: string };
  /** Number of the event within its stream. */
  readonly sequence: number;
  /** Whether it was the answer, after which nothing comes. */
  readonly last: boolean;
}

/** Request ids longer than this make no event id: it has to fit into a header. */
const LONGEST = 512;

/**
 * Makes and reads event ids. One is `<place>.<seal>.<sequence>[e]`: the place as base64url of JSON, its HMAC, the number, `e` on the answer.
 * Url-safe and of visible ASCII, as the header `Last-Event-ID` must be (2025-11-25, "Resumability and Redelivery").
 */
export class EventIds {
  readonly #key: Buffer;
  readonly #boot = randomBytes(4).toString('hex');
  #streams = 0;

  /** @param key 32 bytes, the same after a restart */
  constructor(key: Buffer) {
    this.#key = key;
  }

  /** Names a new stream. */
  stream(): string {
    this.#streams += 1;
    return `${this.#boot}${this.#streams.toString(36)}`;
  }

  /** Whether a stream was named by this daemon and not by one before it. */
  own(stream: string): boolean {
    return stream.startsWith(this.#boot);
  }

  /**
   * What the ids of one stream begin with, made when it is first asked for: most answers never become a stream, and the seal costs as
   * much as the rest of a call. Undefined when its request id is too long for a header.
   */
  prefix(session: string, stream: string, request?: { readonly id: RequestId; readonly method: string }): (() => string) | undefined {
    const method = request?.method.slice(0, 64);
    const place = JSON.stringify(request === undefined ? [session, stream] : [session, stream, request.id, method]);
    if (place.length > LONGEST) return undefined;
    let made: string | undefined;
    return () => {
      if (made === undefined) {
        const text = Buffer.from(place).toString('base64url');
        made = `${text}.${this.#seal(text)}.`;
      }
      return made;
    };
  }

  /** Reads an id we made; undefined for any other. */
  read(id: string): EventPlace | undefined {
    const [, text, seal, sequence, end] = /^([\w-]{1,2048})\.([\w-]{22})\.(\d{1,15})(e?)$/.exec(id) ?? [];
    if (text === undefined || seal === undefined || !timingSafeEqual(Buffer.from(seal), Buffer.from(this.#seal(text)))) return undefined;
    const [session, stream, request, method] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [
      string,
      string,
      RequestId?,
      string?,
    ];
    return {
      session,
      stream,
      ...(request === undefined || method === undefined ? {} : { request: { id: request, method } }),
      sequence: Number(sequence),
      last: end === 'e',
    };
  }

  #seal(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest().subarray(0, 16).toString('base64url');
  }
}
