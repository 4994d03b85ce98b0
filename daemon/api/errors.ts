/**
 * The error catalogue: every error a person can see has one entry here and one section in docs/errors.md.
 * `exit` is the CLI's exit code: 1 the thing checked failed, 2 wrong usage or configuration, 3 daemon not reachable.
 */
export const ERROR_CODES = {
  SBX_USAGE: 2,
  SBX_CONFIG_SYNTAX: 2,
  SBX_CONFIG_INVALID: 2,
  SBX_CONFIG_RESERVED: 2,
  SBX_CONFIG_READ: 2,
  SBX_ALIAS_INVALID: 2,
  SBX_SECRET_MISSING: 2,
  SBX_SECRET_NOT_GRANTED: 2,
  SBX_SECRET_STORE: 2,
  SBX_VARIABLE_UNKNOWN: 2,
  SBX_WORKSPACE_UNTRUSTED: 2,
  SBX_WORKSPACE_CHANGED: 2,
  SBX_WORKSPACE_UNKNOWN: 2,
  SBX_WORKSPACE_WIDENS: 2,
  SBX_NODE_TOO_OLD: 2,
  SBX_STATE_INSECURE: 2,
  SBX_DAEMON_UNREACHABLE: 3,
  SBX_DAEMON_START: 3,
  SBX_DAEMON_VERSION: 3,
  SBX_IDENTITY: 3,
  SBX_RUNTIME_STALE: 3,
  SBX_PORT_TAKEN: 1,
  SBX_NO_PORT: 1,
  SBX_TOKEN_MISSING: 1,
  SBX_TOKEN_INVALID: 1,
  SBX_TOKEN_WRONG_ENDPOINT: 1,
  SBX_HOST_REFUSED: 1,
  SBX_ORIGIN_REFUSED: 1,
  SBX_ENDPOINT_UNKNOWN: 1,
  SBX_SESSION_UNKNOWN: 1,
  SBX_SESSION_NOT_A_REQUEST: 1,
  SBX_EVENT_UNKNOWN: 1,
  SBX_TAIL_UNKNOWN: 1,
  SBX_MESSAGE_TOO_LARGE: 1,
  SBX_MESSAGE_INVALID: 1,
  SBX_PROTOCOL_VERSION: 1,
  SBX_HEADER_MISMATCH: 1,
  SBX_METHOD_UNKNOWN: 1,
  SBX_TOOL_UNKNOWN: 1,
  SBX_RESOURCE_UNKNOWN: 1,
  SBX_PROMPT_UNKNOWN: 1,
  SBX_TASK_UNKNOWN: 1,
  SBX_CURSOR_INVALID: 1,
  SBX_SERVER_UNKNOWN: 1,
  SBX_SERVER_COMMAND: 1,
  SBX_SERVER_EXITED: 1,
  SBX_SERVER_TIMEOUT: 1,
  SBX_SERVER_NOT_JSON: 1,
  SBX_SERVER_PROTOCOL: 1,
  SBX_SERVER_HTTP: 1,
  SBX_SERVER_UNREACHABLE: 1,
  SBX_SERVER_DISABLED: 1,
  SBX_CALL_INTERRUPTED: 1,
  SBX_CALL_CANCELLED: 1,
  SBX_QUESTION_UNSUPPORTED: 1,
  SBX_QUESTION_AMBIGUOUS: 1,
  SBX_QUESTION_ROUNDS: 1,
  SBX_STATE_INVALID: 1,
  SBX_CALL_EXPIRED: 1,
  SBX_FEDERATION_LOOP: 1,
  SBX_BUSY: 1,
  SBX_RATE_LIMITED: 1,
  SBX_CIRCUIT_OPEN: 1,
  SBX_DEFINITION_CHANGED: 1,
  SBX_PATTERN: 1,
  SBX_REPLAY_RULES: 2,
  SBX_REPLAY_NOTHING: 2,
  SBX_REPLAY_MISS: 1,
  SBX_REPLAY_EDGE: 2,
  SBX_REPLAY_UNKNOWN: 1,
  SBX_FAULT: 1,
  SBX_FAULT_RULE: 2,
  SBX_PLUGIN_NOT_FOUND: 2,
  SBX_PLUGIN_MANIFEST: 2,
  SBX_PLUGIN_SETTINGS: 2,
  SBX_PLUGIN_CRASHED: 1,
  SBX_FS_ROOT: 2,
  SBX_FS_REFUSED: 1,
  SBX_FS_NOT_FOUND: 1,
  SBX_FS_TOO_LARGE: 1,
  SBX_FS_NOT_TEXT: 1,
  SBX_FS_EXISTS: 1,
  SBX_FS_CHANGED: 1,
  SBX_FS_READ_ONLY: 1,
  SBX_FS_EDIT: 1,
  SBX_FS_NOT_MEDIA: 1,
  SBX_FS_PATTERN: 1,
  SBX_FS_CURSOR: 1,
  SBX_DB_CONNECTION: 2,
  SBX_DB_REFUSED: 1,
  SBX_DB_SQL: 1,
  SBX_DB_DEADLINE: 1,
  SBX_DB_SETTINGS: 2,
  SBX_DB_LIMIT: 1,
  SBX_DB_BUSY: 1,
  SBX_DB_DECLINED: 1,
  SBX_API_SPEC: 2,
  SBX_API_INPUT: 1,
  SBX_API_REFUSED: 1,
  SBX_API_FAILED: 1,
  SBX_API_STATUS: 1,
  SBX_API_AUTH: 1,
  SBX_API_LIMITED: 1,
  SBX_API_TIMEOUT: 1,
  SBX_API_TLS: 1,
  SBX_WIRE_CONFLICT: 1,
  SBX_WIRE_UNREADABLE: 1,
  SBX_WIRE_UNWRITABLE: 1,
  SBX_WIRE_NOTHING: 1,
  SBX_WIRE_CLIENT: 1,
  SBX_CONFORM_TARGET: 2,
  SBX_CONFORM_SETTINGS: 2,
  SBX_CONFORM_CASE: 2,
  SBX_CONFORM_RUN: 1,
  SBX_CONFORM_RUNNER: 1,
  SBX_CONFORM_RESET: 1,
  SBX_LAUNCHER: 1,
  SBX_RECORDING_UNKNOWN: 1,
  SBX_RECORDING_VERSION: 1,
  SBX_RECORDING_DAMAGED: 1,
  SBX_RECORDING_WRITE: 1,
  SBX_RECORDING_LIVE: 1,
  SBX_RECORDING_IMPORT: 1,
  SBX_INTERNAL: 1,
} as const;

