/** The "Recordings" view. */
import type * as VSCode from 'vscode';
import type { RecordingInfo } from '../../daemon/api/recordings.ts';
import type { Recordings } from './recordings.ts';

/** Rows of the view, the newest first; empty means the welcome view. */
export class RecordingsTree implements VSCode.TreeDataProvider<RecordingInfo> {
  readonly #vscode: typeof VSCode;
  readonly #recordings: Recordings;
  readonly #changed: VSCode.EventEmitter<undefined>;
  readonly #unsubscribe: () => void;
  readonly onDidChangeTreeData: VSCode.Event<undefined>;

  constructor(vscode: typeof VSCode, recordings: Recordings) {
    this.#vscode = vscode;
    this.#recordings = recordings;
    this.#changed = new vscode.EventEmitter();
    this.onDidChangeTreeData = this.#changed.event;
    this.#unsubscribe = recordings.onChange(() => {
      this.#changed.fire(undefined);
      void vscode.commands.executeCommand('setContext', 'signalbox.recording', recordings.live.length > 0);
    });
  }

  dispose(): void {
    this.#unsubscribe();
    this.#changed.dispose();
  }

  async getChildren(node?: RecordingInfo): Promise<RecordingInfo[]> {
    return node === undefined ? [...(await this.#recordings.list())] : [];
  }

  getTreeItem(recording: RecordingInfo): VSCode.TreeItem {
    const { TreeItem, TreeItemCollapsibleState, ThemeIcon, ThemeColor, MarkdownString, l10n } = this.#vscode;
    const serving = this.#recordings.serving(recording);
    const item = new TreeItem(recording.name ?? recording.id, TreeItemCollapsibleState.None);
    item.id = recording.path;
    item.description = describe(recording, l10n.t, serving !== undefined);
    item.contextValue = `signalbox.recording${recording.live ? '.live' : ''}${serving === undefined ? '' : '.served'}`;
    item.iconPath = recording.live
      ? new ThemeIcon('record', new ThemeColor('charts.red'))
      : new ThemeIcon(serving === undefined ? 'history' : 'broadcast');
    item.tooltip = new MarkdownString();
    const lines = [
      recording.path,
      l10n.t('Clients: {0}', recording.clients.join(', ') || '–'),
      l10n.t('Servers: {0}', recording.servers.join(', ') || '–'),
      ...(recording.gaps > 0 ? [l10n.t('{0} gaps: something is missing', recording.gaps)] : []),
      ...(serving === undefined ? [] : [l10n.t('Served at {0}', serving.url)]),
    ];
    // As text: names come from outside.
    for (const line of lines) item.tooltip.appendText(`${line}\n`);
    item.accessibilityInformation = { label: `${item.label}, ${item.description}` };
    item.command = { command: 'signalbox.openRecording', title: l10n.t('Open'), arguments: [recording] };
    return item;
  }
}

/** The words after a recording's name. */
export function describe(recording: RecordingInfo, t: (message: string, ...args: (string | number)[]) => string, served: boolean): string {
  const words = [
    recording.live ? t('recording') : recording.createdAt.slice(0, 16).replace('T', ' '),
    t('{0} frames', recording.frames),
    ...(recording.gaps > 0 ? [t('{0} gaps', recording.gaps)] : []),
    ...(served ? [t('served')] : []),
  ];
  return words.join(' · ');
}
