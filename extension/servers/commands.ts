/** What can be done with a server; the twin of each is `signalbox servers …`. */
import type * as VSCode from 'vscode';
import type { ServerStatus } from '../../daemon/api/control.ts';
import type { DaemonConnection } from '../daemon/connection.ts';
import type { Log } from '../log.ts';
import { followLog } from './log.ts';

interface Parts {
  readonly vscode: typeof VSCode;
  readonly daemon: DaemonConnection;
  readonly log: Log;
}
/** Which server: a row of the view, or a name. */
type Which = { readonly server: ServerStatus } | { readonly name: string; readonly workspace?: string };

/** What can be done. */
export type ServerVerb = 'restart' | 'enable' | 'disable' | 'remove' | 'accept' | 'edit' | 'logs';

/** Does it with the server of a row, the named one, or the one the person picks. */
export async function onServer(parts: Parts, verb: ServerVerb, from: unknown): Promise<unknown> {
  const ref = refOf(from) ?? (await pickServer(parts, verb));
  if (ref === undefined) return undefined;
  const { vscode, daemon, log } = parts;
  const { l10n, window } = vscode;
  switch (verb) {
    case 'restart':
      return window.withProgress({ location: vscode.ProgressLocation.Window, title: l10n.t('Restarting {0}', ref.name) }, () =>
        daemon.call('servers/restart', ref),
      );
    case 'enable':
    case 'disable':
      return daemon.call('servers/enable', { ...ref, enabled: verb === 'enable' });
    case 'remove': {
      const place = await daemon.call('servers/where', ref);
      const yes = l10n.t('Remove');
      const answer = await window.showWarningMessage(l10n.t('Remove the server {0} from {1}?', ref.name, place.file), yes);
      return answer === yes ? daemon.call('servers/remove', ref) : undefined;
    }
    case 'accept': {
      const { accepted } = await daemon.call('servers/accept', ref);
      void window.showInformationMessage(
        accepted.length === 0
          ? l10n.t('No tool of {0} waits to be accepted.', ref.name)
          : l10n.t('Accepted as they are now: {0}', accepted.join(', ')),
      );
      return accepted;
    }
    case 'edit': {
      const { file, line, column } = await daemon.call('servers/where', ref);
      const at = new vscode.Position(line - 1, column - 1);
      await window.showTextDocument(vscode.Uri.file(file), { selection: new vscode.Range(at, at) });
      return { file, line, column };
    }
    case 'logs': {
      const { lines } = await daemon.call('servers/logs', { ...ref, lines: 1000 });
      log.server(ref.name, lines);
      await followLog(daemon, log, ref);
      return lines;
    }
  }
}

function refOf(from: unknown): { name: string; workspace?: string } | undefined {
  if (typeof from !== 'object' || from === null) return undefined;
  const which = from as Partial<Which & { server: ServerStatus; name: string; workspace: string }>;
  const { name, workspace } = which.server ?? which;
  return name === undefined ? undefined : { name, ...(workspace === undefined ? {} : { workspace }) };
}

async function pickServer({ vscode, daemon }: Parts, verb: ServerVerb): Promise<{ name: string; workspace?: string } | undefined> {
  await daemon.start();
  const fits = ({ state }: ServerStatus): boolean =>
    verb === 'enable' ? state === 'disabled' : verb === 'disable' ? state !== 'disabled' : true;
  const rows = (daemon.status?.servers ?? []).filter(fits).map((server) => ({
    label: server.name,
    description: server.state,
    detail: server.workspace ?? '',
    server,
  }));
  if (rows.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('There is no server to choose.'));
    return undefined;
  }
  const picked = await vscode.window.showQuickPick(rows, { title: vscode.l10n.t('Server') });
  return refOf(picked);
}
