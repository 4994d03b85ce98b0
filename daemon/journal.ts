/** The daemon's log and the last lines each server wrote to stderr; nothing secret gets in. */
import { appendFileSync, renameSync, statSync } from 'node:fs';
import type { ControlEvents } from './api/control.ts';

/** A log line's weight. */
export type Level = ControlEvents['log']['level'];

/** Lines of stderr kept for each server. */
const STDERR_LINES = 500;
/** Size at which the log file is put aside (one old file is kept). */
const LOG_BYTES = 4 * 1024 * 1024;

/** Writes the log and remembers stderr. */
export class Journal {
  readonly #file: string;
  readonly #redact: (text: string) => string;
  readonly #onLine: (line: ControlEvents['log']) => void;
  readonly #stderr = new Map<string, string[]>();

  constructor(options: {
    readonly logFile: string;
    readonly redact: (text: string) => string;
    readonly onLine: (line: ControlEvents['log']) => void;
  }) {
    this.#file = options.logFile;
    this.#redact = options.redact;
    this.#onLine = options.onLine;
    this.#rotate();
  }

  /** Appends one line; bound, so that it can be handed out. */
  readonly log = (level: Level, message: string): void => {
    const line = { level, message: this.#redact(message), time: new Date().toISOString() };
    appendFileSync(this.#file, `${line.time} ${level} ${line.message.replaceAll('\n', '\\n')}\n`, { mode: 0o600 });
    this.#onLine(line);
  };

  /** Remembers a line a server wrote to stderr. */
  stderr(server: string, workspace: string | undefined, line: string): void {
    const key = `${workspace ?? ''}\n${server}`;
    const lines = this.#stderr.get(key) ?? [];
    lines.push(this.#redact(line));
    if (lines.length > STDERR_LINES) lines.shift();
    this.#stderr.set(key, lines);
  }

  /** What a server wrote to stderr lately. */
  lines(server: string, workspace: string | undefined): readonly string[] {
    return this.#stderr.get(`${workspace ?? ''}\n${server}`) ?? [];
  }

  #rotate(): void {
    const size = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
    if (size > LOG_BYTES) renameSync(this.#file, `${this.#file}.1`);
  }
}
