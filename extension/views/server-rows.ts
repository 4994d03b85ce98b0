/** How the rows of the Servers view look. */
import type * as VSCode from 'vscode';
import type { ServerStatus } from '../../daemon/api/control.ts';
import { short } from '../short.ts';
import type { OfferKind, ServerNode } from './server-node.ts';

/** What a state looks like; `asking` is a server that is up and waits for an answer of its client. */
type Look = ServerStatus['state'] | 'asking';
const STATE_ICONS: Readonly<Record<Look, readonly [icon: string, color?: string]>> = {
  idle: ['circle-outline'],
  starting: ['loading~spin'],
  ready: ['pass-filled', 'testing.iconPassed'],
  asking: ['question', 'notificationsInfoIcon.foreground'],
  degraded: ['warning', 'list.warningForeground'],
  down: ['error', 'list.errorForeground'],
  disabled: ['circle-slash', 'disabledForeground'],
};
const OFFER_ICONS: Readonly<Record<OfferKind, string>> = { tools: 'tools', resources: 'files', prompts: 'comment-discussion' };

const MOST_IN_TOOLTIP = 5_000;

/** The state people see. */
export function lookOf({ state, asking }: Pick<ServerStatus, 'state' | 'asking'>): Look {
  return asking !== undefined && (state === 'ready' || state === 'degraded') ? 'asking' : state;
}

/** A row as VS Code draws it. */
export function rowItem(vscode: typeof VSCode, node: ServerNode): VSCode.TreeItem {
  const { TreeItem, TreeItemCollapsibleState: Fold, ThemeIcon, ThemeColor, l10n } = vscode;
  switch (node.kind) {
    case 'endpoint': {
      const item = new TreeItem(node.endpoint.name, Fold.Expanded);
      item.id = node.endpoint.url;
      item.description = new URL(node.endpoint.url).pathname;
      item.tooltip = l10n.t('Endpoint {0}', node.endpoint.url);
      item.iconPath = new ThemeIcon('plug');
      item.contextValue = 'signalbox.endpoint';
      return item;
    }
    case 'namespace': {
      const item = new TreeItem(node.name, Fold.Expanded);
      item.id = `${node.endpoint.url}#namespace ${node.name}`;
      item.tooltip = l10n.t('Namespace {0}', node.name);
      item.iconPath = new ThemeIcon('symbol-namespace');
      item.contextValue = 'signalbox.namespace';
      return item;
    }
    case 'server':
      return serverItem(vscode, node.server, `${node.endpoint.url}#${node.server.alias}#server`);
    case 'disabled': {
      const item = new TreeItem(l10n.t('Disabled'), Fold.Collapsed);
      item.id = 'signalbox.disabled';
      item.description = String(node.servers.length);
      item.iconPath = new ThemeIcon('circle-slash');
      return item;
    }
    case 'off':
      return serverItem(vscode, node.server, `off ${node.server.workspace ?? ''} ${node.server.name}`);
    case 'group': {
      const names = { tools: l10n.t('Tools'), resources: l10n.t('Resources'), prompts: l10n.t('Prompts') };
      const item = new TreeItem(names[node.offers], node.offers === 'tools' ? Fold.Expanded : Fold.Collapsed);
      item.id = `${node.endpoint.url}#${node.server.alias}#${node.offers}`;
      item.description = String(node.count);
      item.iconPath = new ThemeIcon(OFFER_ICONS[node.offers]);
      return item;
    }
    case 'tool': {
      const { tool } = node.info;
      const item = leaf(vscode, tool.name, tool.description, 'symbol-method', 'signalbox.tool');
      item.id = `${node.endpoint.url}#${tool.name}`;
      return item;
    }
    case 'resource': {
      const { uri, name, title, description } = node.resource;
      const item = leaf(vscode, String(title ?? name ?? uri), description ?? uri, 'file', 'signalbox.resource');
      item.id = `${node.endpoint.url}#resource ${String(uri)}`;
      item.command = { command: 'signalbox.readResource', title: l10n.t('Read'), arguments: [node] };
      return item;
    }
    case 'prompt': {
      const { name, title, description } = node.prompt;
      const item = leaf(vscode, String(title ?? name), description, 'comment', 'signalbox.prompt');
      item.id = `${node.endpoint.url}#prompt ${String(name)}`;
      item.command = { command: 'signalbox.getPrompt', title: l10n.t('Get'), arguments: [node] };
      return item;
    }
    case 'failure': {
      const item = new TreeItem(node.message, Fold.None);
      item.tooltip = node.detail;
      item.iconPath = new ThemeIcon('error', new ThemeColor('list.errorForeground'));
      return item;
    }
  }
}

