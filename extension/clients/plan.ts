/** What `signalbox wire` says, and how it is shown. */

/** How far a wiring reaches. */
export type Scope = 'user' | 'local' | 'project';

/** A client as `wire --list --json` gives it. */
export interface ListedClient {
  readonly name: string;
  readonly title: string;
  readonly installed: boolean;
  readonly scopes: readonly {
    readonly scope: Scope;
    readonly file: string;
    readonly wired: boolean;
    readonly problem?: { readonly code: string; readonly message: string; readonly cause: string; readonly fix: string };
  }[];
  readonly sessions?: number;
}
/** The fields of `wire CLIENT --preview --json` that a preview needs. */
export interface WiringPlan {
  /** The client's file, absolute. */
  readonly file: string;
  /** `command`: the client's own command line does it; `file`: Signalbox changes the file; `none`: it is there already. */
  readonly method: 'command' | 'file' | 'none';
  readonly command?: string;
  /** Unified diff with one hunk. */
  readonly diff?: string;
}
/** What `wire CLIENT --check --json` says. */
export interface WiringCheck {
  readonly ok: boolean;
  readonly said: string;
}

/** The two sides of a unified diff, for VS Code's own diff editor: the changed lines and those around them, never the whole file. */
export function sidesOf(diff: string): { readonly before: string; readonly after: string } {
  const lines = diff.split('\n').filter((line) => !/^(---|\+\+\+|@@|\\)/.test(line));
  const side = (leave: string): string =>
    lines
      .filter((line) => !line.startsWith(leave))
      .map((line) => line.slice(1))
      .join('\n');
  return { before: side('+'), after: side('-') };
}
