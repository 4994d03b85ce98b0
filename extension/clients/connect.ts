/** "Connect a Client…": pick one, see the change as a diff, write it, check that it works; and take it back. The work is `signalbox wire`'s. */
import { basename } from 'node:path';
import type * as VSCode from 'vscode';
import type { Cli } from '../daemon/start.ts';
import { localFolders } from '../views/folders.ts';
import { type ListedClient, type Scope, sidesOf, type WiringCheck, type WiringPlan } from './plan.ts';
import type { PreviewDocuments } from './previews.ts';

/** What wiring works with. */
export interface WiringParts {
  readonly vscode: typeof VSCode;
  readonly cli: Cli;
  readonly previews: PreviewDocuments;
  /** Called when a wiring was made or taken back. */
  readonly onWired: () => void;
}
/** Which client, in which scope; what is missing is asked for. `yes`: a keybinding, a task or a test that has seen the preview elsewhere. */
export interface WiringRequest {
  readonly client?: string;
  readonly scope?: Scope;
  readonly yes?: boolean;
}

interface Target {
  readonly client: ListedClient;
  readonly scope: Scope;
}

/** @returns whether it was written */
export async function connectClient(parts: WiringParts, request: WiringRequest = {}): Promise<boolean> {
  const { vscode, cli } = parts;
  const { l10n, window } = vscode;
  const target = await pickTarget(parts, request, l10n.t('Connect a Client'), () => true);
  if (target === undefined) return false;
  const { client, scope } = target;
  const words = ['wire', client.name, '--scope', scope];
  const plan = (await cli([...words, '--preview'], inFolder(vscode))) as WiringPlan;
  if (plan.method === 'none') {
    const check = l10n.t('Check');
    void window
      .showInformationMessage(l10n.t('{0} is already connected to Signalbox ({1}).', client.title, plan.file), check)
      .then((action) => {
        if (action === check) void checkClient(parts, target);
      });
    return false;
  }
  if (request.yes !== true) {
    await showPlan(parts, client, plan);
    const write = plan.method === 'command' ? l10n.t('Run') : l10n.t('Write');
    const undo = `signalbox wire ${client.name} --undo`;
    const message = l10n.t(
      'Connect {0} to Signalbox as shown? The present file is backed up, and "Disconnect a Client" or `{1}` restores it.',
      client.title,
      undo,
    );
    if ((await window.showInformationMessage(message, write)) !== write) return false;
  }
  await cli(words, inFolder(vscode));
  parts.onWired();
  await checkClient(parts, target);
  return true;
}

/** Tries whether a wired client reaches Signalbox, and says what it saw. */
export async function checkClient(parts: WiringParts, given: Target | WiringRequest = {}): Promise<WiringCheck | undefined> {
  const { vscode, cli } = parts;
  const { l10n, window } = vscode;
  const target = isTarget(given) ? given : await pickTarget(parts, given, l10n.t('Check a Client'), isWired);
  if (target === undefined) return undefined;
  const { client, scope } = target;
  const check = await window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: l10n.t('Checking {0}…', client.title) },
    async () => {
      try {
        return (await cli(['wire', client.name, '--scope', scope, '--check'], inFolder(vscode))) as WiringCheck;
      } catch (error) {
        // Exit code 1 with a document that is no error: it was checked, and it does not work.
        return { ok: false, said: error instanceof Error ? error.message : String(error) };
      }
    },
  );
  if (check.ok) void window.showInformationMessage(l10n.t('{0} reaches Signalbox: {1}', client.title, check.said));
  else {
    const undo = l10n.t('Undo');
    void window.showWarningMessage(l10n.t('{0} does not reach Signalbox: {1}', client.title, check.said), undo).then((action) => {
      if (action === undo) void disconnectClient(parts, { client: client.name, scope, yes: true });
    });
  }
  return check;
}

/** Puts back what stood in a client's file before. @returns whether it was done */
export async function disconnectClient(parts: WiringParts, request: WiringRequest = {}): Promise<boolean> {
  const { vscode, cli } = parts;
  const { l10n, window } = vscode;
  const target = await pickTarget(parts, request, l10n.t('Disconnect a Client'), isWired);
  if (target === undefined) return false;
  const { client, scope } = target;
  const words = ['wire', client.name, '--scope', scope, '--undo'];
  if (request.yes !== true) {
    const preview = (await cli([...words, '--preview'], inFolder(vscode))) as { file: string; diff: string };
    await showPlan(parts, client, { file: preview.file, method: 'file', diff: preview.diff });
    const undo = l10n.t('Disconnect');
    if ((await window.showInformationMessage(l10n.t('Take Signalbox out of {0} as shown?', client.title), undo)) !== undo) return false;
  }
  await cli(words, inFolder(vscode));
  parts.onWired();
  void window.showInformationMessage(l10n.t('{0} is no longer connected to Signalbox.', client.title));
  return true;
}

