/** The tree of the activity bar: endpoints, their servers with live state, the servers' tools. */
import type * as VSCode from 'vscode';
import type { EndpointStatus, ServerStatus, ToolInfo } from '../../daemon/api/control.ts';
import type { Change, DaemonConnection } from '../daemon/connection.ts';
import { visibleEndpoints } from '../endpoints/visible.ts';

/** A row of the tree. */
export type ServerNode =
  | { readonly kind: 'endpoint'; readonly endpoint: EndpointStatus }
  | { readonly kind: 'server'; readonly endpoint: EndpointStatus; readonly server: ServerStatus }
  | { readonly kind: 'tool'; readonly endpoint: EndpointStatus; readonly info: ToolInfo }
  | { readonly kind: 'failure'; readonly message: string; readonly detail: string };

/** Icon and colour of each state; the words are the daemon's own. */
const STATE_ICONS: Readonly<Record<ServerStatus['state'], readonly [icon: string, color?: string]>> = {
  idle: ['circle-outline'],
  starting: ['loading~spin'],
  ready: ['pass-filled', 'testing.iconPassed'],
  degraded: ['warning', 'list.warningForeground'],
  down: ['error', 'list.errorForeground'],
  disabled: ['circle-slash', 'disabledForeground'],
};

/** Data of the `signalbox.servers` view. It asks for the daemon only when VS Code asks for rows, which it does when the view is visible. */
export class ServersTree implements VSCode.TreeDataProvider<ServerNode> {
  readonly #vscode: typeof VSCode;
  readonly #daemon: DaemonConnection;
  readonly #changed: VSCode.EventEmitter<ServerNode | undefined>;
  readonly #unsubscribe: () => void;
  /** Tools by endpoint URL, until the daemon says something changed. */
  readonly #tools = new Map<string, Promise<readonly ToolInfo[]>>();
  /** Endpoints whose servers were woken since the connection was made: a server starts when its tools are first asked for. */
  readonly #woken = new Set<string>();
  readonly onDidChangeTreeData: VSCode.Event<ServerNode | undefined>;

  constructor(vscode: typeof VSCode, daemon: DaemonConnection) {
    this.#vscode = vscode;
    this.#daemon = daemon;
    this.#changed = new vscode.EventEmitter();
    this.onDidChangeTreeData = this.#changed.event;
    this.#unsubscribe = daemon.onChange((changes) => this.#forget(changes));
  }

  /** Drops what is remembered and draws again. */
  refresh(): void {
    this.#tools.clear();
    this.#changed.fire(undefined);
  }

  dispose(): void {
    this.#unsubscribe();
    this.#changed.dispose();
  }

