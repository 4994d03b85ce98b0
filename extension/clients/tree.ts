/** The Clients view: which are on this machine, which are wired, which are connected at this moment. */
import type * as VSCode from 'vscode';
import type { SessionInfo } from '../../daemon/api/sessions.ts';
import type { DaemonConnection } from '../daemon/connection.ts';
import type { Cli } from '../daemon/start.ts';
import { describeClient, listClients } from './connect.ts';
import type { ListedClient } from './plan.ts';

/** Data of the `signalbox.clients` view. What is wired is read from the clients' files when the view is shown, who is connected is the daemon's. */
export class ClientsTree implements VSCode.TreeDataProvider<ListedClient> {
  readonly #vscode: typeof VSCode;
  readonly #daemon: DaemonConnection;
  readonly #cli: Cli;
  readonly #changed: VSCode.EventEmitter<ListedClient | undefined>;
  readonly #unsubscribe: () => void;
  #listed: Promise<readonly ListedClient[]> | undefined;
  readonly onDidChangeTreeData: VSCode.Event<ListedClient | undefined>;

  constructor(vscode: typeof VSCode, daemon: DaemonConnection, cli: Cli) {
    this.#vscode = vscode;
    this.#daemon = daemon;
    this.#cli = cli;
    this.#changed = new vscode.EventEmitter();
    this.onDidChangeTreeData = this.#changed.event;
    this.#unsubscribe = daemon.onChange((changes) => {
      if (changes.some((change) => change === 'sessions' || change === 'connection')) this.#changed.fire(undefined);
    });
  }

  dispose(): void {
    this.#unsubscribe();
    this.#changed.dispose();
  }

  /** Reads the clients' files again. */
  refresh(): void {
    this.#listed = undefined;
    this.#changed.fire(undefined);
  }

  async getChildren(node?: ListedClient): Promise<ListedClient[]> {
    if (node !== undefined) return [];
    this.#listed ??= listClients(this.#vscode, this.#cli);
    let clients: readonly ListedClient[];
    try {
      clients = await this.#listed;
    } catch (error) {
      this.#listed = undefined; // the next look tries again
      throw error;
    }
    const sessions = await this.#sessions();
    const rank = (client: ListedClient): number =>
      (client.sessions ?? 0) * 4 + (client.scopes.some(({ wired }) => wired) ? 2 : 0) + (client.installed ? 1 : 0);
    return clients
      .map((client) => ({ ...client, sessions: sessions.filter((session) => session.client === client.name).length }))
      .sort((a, b) => Math.sign(rank(b)) - Math.sign(rank(a)) || rank(b) - rank(a));
  }

  getTreeItem(client: ListedClient): VSCode.TreeItem {
    const { TreeItem, TreeItemCollapsibleState, ThemeIcon, ThemeColor, MarkdownString } = this.#vscode;
    const item = new TreeItem(client.title, TreeItemCollapsibleState.None);
    const wired = client.scopes.filter((scope) => scope.wired);
    const problem = client.scopes.find((scope) => scope.problem !== undefined)?.problem;
    item.id = client.name;
    item.description = describeClient(this.#vscode, client);
    const [icon, color] = looks(client, problem !== undefined);
    item.iconPath = new ThemeIcon(icon, new ThemeColor(color));
    const tooltip = new MarkdownString();
    for (const { scope, file } of wired) tooltip.appendText(`${scope}: ${file}\n\n`);
    if (problem !== undefined) tooltip.appendText(`${problem.code}: ${problem.message}\n${problem.cause}\n${problem.fix}`);
    item.tooltip = tooltip;
    item.contextValue = wired.length > 0 ? 'signalbox.client.wired' : 'signalbox.client.free';
    return item;
  }

  /** The open sessions; none where no daemon runs: looking starts none. */
  async #sessions(): Promise<readonly SessionInfo[]> {
    if (this.#daemon.state !== 'running') return [];
    const { sessions } = await this.#daemon.call('sessions/list', {});
    return sessions.filter(({ endedAt }) => endedAt === undefined);
  }
}

function looks({ sessions = 0, scopes, installed }: ListedClient, problem: boolean): [icon: string, color: string] {
  if (problem) return ['warning', 'list.warningForeground'];
  if (sessions > 0) return ['broadcast', 'testing.iconPassed'];
  if (scopes.some(({ wired }) => wired)) return ['plug', 'icon.foreground'];
  return [installed ? 'debug-disconnect' : 'circle-outline', 'disabledForeground'];
}