/** The clients as they are now. */
export async function listClients(vscode: typeof VSCode, cli: Cli): Promise<readonly ListedClient[]> {
  const { clients } = (await cli(['wire', '--list'], inFolder(vscode))) as { clients: readonly ListedClient[] };
  if ('cwd' in inFolder(vscode)) return clients;
  // Without a project there is only the user: what the command line calls the project then is the home folder.
  return clients.map((client) => ({ ...client, scopes: client.scopes.filter(({ scope }) => scope === 'user') }));
}

async function showPlan({ vscode, previews }: WiringParts, client: ListedClient, plan: WiringPlan): Promise<void> {
  const { l10n } = vscode;
  if (plan.command !== undefined) {
    const text = `# ${l10n.t('This command would be run; it changes {0}:', plan.file)}\n\n${plan.command}\n`;
    await vscode.window.showTextDocument(previews.create(vscode, `${client.name}.sh`, text), { preview: true });
    return;
  }
  const { before, after } = sidesOf(plan.diff ?? '');
  const name = basename(plan.file);
  const title = l10n.t('{0} ({1}: now ↔ then)', plan.file, client.title);
  const [left, right] = [previews.create(vscode, name, before), previews.create(vscode, name, after)];
  await vscode.commands.executeCommand('vscode.diff', left, right, title, { preview: true });
}

async function pickTarget(
  parts: WiringParts,
  { client: wanted, scope }: WiringRequest,
  title: string,
  fits: (client: ListedClient) => boolean,
): Promise<Target | undefined> {
  const { vscode, cli } = parts;
  const { l10n, window } = vscode;
  const rows = async () =>
    (await listClients(vscode, cli)).filter(fits).map((client) => ({
      label: client.title,
      description: describeClient(vscode, client),
      detail: client.scopes.find(({ wired }) => wired)?.file ?? '',
      client,
    }));
  // Of the nine there is always one to connect, of those that are wired there may be none.
  const all = wanted === undefined && fits !== isWired ? rows() : await rows();
  if (Array.isArray(all) && all.length === 0 && wanted === undefined) {
    const connect = l10n.t('Connect a Client');
    void window.showInformationMessage(l10n.t('No client is connected to Signalbox.'), connect).then((action) => {
      if (action === connect) void vscode.commands.executeCommand('signalbox.connectClient');
    });
    return undefined;
  }
  const picked =
    wanted === undefined
      ? await window.showQuickPick(all, { title, matchOnDescription: true })
      : (await all).find((row) => row.client.name === wanted);
  if (picked === undefined) {
    if (wanted !== undefined) void window.showInformationMessage(l10n.t('{0} is not connected to Signalbox.', wanted));
    return undefined;
  }
  const { client } = picked;
  const scopes = client.scopes.filter(({ wired, problem }) => fits !== isWired || wired || problem !== undefined);
  const [only] = scopes;
  const given = scopes.find((candidate) => candidate.scope === scope);
  if (given !== undefined) return { client, scope: given.scope };
  if (scopes.length === 1 && only !== undefined) return { client, scope: only.scope };
  const meaning: Readonly<Record<Scope, string>> = {
    user: l10n.t('everywhere on this machine'),
    local: l10n.t('in this project, only you'),
    project: l10n.t('in this project, for everyone who has it'),
  };
  const chosen = await window.showQuickPick(
    scopes.map((candidate) => ({
      label: candidate.scope,
      description: meaning[candidate.scope],
      detail: candidate.file,
      scope: candidate.scope,
    })),
    { title: client.title, placeHolder: l10n.t('Where?') },
  );
  return chosen === undefined ? undefined : { client, scope: chosen.scope };
}

/** The words after a client's name: `installed · wired (user) · 1 session`. */
export function describeClient({ l10n }: Pick<typeof VSCode, 'l10n'>, { installed, scopes, sessions = 0 }: ListedClient): string {
  const wired = scopes.filter((scope) => scope.wired).map(({ scope }) => scope);
  const problem = scopes.find((scope) => scope.problem !== undefined)?.problem;
  return [
    wired.length > 0 ? l10n.t('wired ({0})', wired.join(', ')) : installed ? l10n.t('installed, not wired') : l10n.t('not found here'),
    ...(problem === undefined ? [] : [problem.code]),
    ...(sessions === 0 ? [] : [sessions === 1 ? l10n.t('connected') : l10n.t('connected, {0} sessions', sessions)]),
  ].join(' · ');
}

function isWired({ scopes }: ListedClient): boolean {
  return scopes.some(({ wired }) => wired);
}

function isTarget(given: Target | WiringRequest): given is Target {
  return typeof given.client === 'object';
}

/** The scopes of a project mean the first folder of the window. Of one that VS Code does not trust nothing is read. */
function inFolder(vscode: typeof VSCode): { cwd: string } | Record<string, never> {
  const [folder] = vscode.workspace.isTrusted ? localFolders(vscode) : [];
  return folder === undefined ? {} : { cwd: folder };
}
