/**
 * From bytes to messages and back. A big answer only passes through: where its members stand is found by scanning, its result is parsed
 * when somebody looks at it, and what nobody touched is written as the bytes that came.
 */
import { isUtf8 } from 'node:buffer';
import { SignalboxError } from '../api/errors.ts';
import { parseJson } from './json.ts';
import { type Member, objectAt, skipSpace } from './members.ts';
import { isObject, type JsonObject, type Message, type Outcome, OutcomeResponse, parseMessage, type Response } from './message.ts';

/**
 * Bytes from which an answer is scanned instead of parsed. By itself scanning wins from 500 on (0.25 of the time at 10 kB, 0.01 to 0.15 at
 * 1 MB); in the daemon, between two system calls, the parser's few lines win on small ones (1 kB: 0.93 to 0.96 of the CPU per call) and
 * both are equal at 6 kB.
 */
const SCAN_FROM = 8192;
/** Bytes up to which a raw result is written as text: Node sends text and the head of an HTTP answer in one write, bytes in two. */
const TEXT_UP_TO = 8192;
/** Bytes up to which one buffer is made of the pieces: a copy of that size costs less than a second chunk on the socket. */
const JOIN_UP_TO = 32_768;

/** A message ready to be written: text, or pieces of bytes in order. Neither has a line break in it. */
export type Frame = string | readonly Buffer[];

/**
 * Reads one frame. The answer to a request may come back with a {@link RawOutcome}; {@link outcomeOf} gets it.
 * @param bytes one whole JSON text in UTF-8; kept, not copied
 * @param scanFrom bytes from which an answer is scanned instead of parsed
 * @throws SBX_MESSAGE_INVALID when it is not JSON or not one JSON-RPC message
 */
export function readFrame(bytes: Buffer, scanFrom = SCAN_FROM): Message {
  return (bytes.length >= scanFrom ? rawResponse(bytes) : undefined) ?? parseMessage(bytes.toString('utf8'));
}

/** What a message looks like on the wire. */
export function encode(message: Message): Frame {
  if (!(message instanceof OutcomeResponse && message.outcome instanceof RawOutcome)) return JSON.stringify(message);
  return message.outcome.written(`{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":`, '}');
}

/** Size of a frame in bytes. */
export function byteLength(frame: Frame): number {
  return typeof frame === 'string' ? Buffer.byteLength(frame) : frame.reduce((size, piece) => size + piece.length, 0);
}

/** What a response says, raw if it came raw. A result that is no object counts as an empty one. */
export function outcomeOf(response: Response): Outcome {
  if (response instanceof OutcomeResponse) return response.outcome;
  if ('error' in response) return { error: response.error };
  return { result: isObject(response.result) ? response.result : {} };
}

/** The response in these bytes if it is an ordinary one with an object for its result; undefined leaves it to the parser. */
function rawResponse(bytes: Buffer): Response | undefined {
  const whole = objectAt(bytes, skipSpace(bytes, 0), ENVELOPE, 'result');
  if (whole?.members.length !== ENVELOPE.length || skipSpace(bytes, whole.end) !== bytes.length) return undefined;
  // A line break would end the frame on stdio and in an event stream; broken UTF-8 is for the parser to mend.
  if (bytes.includes(0x0a) || bytes.includes(0x0d) || !isUtf8(bytes)) return undefined;
  const [version, id, result] = ENVELOPE.map((key) => whole.members.find((member) => member.key === key));
  if (version === undefined || parsed(bytes, version) !== '2.0' || id === undefined || result?.inner === undefined) return undefined;
  const value = parsed(bytes, id);
  if (typeof value !== 'string' && typeof value !== 'number' && value !== null) return undefined;
  return new OutcomeResponse(value, new RawOutcome(bytes, result.inner.members));
}
/** The members of an ordinary response. */
const ENVELOPE = ['jsonrpc', 'id', 'result'];

function parsed(bytes: Buffer, { value, end }: Member): unknown {
  try {
    return parseJson(bytes.toString('utf8', value, end));
  } catch (cause) {
    throw new SignalboxError('SBX_MESSAGE_INVALID', 'An answer is not valid JSON.', {
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'Report it to whoever makes the server: its braces and strings balance, but what is between them is not JSON.',
      cause,
    });
  }
}

