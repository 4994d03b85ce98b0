/** Everything about sessions in one place: the Sessions and Recordings views, the tabs with traffic, and their documents. */
import type * as VSCode from 'vscode';
import type { DaemonConnection } from './daemon/connection.ts';
import type { Log } from './log.ts';
import { type RecordingParts, Recordings } from './recordings/recordings.ts';
import { RecordingsTree } from './recordings/tree.ts';
import { TrafficDocuments } from './traffic/documents.ts';
import { SessionsTree } from './traffic/sessions-tree.ts';
import { TrafficTabs } from './traffic/tabs.ts';
import { localFolders } from './views/folders.ts';

/** What commands and tests hold. */
export interface SessionViews extends RecordingParts {
  dispose(): void;
}

/** Registers views, documents and the tabs that come back after a reload. Asks the daemon for nothing. */
export function showSessions(vscode: typeof VSCode, daemon: DaemonConnection, log: Log, extension: VSCode.Uri): SessionViews {
  const documents = new TrafficDocuments(vscode);
  const recordings = new Recordings(daemon, () => localFolders(vscode));
  const parts = { vscode, daemon, log, documents, recordings, extension };
  const tabs = new TrafficTabs(parts);
  const sessionsTree = new SessionsTree(vscode, daemon);
  const recordingsTree = new RecordingsTree(vscode, recordings);
  const all = vscode.Disposable.from(
    documents,
    recordings,
    tabs,
    sessionsTree,
    recordingsTree,
    vscode.window.createTreeView('signalbox.sessions', { treeDataProvider: sessionsTree }),
    vscode.window.createTreeView('signalbox.recordings', { treeDataProvider: recordingsTree }),
  );
  return { ...parts, tabs, dispose: () => all.dispose() };
}