function serverItem(vscode: typeof VSCode, server: ServerStatus, id: string): VSCode.TreeItem {
  const { TreeItem, TreeItemCollapsibleState: Fold, ThemeIcon, ThemeColor, MarkdownString, l10n } = vscode;
  const item = new TreeItem(server.name, canOffer(server) ? Fold.Collapsed : Fold.None);
  item.id = id;
  item.description = describeServer(vscode, server);
  const [icon, color] = STATE_ICONS[lookOf(server)];
  item.iconPath = color === undefined ? new ThemeIcon(icon) : new ThemeIcon(icon, new ThemeColor(color));
  const tooltip = new MarkdownString();
  // appendText escapes: a server chooses these words, and they must not become links.
  tooltip.appendText(
    `${server.name} (${[server.kind, server.era, server.pid === undefined ? undefined : `pid ${server.pid}`].filter(Boolean).join(', ')}): ${stateWords(vscode, server)}`,
  );
  for (const shape of [...(server.reason === undefined ? [] : [server.reason]), ...(server.problems ?? [])])
    tooltip.appendText(`\n\n${shape.code}: ${shape.message}\n${shape.cause}\n${shape.fix}`);
  item.tooltip = tooltip;
  item.accessibilityInformation = { label: l10n.t('Server {0}, {1}', server.name, describeServer(vscode, server)) };
  const flags = [server.state === 'disabled' ? 'off' : 'on', ...(hasChanged(server) ? ['changed'] : [])];
  item.contextValue = `signalbox.server.${flags.join('.')}`;
  return item;
}

function leaf(vscode: typeof VSCode, label: string, description: unknown, icon: string, contextValue: string): VSCode.TreeItem {
  const item = new vscode.TreeItem(short(label), vscode.TreeItemCollapsibleState.None);
  if (typeof description === 'string') {
    item.description = short(description.split('\n', 1)[0] ?? '');
    item.tooltip = short(description, MOST_IN_TOOLTIP);
  }
  item.iconPath = new vscode.ThemeIcon(icon);
  item.contextValue = contextValue;
  return item;
}

/** The words after a server's name: `ready · 4 tools`, `down · SBX_SERVER_EXITED`. */
export function describeServer(vscode: Pick<typeof VSCode, 'l10n'>, server: ServerStatus): string {
  const { l10n } = vscode;
  const state = stateWords(vscode, server);
  if (server.reason !== undefined) return `${state} · ${server.reason.code}`;
  if (hasChanged(server)) return `${state} · ${l10n.t('changed definitions')}`;
  if (server.tools === 0) return state;
  return `${state} · ${server.tools === 1 ? l10n.t('1 tool') : l10n.t('{0} tools', server.tools)}`;
}

function stateWords({ l10n }: Pick<typeof VSCode, 'l10n'>, server: ServerStatus): string {
  const words: Readonly<Record<Look, string>> = {
    idle: l10n.t('idle'),
    starting: l10n.t('starting'),
    ready: l10n.t('ready'),
    asking: l10n.t('asking'),
    degraded: l10n.t('degraded'),
    down: l10n.t('down'),
    disabled: l10n.t('disabled'),
  };
  return words[lookOf(server)];
}

function hasChanged({ problems = [] }: ServerStatus): boolean {
  return problems.some(({ code }) => code === 'SBX_DEFINITION_CHANGED');
}

/** Whether a row can be opened: a server that is not up yet may turn out to offer something. */
function canOffer({ tools, resources, prompts, state }: ServerStatus): boolean {
  return tools + resources + prompts > 0 || state === 'idle' || state === 'starting';
}
