/** One legacy session over HTTP: its requests' streams, its standing stream, and what a client that comes back finds. */
import type { ServerResponse } from 'node:http';
import type { Origin, Tap, TapChannel } from '../api/sessions.ts';
import { LEGACY_LATEST } from '../protocol/eras.ts';
import { InFlight } from '../protocol/in-flight.ts';
import { isRequest, type Message, type Request, type RequestId, response } from '../protocol/message.ts';
import type { EventIds, EventPlace } from './event-id.ts';
import { eventOf, openStream, writeEvent } from './event-stream.ts';
import { interrupted } from './interruption.ts';
import { RequestStream } from './request-stream.ts';
import { ResumableStream } from './resumable-stream.ts';
import { Session, type SessionParts } from './session.ts';

/** Ended streams a client may still come back to, and the bytes they may hold together. */
const ENDED_STREAMS = 32;
const ENDED_BYTES = 16 * 1024 * 1024;

/** What a legacy session is built from. */
export interface LegacySessionParts extends Omit<SessionParts, 'deliver'> {
  readonly id: string;
  readonly ids: EventIds;
  /**
   * Everything goes out on the standing stream, answers too (HTTP+SSE, 2024-11-05). The stream is named after the session: its client
   * comes back with the id of an event and nothing else.
   */
  readonly single?: boolean;
  /** Sees every frame. Absent = nobody does. */
  readonly tap?: Tap | undefined;
}

/** A session and its streams. */
export class LegacySession {
  readonly id: string;
  readonly client: string;
  readonly session: Session;
  /** What the tap sees of it. */
  readonly channel: TapChannel | undefined;
  readonly #ids: EventIds;
  readonly #single: boolean;
  readonly #running = new InFlight<RequestId, RequestStream>();
  readonly #resumable = new Map<string, ResumableStream>();
  readonly #ended: ResumableStream[] = [];
  readonly #standing: ResumableStream;
  usedAt = Date.now();

  constructor(parts: LegacySessionParts) {
    this.id = parts.id;
    this.client = parts.caller.client;
    this.#ids = parts.ids;
    this.#single = parts.single === true;
    const name = parts.ids.stream();
    this.#standing = new ResumableStream({ name, prefix: parts.ids.prefix(parts.id, name) });
    const { path: endpoint, workspace } = parts.view.endpoint;
    this.channel = parts.tap?.open({
      edge: 'client',
      transport: this.#single ? 'sse' : 'http',
      client: this.client,
      endpoint,
      session: parts.id,
      ...(workspace === undefined ? {} : { workspace }),
    });
    this.session = new Session({ ...parts, deliver: (message, related, origin) => this.#deliver(message, related, origin) });
  }

  /** Whether it is in use now: somebody reads its stream, or something runs. */
  get active(): boolean {
    return this.#standing.attached || this.session.busy > 0;
  }

  /** Takes a message of the client that is not answered on its own POST. */
  receive(message: Message, bytes: number): void {
    const origin = this.channel?.in(message, { bytes, origin: this.session.originOf(message) });
    this.session.receive(message, origin);
    if (!('method' in message) || message.method !== 'notifications/cancelled') return;
    const id = message.params?.['requestId'];
    if (typeof id !== 'string' && typeof id !== 'number') return;
    this.#running.get(id)?.cancelled();
    this.#finish(id);
  }

  /** Whether a request with that id is being answered. */
  has(id: RequestId): boolean {
    return this.#running.has(id);
  }

  /** Takes a request and answers it on its own POST; see {@link has} first. */
  serve(request: Request, answer: ServerResponse, bytes: number): void {
    const { id, method } = request;
    const origin = this.channel?.in(request, { bytes, stream: id });
    const name = this.#ids.stream();
    const events = new ResumableStream({
      name,
      prefix: this.#ids.prefix(this.id, name, request),
      lostAnswer: () => response(id, interrupted(method, 'a loss of the connection; the answer was too big to be kept')),
    });
    const stream = new RequestStream({
      response: answer,
      events,
      primed: (this.session.protocolVersion ?? '') >= LEGACY_LATEST,
      onGone: () => {
        if (this.#running.get(id) === stream) this.#running.delete(id);
      },
      onStream: () => this.#resumable.set(name, events),
    });
    this.#running.set(id, stream);
    this.session.receive(request, origin);
  }

  /** Makes a connection the standing stream. */
  listen(answer: ServerResponse, from?: EventPlace, opening?: (id: string) => string): void {
    // Events of another daemon had other numbers: all that is here is new to that client.
    const after = from?.stream === this.#standing.name ? from.sequence : undefined;
    this.#standing.attach(answer, after, opening?.(this.#standing.position ?? ''));
  }

  /** Goes on with the stream an event stood on: what came after it, and what comes. */
  resume(place: EventPlace, answer: ServerResponse): void {
    const { request } = place;
    if (request === undefined) return this.listen(answer, place);
    const stream = this.#resumable.get(place.stream);
    // 204 is how an event source is told not to come again (HTML, "Server-sent events").
    if (place.last || stream?.endsAt(place.sequence) === true) return void answer.writeHead(204).end();
    if (stream !== undefined) return stream.attach(answer, place.sequence);
    const by = this.#ids.own(place.stream) ? 'a loss of the connection; the answer is no longer kept' : 'a restart of the daemon';
    const id = `${this.#ids.prefix(this.id, place.stream, request)?.() ?? ''}${place.sequence + 1}e`;
    openStream(answer);
    writeEvent(answer, eventOf(response(request.id, interrupted(request.method, by)), id), true);
  }

  /** The daemon is leaving: whoever waits is told so, then every connection ends. */
  farewell(): void {
    this.session.farewell();
    this.close();
  }

  /** Ends it: running requests are cancelled, connections end. */
  close(): void {
    this.session.dispose();
    for (const stream of this.#running.values()) stream.cancelled();
    this.#running.clear();
    this.#standing.end();
    this.channel?.close();
  }

  #deliver(message: Message, related: RequestId | undefined, origin: Origin | undefined): void {
    const stream = related === undefined || this.#single ? undefined : this.#running.get(related);
    const answer = !('method' in message);
    let bytes = 0;
    if (stream !== undefined) {
      bytes = stream.send(message);
      if (answer && related !== undefined) this.#finish(related);
      // An answer whose client left without a way to come back has nowhere to go: it may not be said on another stream.
    } else if (this.#single || !answer) bytes = this.#standing.send(message, isRequest(message) || answer ? 'request' : 'notification');
    if (bytes > 0) this.channel?.out(message, { bytes, stream: stream === undefined ? undefined : related, origin });
    else this.channel?.fault('The client left and cannot come back for this: the message was not sent.', origin);
  }

  #finish(id: RequestId): void {
    const events = this.#running.get(id)?.resumable;
    this.#running.delete(id);
    if (events === undefined) return;
    this.#ended.push(events);
    let bytes = this.#ended.reduce((sum, stream) => sum + stream.bytes, 0);
    while (this.#ended.length > ENDED_STREAMS || bytes > ENDED_BYTES) {
      const oldest = this.#ended.shift();
      if (oldest === undefined) return;
      bytes -= oldest.bytes;
      this.#resumable.delete(oldest.name);
    }
  }
}