/** A code of the catalogue. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** The shape of an error on every wire of ours (control channel, `--json`, `error.data` towards clients). */
export interface ErrorShape {
  readonly code: ErrorCode;
  /** What happened, one sentence. */
  readonly message: string;
  /** Why it happened. */
  readonly cause: string;
  /** What to do next. */
  readonly fix: string;
}

/** An error meant for a person: a code of the catalogue, what happened, why, and what to do next. */
export class SignalboxError extends Error {
  override readonly name = 'SignalboxError';
  readonly code: ErrorCode;
  readonly why: string;
  readonly fix: string;

  /**
   * @param code entry of the catalogue
   * @param message what happened, one sentence, naming the thing it happened to
   * @param detail why it happened, what to do next, and the underlying error if there is one
   */
  constructor(code: ErrorCode, message: string, detail: { why: string; fix: string; cause?: unknown }) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.why = detail.why;
    this.fix = detail.fix;
  }

  /** The wire form: `{code, message, cause, fix}`. */
  toJSON(): ErrorShape {
    return { code: this.code, message: this.message, cause: this.why, fix: this.fix };
  }
}

/** Turns anything thrown into an {@link ErrorShape}; what is not ours becomes `SBX_INTERNAL` with its message as the cause. */
export function errorShape(thrown: unknown): ErrorShape {
  if (thrown instanceof SignalboxError) return thrown.toJSON();
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    code: 'SBX_INTERNAL',
    message: 'Something failed inside Signalbox.',
    cause: why,
    fix: 'Run `signalbox logs` for the trace and report it with `signalbox doctor --json`.',
  };
}

/** Rebuilds a {@link SignalboxError} from its wire form. */
export function errorFromShape(shape: ErrorShape): SignalboxError {
  return new SignalboxError(shape.code, shape.message, { why: shape.cause, fix: shape.fix });
}
