/** What wiring is: putting Signalbox into one client's own configuration, visibly, reversibly, and touching nothing else in it. */
import type { Paths } from '../api/paths.ts';

/** Key of our entry in every client. */
export const SERVER_KEY = 'signalbox';

/** How far a wiring reaches: everywhere, this user in this project, or everyone who has this project. */
export type Scope = 'user' | 'local' | 'project';

/** Everything a wiring needs to know of the process it runs in. */
export interface WiringEnvironment {
  readonly paths: Paths;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute folder the command was given in: the project of the scopes `local` and `project`. */
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  /** The user's home folder. */
  readonly home: string;
}

/** What a wiring would do. */
export interface WiringPlan {
  readonly client: string;
  readonly scope: Scope;
  /** The client's file, absolute. */
  readonly file: string;
  /** `command`: the client's own command line is asked to do it; `file`: we change the file; `none`: it is there already. */
  readonly method: 'command' | 'file' | 'none';
  /** The exact command line, quoted for a POSIX shell; only with method `command`. */
  readonly command?: string;
  /** Unified diff of the file; only with method `file`. */
  readonly diff?: string;
}

/** What a wiring did. */
export interface WiringResult extends WiringPlan {
  /** Whether the client's file was changed. */
  readonly changed: boolean;
  /** Verbatim copy of the file as it was before, absolute; absent when there was no file. */
  readonly backup?: string;
}

/** What taking a wiring back did. */
export interface UndoResult {
  readonly client: string;
  readonly scope: Scope;
  readonly file: string;
  /** `gone`: our entry was not there any more, only the record was dropped. */
  readonly outcome: 'restored' | 'gone';
  /** Unified diff of what was (or, in a preview, would be) changed; the whole file is never shown. */
  readonly diff: string;
}

/** One client in one scope. Every method may throw `SBX_WIRE_UNREADABLE` (the file cannot be parsed) and `SBX_WIRE_CONFLICT` (it is not ours to change). */
export interface Wiring {
  /** What `write` would do; changes nothing. */
  preview(): Promise<WiringPlan>;
  /** Backs up, then writes our entry; does nothing when it is there already. */
  write(): Promise<WiringResult>;
  /**
   * Puts back exactly what stood under our key before, and changes nothing with `preview`.
   * @throws SBX_WIRE_NOTHING when nothing was wired here
   */
  undo(options?: { readonly preview?: boolean }): Promise<UndoResult>;
  /** Our entry as it stands there now; `undefined` when there is none. */
  current(): { readonly file: string; readonly entry: object } | undefined;
}
