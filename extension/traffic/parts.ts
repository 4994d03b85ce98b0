/** What everything about traffic works with. */
import type * as VSCode from 'vscode';
import type { RecordingInfo } from '../../daemon/api/recordings.ts';
import type { TapFilter } from '../../daemon/api/sessions.ts';
import type { DaemonConnection } from '../daemon/connection.ts';
import type { Log } from '../log.ts';
import type { TrafficDocuments } from './documents.ts';

/** What the record button needs. */
export interface RecordingSwitch {
  /** Being written now, the last begun first. */
  readonly live: readonly RecordingInfo[];
  start(filter: TapFilter): Promise<unknown>;
  stop(): Promise<unknown>;
  onChange(listener: () => void): () => void;
}

/** What a tab works with. */
export interface TrafficParts {
  readonly vscode: typeof VSCode;
  readonly daemon: DaemonConnection;
  readonly log: Log;
  readonly documents: TrafficDocuments;
  readonly recordings: RecordingSwitch;
  /** Folder of the extension. */
  readonly extension: VSCode.Uri;
}
