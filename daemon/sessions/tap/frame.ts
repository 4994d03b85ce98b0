/** A frame as it is kept: the message by reference, its size known or found out when somebody asks. */
import type { Direction, RpcId, TapConnection, TapFrame } from '../../api/sessions.ts';
import { byteLength, encode, RawOutcome } from '../../protocol/frame.ts';
import { isObject, type Message, OutcomeResponse } from '../../protocol/message.ts';
import type { Home } from './home.ts';

/** What a message counts for in a ring where nobody counted its bytes. */
const ASSUMED_BYTES = 1024;

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
