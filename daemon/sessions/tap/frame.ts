/** A frame as it is kept: the message by reference, its size known or found out when somebody asks. */
import type { Direction, RpcId, TapConnection, TapFrame } from '../../api/sessions.ts';
import { byteLength, encode, RawOutcome } from '../../protocol/frame.ts';
import { isObject, type JsonObject, type Message, OutcomeResponse } from '../../protocol/message.ts';
import type { Home } from './home.ts';

/** What a message counts for in a ring where nobody counted its bytes. */
const ASSUMED_BYTES = 1024;
/** Bytes of a message beyond which its content is not kept. Whoever listens gets it whole. */
export const CONTENT_BYTES = 4 * 1024 * 1024;

/** One frame. */
export class Frame implements TapFrame {
  readonly kind = 'frame';
  readonly seq: number;
  readonly time: number;
  readonly connection: TapConnection;
  readonly direction: Direction;
  readonly era: 'legacy' | 'modern' | undefined;
  readonly stream: RpcId | undefined;
  readonly call: number | undefined;
  readonly session: string | undefined;
  readonly message: object;
  /** Where it is kept. */
  readonly home: Home;
  #bytes: number | undefined;

  /** @param origin the client's request it belongs to; undefined with `calls` when it is one itself */
  constructor(
    seq: number,
    time: number,
    connection: TapConnection,
    direction: Direction,
    era: 'legacy' | 'modern' | undefined,
    stream: RpcId | undefined,
    call: number | undefined,
    home: Home,
    message: object,
    bytes: number | undefined,
  ) {
    this.seq = seq;
    this.time = time;
    this.connection = connection;
    this.direction = direction;
    this.era = era;
    this.stream = stream;
    this.call = call;
    this.session = home.kind === 'session' ? home.id : undefined;
    this.home = home;
    this.message = message;
    this.#bytes = bytes;
  }

  get bytes(): number {
    this.#bytes ??= byteLength(encode(this.message as Message));
    return this.#bytes;
  }

  /** What it counts for in a ring. */
  get cost(): number {
    return this.#bytes ?? ASSUMED_BYTES;
  }

  /** What is kept of it: itself, or of a very large one all but the content. */
  get kept(): Frame {
    return this.cost > CONTENT_BYTES ? new Outline(this) : this;
  }
}

/** A frame whose content is not kept: it would push everything else out of the ring. */
class Outline extends Frame {
  constructor({ seq, time, connection, direction, era, stream, call, home, message, bytes }: Frame) {
    super(seq, time, connection, direction, era, stream, call, home, outlineOf(message, bytes), bytes);
  }

  override get cost(): number {
    return ASSUMED_BYTES;
  }
}

/** What a row needs of a message, and that the rest is missing. */
function outlineOf(message: object, bytes: number): object {
  const note = `a message of ${(bytes / 1024 / 1024).toFixed(1)} MiB: its content is not kept in memory`;
  if ('error' in message) return { ...message, error: { code: 0, message: note } };
  if (!('method' in message)) {
    const told = ['isError', 'resultType', 'requestState'].flatMap((key) => {
      const value = resultMember(message, key);
      return typeof value === 'boolean' || (typeof value === 'string' && value.length < ASSUMED_BYTES) ? [[key, value] as const] : [];
    });
    const { id } = message as { id?: unknown };
    return { jsonrpc: '2.0', id, result: { ...Object.fromEntries(told), 'dev.signalbox/notKept': note } };
  }
  const { params, ...envelope } = message as { params?: JsonObject };
  const told = Object.entries(params ?? {}).filter(([key, value]) => key === '_meta' || typeof value !== 'object');
  const short = told.filter(([, value]) => JSON.stringify(value).length < ASSUMED_BYTES);
  return { ...envelope, params: { ...Object.fromEntries(short), 'dev.signalbox/notKept': note } };
}

/** One top-level member of a response's result, without parsing the rest of a big one; undefined when there is none. Never throws. */
export function resultMember(message: object, key: string): unknown {
  try {
    if (message instanceof OutcomeResponse)
      return message.outcome instanceof RawOutcome ? message.outcome.member(key) : message.outcome.result[key];
    const result = 'result' in message ? message.result : undefined;
    return isObject(result) ? result[key] : undefined;
  } catch {
    return undefined; // broken inside: whoever needs the answer says so
  }
}

/** Whether a response says that something failed: an error, or a result with `isError`. */
export function isFailure(message: object): boolean {
  return 'error' in message || resultMember(message, 'isError') === true;
}
