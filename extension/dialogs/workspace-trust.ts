/** Workspace files stay inert until a person trusts them; this asks, quietly, and never for an untrusted VS Code workspace. */
import { join } from 'node:path';
import type * as VSCode from 'vscode';
import type { DaemonConnection } from '../daemon/connection.ts';
import { localFolders } from '../views/folders.ts';

/** Tells the daemon about the open folders once it runs, and offers a review for each untrusted or changed configuration. */
export function watchWorkspaces(vscode: typeof VSCode, daemon: DaemonConnection, onError: (error: unknown) => void): VSCode.Disposable {
  const asked = new Set<string>();
  const announce = async (): Promise<void> => {
    // In an untrusted VS Code workspace the file is not even looked at.
    if (!vscode.workspace.isTrusted || daemon.state !== 'running') return;
    for (const folder of localFolders(vscode)) {
      const info = await daemon.call('workspace/open', { folder });
      if (info.trust !== 'untrusted' && info.trust !== 'changed') continue;
      if (asked.has(`${folder}\n${info.trust}`)) continue;
      asked.add(`${folder}\n${info.trust}`);
      const message =
        info.trust === 'changed'
          ? vscode.l10n.t('The Signalbox configuration of this folder has changed and is suspended.')
          : vscode.l10n.t('This folder has a Signalbox configuration. It is inactive until you trust it.');
      void vscode.window.showInformationMessage(message, vscode.l10n.t('Review…')).then((action) => {
        if (action !== undefined) void vscode.commands.executeCommand('signalbox.trustWorkspace', folder);
      });
    }
  };
  const run = (): void => void announce().catch(onError);
  let state = daemon.state;
  const stop = daemon.onChange((changes) => {
    const connected = daemon.state === 'running' && state !== 'running';
    state = daemon.state;
    if (connected || (changes.includes('workspaces') && daemon.state === 'running')) run();
  });
  // The person has just said that this folder may run things: for the daemon that holds for the file as it is now, and for no later one.
  const granted = async (): Promise<void> => {
    if (daemon.state !== 'running') return;
    for (const folder of localFolders(vscode)) {
      const { trust } = await daemon.call('workspace/open', { folder });
      if (trust !== 'untrusted') continue;
      await daemon.call('workspace/trust', { folder, trusted: true });
      const review = vscode.l10n.t('Review…');
      void vscode.window
        .showInformationMessage(vscode.l10n.t('The Signalbox configuration of this folder is active now.'), review)
        .then((action) => {
          if (action === review) void vscode.commands.executeCommand('signalbox.trustWorkspace', folder);
        });
    }
    await announce();
  };
  return vscode.Disposable.from(
    vscode.workspace.onDidGrantWorkspaceTrust(() => void granted().catch(onError)),
    vscode.workspace.onDidChangeWorkspaceFolders(run),
    {
      dispose: stop,
    },
  );
}

/**
 * "Trust Workspace Configuration…": shows the file, says what it would do, and asks with a notification that can be ignored.
 *
 * @param folder absolute path; absent = the only open folder, or the one the person picks
 */
export async function trustWorkspace(vscode: typeof VSCode, daemon: DaemonConnection, folder: string | undefined): Promise<void> {
  const { l10n } = vscode;
  if (!vscode.workspace.isTrusted) {
    void vscode.window
      .showInformationMessage(
        l10n.t('Trust the folder in VS Code first; until then its Signalbox configuration is inert.'),
        l10n.t('Manage Trust'),
      )
      .then((action) => {
        if (action !== undefined) void vscode.commands.executeCommand('workbench.trust.manage');
      });
    return;
  }
  const folders = localFolders(vscode);
  const chosen =
    folder ??
    (folders.length < 2 ? folders[0] : await vscode.window.showQuickPick(folders, { title: l10n.t('Trust Workspace Configuration') }));
  if (chosen === undefined) {
    void vscode.window.showInformationMessage(
      l10n.t('Open a folder first: a workspace configuration lives in .signalbox/config.jsonc of a folder.'),
    );
    return;
  }
  const info = await daemon.call('workspace/open', { folder: chosen });
  if (info.trust === 'none') {
    void vscode.window.showInformationMessage(l10n.t('There is no .signalbox/config.jsonc in {0}.', chosen));
    return;
  }
  await vscode.window.showTextDocument(vscode.Uri.file(join(chosen, '.signalbox', 'config.jsonc')), { preview: true });
  if (info.trust === 'trusted') {
    const action = await vscode.window.showInformationMessage(l10n.t('This configuration is trusted.'), l10n.t('Withdraw Trust'));
    if (action !== undefined) await daemon.call('workspace/trust', { folder: chosen, trusted: false });
    return;
  }
  const effect = info.preview.length === 0 ? '' : ` ${l10n.t('It adds: {0}.', info.preview.join('; '))}`;
  const action = await vscode.window.showWarningMessage(
    `${l10n.t('Trust this configuration exactly as shown?')}${effect}`,
    l10n.t('Trust'),
  );
  if (action !== undefined) await daemon.call('workspace/trust', { folder: chosen, trusted: true });
}
