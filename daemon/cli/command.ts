/** What a command is, and what it gets to work with. One file per command; `commands.ts` is the table. */
import type { Readable, Writable } from 'node:stream';
import type { ControlClient } from '../api/control-client.ts';
import type { Paths } from '../api/paths.ts';

/** One flag of a command: `--name`, or `--name VALUE` when it is a string. */
export interface Option {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  /** What stands for the value in the help: `DIR`, `NAME`. */
  readonly value?: string;
  readonly summary: string;
}

/** One verb of the command line. */
export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** The forms it takes, one a line, each beginning with `signalbox`. */
  readonly usage: readonly string[];
  /** Its own flags; `--json` and `--help` are everywhere. */
  readonly options: Readonly<Record<string, Option>>;
  /** More to read in its help: paragraphs. */
  readonly details?: readonly string[];
  /** Whole command lines that work, for its help. */
  readonly examples?: readonly string[];
  /** Everything after the name is handed over unparsed in `args` (`serve`). */
  readonly raw?: boolean;
  /**
   * Does the work and returns the exit code: 0 done, 1 the thing checked failed, 2 wrong usage or configuration, 3 no daemon.
   * @throws SignalboxError, whose code decides the exit code
   */
  run(context: CommandContext): Promise<number>;
}

/** The flags as given. */
export interface Flags {
  /** Value of a string flag, the last one given. */
  text(name: string): string | undefined;
  /** Every value of a flag that may be repeated. */
  list(name: string): readonly string[];
  /** Whether a boolean flag was given. */
  on(name: string): boolean;
}

/** What a command works with. Everything of the process is a parameter, so a command runs in a test as it runs in a terminal. */
export interface CommandContext {
  readonly paths: Paths;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** `--json`: one JSON document on stdout and nothing else. */
  readonly json: boolean;
  readonly flags: Flags;
  /** What stands after the command's name and is not a flag. */
  readonly args: readonly string[];
  /** `--` stood before all of them: they are the command line of another program. */
  readonly terminated?: boolean;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** The result: `value` as JSON under `--json`, else the text. */
  result(value: unknown, text: string | (() => string)): void;
  /** A line for a person, never on stdout: progress, hints. */
  note(text: string): void;
  /** Asks y/N on a terminal; `false` when there is none. */
  confirm(question: string): Promise<boolean>;
  /** All of standard input as text. */
  readInput(): Promise<string>;
  /**
   * The running daemon's control channel, closed when the command ends.
   * @throws SBX_DAEMON_UNREACHABLE when none runs (exit 3)
   */
  connect(): Promise<ControlClient>;
}
