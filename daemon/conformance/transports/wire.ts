/** What the engine needs of a transport: bytes out, frames in, and nothing hidden. */

/** A JSON text the server sent. */
export interface Frame {
  readonly text: string;
  /** The parsed text; undefined when it is not JSON (the wire reported that). */
  readonly value: unknown;
  /** `out` on stdio, `post:N` or `get:N` on HTTP. */
  readonly channel: string;
}

/** The HTTP side of one exchange. */
export interface HttpFacts {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body. */
  readonly bytes: number;
  readonly body: string;
  readonly frames: readonly Frame[];
  /** SSE fields other than data, in order. */
  readonly events: readonly SseEvent[];
  /** Whether the body came to its end (the stream was not cut by us or by an error). */
  readonly ended: boolean;
  /** The connection failed before a status came. */
  readonly failure?: string;
}

/** One event of a stream. */
export interface SseEvent {
  readonly data: string;
  readonly id?: string;
  readonly event?: string;
  readonly retry?: string;
}

/** What a wire tells its session. */
export interface WireListener {
  frame(frame: Frame): void;
  /** Something on the transport that breaks a rule by itself. `stem` names the requirement. */
  fault(stem: string, expected: string, got: string): void;
  /** The process ended or the connection was lost. */
  closed(why: string): void;
  /** For the trace: bytes or head lines as they passed. */
  trace(direction: '>' | '<', channel: string, text: string): void;
}

/** How one message is sent. */
export interface SendOptions {
  /** Sizes of the chunks the bytes are written in; the rest is one chunk. stdio only. */
  readonly chunks?: readonly number[];
  /** HTTP headers; null leaves a header out that would be sent. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly method?: 'POST' | 'GET' | 'DELETE';
  /** Longest wait for the end of the HTTP body in milliseconds. */
  readonly timeoutMs?: number;
}

/** A message on its way. */
export interface Sent {
  /** `out` or the number of the exchange. */
  readonly channel: string;
  /** The HTTP exchange when it ended, was cut or timed out; undefined on stdio. */
  readonly exchange?: Promise<HttpFacts>;
  /** Cuts the HTTP exchange. */
  abort(): void;
}

/** A live connection. */
export interface Wire {
  readonly kind: 'stdio' | 'http';
  /** False when the process ended. */
  readonly alive: boolean;
  send(bytes: Buffer, options?: SendOptions): Sent;
  /** Closes as a client should. Resolves with how a process ended. */
  close(limitMs: number): Promise<{ readonly code: number | null; readonly signal: string | null; readonly killed: boolean }>;
}

/** A strict UTF-8 text; undefined when the bytes are not UTF-8. */
export function strictText(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Parses without throwing. */
export function jsonOf(text: string): { readonly ok: boolean; readonly value?: unknown } {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false };
  }
}

/** A text short enough for a report. */
export function clip(text: string, length = 300): string {
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length} characters)`;
}
