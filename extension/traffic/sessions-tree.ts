/** The "Sessions" view: who is connected, and who was. A row opens its traffic. */
import type * as VSCode from 'vscode';
import type { SessionInfo } from '../../daemon/api/sessions.ts';
import type { DaemonConnection } from '../daemon/connection.ts';
import { localFolders } from '../views/folders.ts';

/** Rows: open sessions first, then ended ones, each the newest first. Starts no daemon. */
export class SessionsTree implements VSCode.TreeDataProvider<SessionInfo> {
  readonly #vscode: typeof VSCode;
  readonly #daemon: DaemonConnection;
  readonly #changed: VSCode.EventEmitter<undefined>;
  readonly #unsubscribe: () => void;
  readonly onDidChangeTreeData: VSCode.Event<undefined>;

  constructor(vscode: typeof VSCode, daemon: DaemonConnection) {
    this.#vscode = vscode;
    this.#daemon = daemon;
    this.#changed = new vscode.EventEmitter();
    this.onDidChangeTreeData = this.#changed.event;
    this.#unsubscribe = daemon.onChange((changes) => {
      if (changes.includes('sessions') || changes.includes('connection')) this.#changed.fire(undefined);
    });
  }

  dispose(): void {
    this.#unsubscribe();
    this.#changed.dispose();
  }

  async getChildren(node?: SessionInfo): Promise<SessionInfo[]> {
    if (node !== undefined || this.#daemon.state !== 'running') return [];
    const { sessions } = await this.#daemon.call('sessions/list', { ended: true });
    const folders = localFolders(this.#vscode);
    const foreign = new Set(this.#daemon.status?.workspaces.filter(({ folder }) => !folders.includes(folder)).map(({ id }) => id));
    return sessions
      .filter(({ workspace }) => workspace === undefined || !foreign.has(workspace))
      .toSorted((a, b) => Number(a.endedAt !== undefined) - Number(b.endedAt !== undefined) || (a.lastAt < b.lastAt ? 1 : -1));
  }

  getTreeItem(session: SessionInfo): VSCode.TreeItem {
    const { TreeItem, TreeItemCollapsibleState, ThemeIcon, ThemeColor, l10n } = this.#vscode;
    const item = new TreeItem(session.client, TreeItemCollapsibleState.None);
    item.id = session.id;
    const words = [
      session.endpoint,
      l10n.t('{0} calls', session.calls),
      ...(session.errors > 0 ? [l10n.t('{0} errors', session.errors)] : []),
      ...(session.endedAt === undefined ? [] : [l10n.t('ended')]),
    ];
    item.description = words.join(' · ');
    const { name, version } = session.clientInfo ?? {};
    item.tooltip = [
      ...(name === undefined ? [] : [l10n.t('Calls itself {0}', [name, version].filter((word) => word !== undefined).join(' '))]),
      [session.transport, session.era].filter((word) => word !== undefined).join(', '),
      l10n.t('since {0}', session.openedAt),
    ].join('\n');
    item.iconPath =
      session.endedAt === undefined
        ? new ThemeIcon('plug', new ThemeColor(session.errors > 0 ? 'list.warningForeground' : 'testing.iconPassed'))
        : new ThemeIcon('debug-disconnect', new ThemeColor('disabledForeground'));
    item.contextValue = session.endedAt === undefined ? 'signalbox.session' : 'signalbox.session.ended';
    item.accessibilityInformation = { label: `${session.client}, ${words.join(', ')}` };
    item.command = { command: 'signalbox.showTraffic', title: l10n.t('Show Traffic'), arguments: [session] };
    return item;
  }
}
