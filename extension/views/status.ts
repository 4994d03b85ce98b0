/** The one status bar item, and the context key the welcome views and menus depend on. */
import type * as VSCode from 'vscode';
import type { DaemonStatus } from '../../daemon/api/control.ts';
import type { DaemonConnection, DaemonState } from '../daemon/connection.ts';
import { visibleEndpoints } from '../endpoints/visible.ts';
import { localFolders } from './folders.ts';

/** Keeps the status bar item and the context key `signalbox.state` equal to the daemon's state. */
export function showStatus(vscode: typeof VSCode, daemon: DaemonConnection): VSCode.Disposable {
  const item = vscode.window.createStatusBarItem('signalbox.status', vscode.StatusBarAlignment.Left, 0);
  item.name = 'Signalbox';
  item.command = 'signalbox.servers.focus';
  let known: DaemonState | undefined;
  const update = (): void => {
    const { text, tooltip, warning } = statusLine(vscode, daemon.state, ownServers(vscode, daemon.status), daemon.error?.message);
    item.text = text;
    item.tooltip = tooltip;
    item.backgroundColor = warning ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    if (known !== daemon.state) {
      known = daemon.state;
      void vscode.commands.executeCommand('setContext', 'signalbox.state', daemon.state);
    }
  };
  update();
  item.show();
  return vscode.Disposable.from(item, { dispose: daemon.onChange(update) });
}

/** The status with only the servers this window's endpoints serve. */
function ownServers(vscode: typeof VSCode, status: DaemonStatus | undefined): DaemonStatus | undefined {
  if (status === undefined) return undefined;
  const endpoints = visibleEndpoints(status, localFolders(vscode));
  const served = (name: string, workspace: string | undefined): boolean =>
    endpoints.some((endpoint) => endpoint.workspace === workspace && endpoint.servers.includes(name));
  return { ...status, endpoints, servers: status.servers.filter((server) => served(server.name, server.workspace)) };
}

/** What the status bar says: text with a codicon, a tooltip, and whether something needs a look. */
export function statusLine(
  { l10n }: Pick<typeof VSCode, 'l10n'>,
  state: DaemonState,
  status: DaemonStatus | undefined,
  error: string | undefined,
): { text: string; tooltip: string; warning: boolean } {
  if (state === 'starting') return { text: '$(sync~spin) Signalbox', tooltip: l10n.t('The daemon is starting'), warning: false };
  if (state === 'failed') return { text: '$(error) Signalbox', tooltip: error ?? l10n.t('The daemon could not be started'), warning: true };
  if (state !== 'running' || status === undefined)
    return { text: '$(circle-slash) Signalbox', tooltip: l10n.t('The daemon is not running.'), warning: false };
  const enabled = status.servers.filter((server) => server.state !== 'disabled');
  const broken = enabled.filter((server) => server.state === 'down' || server.state === 'degraded');
  const notes = [
    l10n.t('Signalbox {0}, port {1}', status.version, status.port),
    l10n.t('{0} servers, {1} sessions', enabled.length, status.sessions),
    ...broken.map((server) => `${server.name}: ${server.reason?.message ?? server.state}`),
    ...status.problems.map((problem) => `${problem.file}:${problem.line}: ${problem.message}`),
  ];
  const asking = enabled.filter((server) => server.asking !== undefined);
  notes.push(...asking.map((server) => l10n.t('{0} waits for an answer', server.name)));
  const warning = broken.length > 0 || status.problems.length > 0;
  return {
    text: `${warning ? '$(warning)' : '$(radio-tower)'} Signalbox ${enabled.length - broken.length}/${enabled.length}`,
    tooltip: notes.join('\n'),
    warning,
  };
}