/**
 * A result that is still bytes. An `Outcome` like any other: `outcome.result` parses it, once. Never spread it: its members are not its
 * own. What a bridge needs to know of the top level of the result is there without parsing the rest.
 */
export class RawOutcome {
  readonly #bytes: Buffer;
  /** Members of the result that are still bytes, in their order. */
  readonly #members: readonly Member[];
  /** Members that were put in; none of them is among the bytes. */
  readonly #added: JsonObject;
  #result: JsonObject | undefined;

  /** @param members of the result, as they stand in `bytes` */
  constructor(bytes: Buffer, members: readonly Member[], added: JsonObject = {}) {
    this.#bytes = bytes;
    this.#members = members;
    this.#added = added;
  }

  /**
   * The whole result.
   * @throws SBX_MESSAGE_INVALID when what is inside is not JSON after all
   */
  get result(): JsonObject {
    this.#result ??= { ...Object.fromEntries(this.#members.map((member) => [member.key, parsed(this.#bytes, member)])), ...this.#added };
    return this.#result;
  }

  /** Whether the result has a top-level member of that name. */
  has(key: string): boolean {
    return Object.hasOwn(this.#added, key) || this.#members.some((member) => member.key === key);
  }

  /**
   * One top-level member of the result, parsed by itself; undefined when there is none. For small ones (`_meta`, `isError`).
   * @throws SBX_MESSAGE_INVALID when it is not JSON
   */
  member(key: string): unknown {
    if (Object.hasOwn(this.#added, key)) return this.#added[key];
    const found = this.#members.find((member) => member.key === key);
    return found && parsed(this.#bytes, found);
  }

  /** Whether a top-level member is a JSON object, without parsing it. */
  isObject(key: string): boolean {
    if (Object.hasOwn(this.#added, key)) return isObject(this.#added[key]);
    const found = this.#members.find((member) => member.key === key);
    return found !== undefined && this.#bytes[found.value] === 0x7b;
  }

  /** The same result with some members left out and then others put in, in place of any of the same name: `{...kept, ...add}`. */
  with(add: JsonObject, drop: readonly string[] = []): RawOutcome {
    const stays = (key: string): boolean => !Object.hasOwn(add, key) && !drop.includes(key);
    const added = Object.entries(this.#added).filter(([key]) => stays(key));
    return new RawOutcome(
      this.#bytes,
      this.#members.filter(({ key }) => stays(key)),
      added.length === 0 ? add : { ...Object.fromEntries(added), ...add },
    );
  }

  /** The result as written, between two texts: what was put in first, then the bytes that came, neighbours in one piece. */
  written(before: string, after: string): Frame {
    const added = JSON.stringify(this.#added).slice(0, -1);
    const separator = added === '{' ? '' : ',';
    const runs = this.#runs();
    const size = runs.reduce((bytes, { start, end }) => bytes + end - start, 0);
    if (size <= TEXT_UP_TO) {
      const kept = runs.map(({ start, end }) => this.#bytes.toString('utf8', start, end)).join(',');
      return `${before}${added}${kept === '' ? '' : separator}${kept}}${after}`;
    }
    const pieces = runs.flatMap(({ start, end }, index) => [
      Buffer.from(index === 0 ? `${before}${added}${separator}` : ','),
      this.#bytes.subarray(start, end),
    ]);
    pieces.push(Buffer.from(`}${after}`));
    return size <= JOIN_UP_TO ? [Buffer.concat(pieces)] : pieces;
  }

  /** The members that are still bytes, those with nothing but a comma between them as one span. */
  #runs(): readonly { readonly start: number; readonly end: number }[] {
    const runs: { start: number; end: number }[] = [];
    let run: { start: number; end: number } | undefined;
    for (const { start, end } of this.#members) {
      // Members that were left out stand between others with a comma on either side.
      if (run !== undefined && skipSpace(this.#bytes, skipSpace(this.#bytes, run.end) + 1) === start) run.end = end;
      else {
        run = { start, end };
        runs.push(run);
      }
    }
    return runs;
  }

  /** For `JSON.stringify`. */
  toJSON(): { result: JsonObject } {
    return { result: this.result };
  }
}
