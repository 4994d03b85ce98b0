/** What the extension and the traffic page say to each other. Both sides import these types and nothing else of each other. */
import type { SessionInfo, TrafficRow } from '../../daemon/api/sessions.ts';

/** What the page shows beside rows; sent whenever it changes. */
export interface PageState {
  readonly title: string;
  /** Live traffic, or a recording. */
  readonly live: boolean;
  readonly query: string;
  /** What of the query was not understood. */
  readonly problems: readonly string[];
  readonly paused: boolean;
  /** Secrets are shown. */
  readonly revealed: boolean;
  /** Name of the recording that is being written, if one is. */
  readonly recording?: string;
  readonly sessions: readonly SessionInfo[];
  /** Why nothing comes, in words for people. */
  readonly trouble?: string;
  /** There are more rows than were loaded. */
  readonly more: boolean;
  /** What VS Code keeps of the tab, to bring it back after a reload of the window. */
  readonly content: object;
}

/** To the page. */
export type ToPage =
  | { readonly type: 'state'; readonly state: PageState; readonly strings?: Readonly<Record<string, string>> }
  | { readonly type: 'clear' }
  /** In the order of `seq`; the page answers each with an `ack` when it holds them. `dropped`: events that were lost before these. */
  | { readonly type: 'rows'; readonly batch: number; readonly rows: readonly TrafficRow[]; readonly dropped: number }
  /** Everything of one call, with messages: answer to `select`. `why` there is nothing, in words. */
  | { readonly type: 'call'; readonly seq: number; readonly rows: readonly TrafficRow[]; readonly why?: string };

/** From the page. */
export type FromPage =
  | { readonly type: 'ready' }
  | { readonly type: 'ack'; readonly batch: number }
  | { readonly type: 'query'; readonly text: string }
  | { readonly type: 'select'; readonly seq: number }
  | { readonly type: 'pause'; readonly paused: boolean }
  | { readonly type: 'record'; readonly on: boolean }
  | { readonly type: 'reveal'; readonly on: boolean }
  | { readonly type: 'more' }
  | { readonly type: 'open'; readonly seq: number }
  | { readonly type: 'resend'; readonly seq: number; readonly edit: boolean };
