/** Rows of the timeline: the same for the live view, recordings, the command line and the editor. */
import { SignalboxError } from '../../api/errors.ts';
import type { TapConnection, TapEvent, TapFrame, TrafficRow } from '../../api/sessions.ts';
import { type JsonObject, OutcomeResponse } from '../../protocol/message.ts';
import { isFailure, resultMember } from './frame.ts';
import { Pairing, type Target, targetOf, toolUseOf } from './pairing.ts';

/** How rows are made. */
export interface TrafficRowsOptions {
  /** Takes what is secret out of everything that goes into a row; a copy, or the same object where nothing was. */
  readonly redact: (message: object) => object;
  /** Client and endpoint of a session, for what its calls caused at servers. */
  readonly who?: (
    session: string,
  ) => { readonly client: string; readonly endpoint: string; readonly workspace?: string | undefined } | undefined;
}

/**
 * Makes a row of each event. What answers what is found by pairing, so every event of a connection has to be shown in order: with
 * {@link row}, or with {@link see} where no row is wanted. A recorded line is shown as the event it was made of.
 */
export class TrafficRows {
  readonly #options: TrafficRowsOptions;
  readonly #pairing = new Pairing();

  constructor(options: TrafficRowsOptions) {
    this.#options = options;
  }

  /** Takes note of an event no row is wanted for. */
  see(event: TapEvent | { readonly kind: 'gap' }): undefined {
    if (event.kind !== 'frame') return;
    const { message } = event;
    if (!('method' in message)) this.#pairing.answered(event);
    else if ('id' in message) this.#pairing.asked(event);
  }

  /**
   * The row of an event.
   * @param messages whether it holds the (redacted) message
   */
  row(event: TapEvent, messages = false): TrafficRow {
    if (event.kind === 'frame') return this.#frame(event, messages);
    const { kind, seq, time } = event;
    if (kind === 'stderr') {
      const { server, workspace, line } = event;
      return { seq, time, kind, edge: 'server', server, ...(workspace === undefined ? {} : { workspace }), text: this.#text('line', line) };
    }
    const { connection } = event;
    const why = kind === 'open' ? undefined : event.why;
    const session = kind === 'fault' ? event.session : undefined;
    return {
      seq,
      time,
      kind,
      ...this.#place(connection, session ?? connection.session),
      ...(kind === 'fault' && event.call !== undefined ? { call: event.call } : {}),
      ...(why === undefined ? {} : { text: this.#text('why', why) }),
    };
  }

  #frame(frame: TapFrame, messages: boolean): TrafficRow {
    const { seq, time, direction, era, call, message, bytes, connection, session } = frame;
    return {
      seq,
      time,
      kind: 'frame',
      direction,
      ...this.#place(connection, session ?? connection.session),
      ...(era === undefined ? {} : { era }),
      ...(call === undefined ? {} : { call }),
      bytes,
      ...('method' in message ? this.#said(frame, message as Said) : this.#answer(frame)),
      ...(messages ? { message: this.message(message) } : {}),
    };
  }

  /** A message as it may be shown. */
  message(message: object): object {
    return this.#options.redact(message instanceof OutcomeResponse ? whole(message) : message);
  }

  #said(frame: TapFrame, message: Said): Partial<TrafficRow> {
    const { method, id, params } = message;
    if (id !== undefined) this.#pairing.asked(frame);
    const toolUseId = toolUseOf(params);
    return {
      ...(id === undefined ? { type: 'notification' } : { type: 'request', id: this.#id(id) }),
      method: this.#method(method),
      ...this.#target(targetOf(method, params)),
      ...(toolUseId === undefined ? {} : { toolUseId: this.#text('id', toolUseId) }),
    };
  }

  #answer(frame: TapFrame): Partial<TrafficRow> {
    const asked = this.#pairing.answered(frame);
    const { message, time } = frame;
    const { id = null } = message as { id?: TrafficRow['id'] };
    const status = statusOf(message);
    if (asked === undefined) return { type: 'response', id: this.#id(id), status };
    const { seq, method, target, toolUseId } = asked;
    return {
      type: 'response',
      id: this.#id(id),
      status,
      method: this.#method(method),
      ...this.#target(target),
      answers: seq,
      ms: Math.round((time - asked.time) * 1000) / 1000,
      ...(toolUseId === undefined ? {} : { toolUseId: this.#text('id', toolUseId) }),
    };
  }

  #place(connection: TapConnection, session: string | undefined): PlaceOf {
    const { edge, id, transport, workspace, server } = connection;
    const who = session === undefined ? undefined : this.#options.who?.(session);
    const client = connection.client ?? who?.client;
    const endpoint = connection.endpoint ?? who?.endpoint;
    return {
      edge,
      connection: id,
      transport,
      ...(session === undefined ? {} : { session }),
      ...(client === undefined ? {} : { client }),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(workspace === undefined ? {} : { workspace }),
      ...(server === undefined ? {} : { server }),
    };
  }

  #target(target: Target | undefined): { readonly target?: string } {
    return target === undefined ? {} : { target: this.#text(target.key, target.value) };
  }

  /** Clients choose ids and may call anything a method: both are texts of theirs. */
  #id<Id extends RowId>(id: Id): RowId {
    return typeof id === 'string' ? this.#text('id', id) : id;
  }

  #method(method: string): string {
    return PLAIN_METHOD.test(method) ? method : this.#text('method', method);
  }

  /** Under the name it had in the message: what is secret may go by it. */
  #text(key: string, value: string): string {
    const redacted = (this.#options.redact({ [key]: value }) as Record<string, unknown>)[key];
    return typeof redacted === 'string' ? redacted : JSON.stringify(redacted);
  }
}

interface Said {
  readonly method: string;
  readonly id?: NonNullable<TrafficRow['id']>;
  readonly params?: JsonObject;
}
/** As all of the protocol's are. */
const PLAIN_METHOD = /^[a-z]{1,20}(?:\/[A-Za-z_]{1,24}){0,2}$/;
type RowId = NonNullable<TrafficRow['id']> | null;
type PlaceOf = Pick<TrafficRow, 'edge' | 'connection' | 'transport' | 'session' | 'client' | 'endpoint' | 'workspace' | 'server'>;

/** A big answer is parsed only now; what balances may still be no JSON inside. */
function whole(answer: OutcomeResponse): object {
  try {
    return answer.toJSON();
  } catch (error) {
    const { jsonrpc, id } = answer;
    return { jsonrpc, id, unreadable: error instanceof SignalboxError ? `${error.message} ${error.why}` : String(error) };
  }
}

function statusOf(message: object): NonNullable<TrafficRow['status']> {
  if ('error' in message) return 'error';
  if (isFailure(message)) return 'tool-error';
  return resultMember(message, 'resultType') === 'input_required' ? 'input-required' : 'ok';
}
