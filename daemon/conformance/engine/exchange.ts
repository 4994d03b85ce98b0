/** What goes into an exchange with the server under test, and what comes of it. */
import type { Target } from '../../api/conformance.ts';
import { type Era, META, MODERN_VERSION } from '../../protocol/eras.ts';
import { type JsonObject, metaOf } from '../../protocol/message.ts';
import type { Frame, HttpFacts, SendOptions, Wire, WireListener } from '../transports/wire.ts';
import type { MarkedArgument } from './param-headers.ts';

/** What became of a request. */
export interface Answer {
  readonly id: unknown;
  readonly message: JsonObject | undefined;
  readonly result: JsonObject | undefined;
  readonly error: JsonObject | undefined;
  /** Frames other than the response that came meanwhile (stdio) or on the same stream (HTTP). */
  readonly others: readonly Frame[];
  readonly http: HttpFacts | undefined;
  /** Milliseconds from sending to the response. */
  readonly ms: number;
}

/** How a request is made. */
export interface RequestOptions extends SendOptions {
  readonly id?: unknown;
  /** Members of `_meta` beside the envelope. */
  readonly meta?: JsonObject;
  /** Modern: no envelope is added. */
  readonly bare?: boolean;
  /** Modern: capabilities of this request. */
  readonly capabilities?: JsonObject;
  /** The request is wrong on purpose, in its headers or its version. */
  readonly provoked?: boolean;
  /** Milliseconds to wait for the response. */
  readonly limitMs?: number;
  /** Gives the wait up earlier; over HTTP the stream is cut. */
  readonly until?: Promise<unknown>;
}

/** Requests of a run that went unanswered, and the milliseconds the others are given from then on. */
const WEARING: readonly (readonly [silences: number, ms: number])[] = [
  [8, 300],
  [3, 1000],
];

/** Milliseconds an HTTP stream has to end behind its response, at first and once several did not. */
const [GRACE_MS, SHORT_GRACE_MS] = [1500, 150];

/** How long is waited for what does not come. A server that drops a kind of message drops it in every case: the first few times it has its whole time. */
export class Patience {
  #silences = 0;
  #open = 0;

  /** A request had its time and no answer. */
  silence(): void {
    this.#silences++;
  }

  /** A stream was still open when its time was over. */
  lingering(): void {
    this.#open++;
  }

  /** Milliseconds for a request that would be given `limitMs`. */
  limit(limitMs: number): number {
    return Math.min(limitMs, WEARING.find(([silences]) => this.#silences >= silences)?.[1] ?? limitMs);
  }

  /** Milliseconds for a stream to end behind its response. */
  get grace(): number {
    return this.#open < 3 ? GRACE_MS : SHORT_GRACE_MS;
  }
}

/** Settings of a connection. */
export interface SessionOptions {
  readonly target: Target;
  readonly era: Era;
  readonly exercised: Map<string, number>;
  /** Milliseconds a request may take. */
  readonly limitMs: number;
  /** Shared by connections that stop waiting so long for what was silent so often; without it every request has its whole time. */
  readonly patience?: Patience;
  readonly capabilities?: JsonObject;
  /** Legacy version to ask for. */
  readonly version?: string;
  /** Gives the connection's process; without it one is started. stdio only. */
  readonly process?: (listener: WireListener) => Wire;
  /** Arguments that are mirrored into headers, by tool. */
  readonly marked?: ReadonlyMap<string, readonly MarkedArgument[]>;
  /** Leaves the handshake to the property. */
  readonly raw?: boolean;
  /** Answers requests of the server; undefined is answered with -32601. */
  readonly respond?: (method: string, params: JsonObject) => JsonObject | { readonly code: number; readonly message: string } | undefined;
}

/** Who the tester says it is. */
export const IDENTITY = { name: 'signalbox-conform', version: '1.0.0' };

/** A request as it is sent: the modern era's envelope in `_meta` unless it is left out on purpose. */
export function composed(
  era: Era,
  request: { readonly id: unknown; readonly method: string; readonly params: JsonObject | undefined; readonly capabilities: JsonObject },
  options: RequestOptions,
): JsonObject {
  const { id, method, params, capabilities } = request;
  const envelope =
    era === 'modern' && options.bare !== true
      ? {
          [META.version]: MODERN_VERSION,
          [META.clientInfo]: IDENTITY,
          [META.clientCapabilities]: options.capabilities ?? capabilities,
        }
      : undefined;
  const meta = envelope === undefined && options.meta === undefined ? undefined : { ...envelope, ...metaOf(params), ...options.meta };
  const whole = meta === undefined ? params : { ...params, _meta: meta };
  return { jsonrpc: '2.0', id, method, ...(whole === undefined ? {} : { params: whole }) };
}
