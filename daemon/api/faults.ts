/** Faults put into calls on purpose: what rules say, and what the control channel does with them. */

/**
 * What goes wrong. `latency`: the answer comes `ms` later. `drop`: the server runs the call and its answer is lost (`lose: "request"`: the
 * server never hears of it). `error`: the call is answered with an error and the server never hears of it. `truncate`: the answer is cut off
 * after `bytes` bytes. `disconnect`: the connection breaks where the answer should come.
 */
export type FaultKind = 'latency' | 'drop' | 'error' | 'truncate' | 'disconnect';
/** The kinds, in the order of the documentation. */
export const FAULT_KINDS: readonly FaultKind[] = ['latency', 'drop', 'error', 'truncate', 'disconnect'];

/** One rule. Without a condition it holds for every request but the handshake; every given condition must hold. */
export interface FaultRule {
  readonly fault: FaultKind;
  /** Name of the server; `*` stands for any characters, here and below. */
  readonly server?: string;
  readonly method?: string;
  /** The server's own name of a tool or prompt, or a URI. */
  readonly tool?: string;
  /** Only the nth request that fits, from 1. */
  readonly nth?: number;
  /** Each request that fits, with this probability (0 to 1). */
  readonly probability?: number;
  /** What the dice are thrown with: same seed, same faults. Default 1. */
  readonly seed?: number;
  /** After so many faults the rule is spent. */
  readonly times?: number;
  /** `latency`: milliseconds. */
  readonly ms?: number;
  /** `truncate`: bytes that still come. Default: half of them. */
  readonly bytes?: number;
  /** `error`: JSON-RPC code and message. Default -32603. */
  readonly code?: number;
  readonly message?: string;
  /** `drop`: default `answer`. */
  readonly lose?: 'request' | 'answer';
}

/** What becomes of one request. */
export interface FaultVerdict {
  /** Milliseconds its answer waits. */
  readonly ms: number;
  /** What else goes wrong with it. */
  readonly rule: FaultRule | undefined;
}
/** Decides about one request before it is sent; undefined = nothing goes wrong. */
export type FaultJudge = (request: {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}) => FaultVerdict | undefined;

/** A rule in force. */
export interface FaultInfo {
  readonly id: string;
  readonly rule: FaultRule;
  /** Who made it: a person for now (`signalbox faults set`), or the entry of the server in the configuration. */
  readonly from: 'set' | 'configuration';
  /** Requests that fitted, and faults it made. */
  readonly seen: number;
  readonly made: number;
  /** When it goes by itself. */
  readonly until?: string;
}

/** The part of the control channel about faults. */
export interface FaultMethods {
  /** The rule holds until it is cleared, `minutes` are over (default 60), or the daemon ends: it is never written to a file. */
  'faults/set': { params: { rule: Record<string, unknown>; minutes?: number }; result: FaultInfo };
  'faults/list': { params: Record<string, never>; result: { faults: readonly FaultInfo[] } };
  /** Without an id all that were set. Those of the configuration stay. */
  'faults/clear': { params: { id?: string }; result: { cleared: number } };
}