  async getChildren(node?: ServerNode): Promise<ServerNode[]> {
    if (node === undefined) {
      await this.#daemon.wanted();
      // No rows means the welcome view, which has the button for each state.
      const folders = localFolders(this.#vscode);
      return visibleEndpoints(this.#daemon.status, folders).map((endpoint) => ({ kind: 'endpoint', endpoint }));
    }
    if (node.kind === 'endpoint') return this.#servers(node.endpoint);
    if (node.kind === 'server') return this.#toolsOf(node.endpoint, node.server);
    return [];
  }

  getTreeItem(node: ServerNode): VSCode.TreeItem {
    const { TreeItem, TreeItemCollapsibleState, ThemeIcon } = this.#vscode;
    if (node.kind === 'endpoint') {
      const item = new TreeItem(node.endpoint.name, TreeItemCollapsibleState.Expanded);
      item.id = node.endpoint.url;
      item.description = new URL(node.endpoint.url).pathname;
      item.tooltip = `Endpoint ${node.endpoint.url}`;
      item.iconPath = new ThemeIcon('plug');
      item.contextValue = 'signalbox.endpoint';
      return item;
    }
    if (node.kind === 'server') return this.#serverItem(node.endpoint, node.server);
    if (node.kind === 'tool') {
      const { tool } = node.info;
      const item = new TreeItem(tool.name, TreeItemCollapsibleState.None);
      item.id = `${node.endpoint.url}#${tool.name}`;
      if (tool.description !== undefined) {
        item.description = tool.description.split('\n', 1)[0] ?? '';
        item.tooltip = tool.description;
      }
      item.iconPath = new ThemeIcon('symbol-method');
      item.contextValue = 'signalbox.tool';
      return item;
    }
    const item = new TreeItem(node.message, TreeItemCollapsibleState.None);
    item.tooltip = node.detail;
    item.iconPath = new ThemeIcon('error', new this.#vscode.ThemeColor('list.errorForeground'));
    return item;
  }

  #serverItem(endpoint: EndpointStatus, server: ServerStatus): VSCode.TreeItem {
    const { TreeItem, TreeItemCollapsibleState, ThemeIcon, ThemeColor, MarkdownString } = this.#vscode;
    const item = new TreeItem(server.name, canHaveTools(server) ? TreeItemCollapsibleState.Collapsed : TreeItemCollapsibleState.None);
    item.id = `${endpoint.url}#${server.alias}#server`;
    item.description = describeServer(server);
    const [icon, color] = STATE_ICONS[server.state];
    item.iconPath = color === undefined ? new ThemeIcon(icon) : new ThemeIcon(icon, new ThemeColor(color));
    const tooltip = new MarkdownString();
    // appendText escapes: a server chooses these words, and they must not become links.
    tooltip.appendText(`${server.name} (${server.kind}${server.era === undefined ? '' : `, ${server.era}`}): ${server.state}`);
    if (server.reason !== undefined)
      tooltip.appendText(`\n\n${server.reason.code}: ${server.reason.message}\n${server.reason.cause}\n${server.reason.fix}`);
    item.tooltip = tooltip;
    item.contextValue = 'signalbox.server';
    return item;
  }

  #servers(endpoint: EndpointStatus): ServerNode[] {
    const servers = this.#daemon.status?.servers ?? [];
    if (!this.#woken.has(endpoint.url)) {
      this.#woken.add(endpoint.url);
      // Not awaited: rows appear at once and change as the servers come up. A failure shows where the tools are.
      this.#list(endpoint).catch(() => this.#tools.delete(endpoint.url));
    }
    return endpoint.servers.flatMap((name): ServerNode[] => {
      const server =
        servers.find((candidate) => candidate.name === name && candidate.workspace === endpoint.workspace) ??
        servers.find((candidate) => candidate.name === name);
      return server === undefined ? [] : [{ kind: 'server', endpoint, server }];
    });
  }

  async #toolsOf(endpoint: EndpointStatus, server: ServerStatus): Promise<ServerNode[]> {
    try {
      const infos = await this.#list(endpoint);
      return infos
        .filter((info) => info.server === server.name || info.server === server.alias)
        .map((info) => ({ kind: 'tool', endpoint, info }));
    } catch (error) {
      this.#tools.delete(endpoint.url);
      return [{ kind: 'failure', message: 'Tools cannot be listed', detail: error instanceof Error ? error.message : String(error) }];
    }
  }

  #list(endpoint: EndpointStatus): Promise<readonly ToolInfo[]> {
    let tools = this.#tools.get(endpoint.url);
    if (tools === undefined) {
      tools = this.#daemon.call('tools/list', endpointRef(endpoint)).then((result) => result.tools);
      this.#tools.set(endpoint.url, tools);
    }
    return tools;
  }

  #forget(changes: readonly Change[]): void {
    if (changes.every((change) => change === 'sessions')) return;
    if (changes.includes('connection')) this.#woken.clear();
    this.refresh();
  }
}

/** The words after a server's name: `ready · 4 tools`, `down · SBX_SERVER_EXITED`. */
export function describeServer(server: ServerStatus): string {
  if (server.reason !== undefined) return `${server.state} · ${server.reason.code}`;
  return server.tools === 0 ? server.state : `${server.state} · ${server.tools} ${server.tools === 1 ? 'tool' : 'tools'}`;
}

/** Whether a row can be opened: a server that is not up yet may turn out to have tools. */
function canHaveTools(server: ServerStatus): boolean {
  return server.tools > 0 || server.state === 'idle' || server.state === 'starting';
}

/** How a control request names an endpoint. */
export function endpointRef(endpoint: Pick<EndpointStatus, 'name' | 'workspace'>): { endpoint: string; workspace?: string } {
  return endpoint.workspace === undefined ? { endpoint: endpoint.name } : { endpoint: endpoint.name, workspace: endpoint.workspace };
}

/** Absolute paths of the window's folders on this machine. */
export function localFolders(vscode: typeof VSCode): string[] {
  return (vscode.workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === 'file').map((folder) => folder.uri.fsPath);
}
