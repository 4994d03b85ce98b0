/** Replays a recording against a server and compares two recordings; the differences open in VS Code's diff editor. */
import type * as VSCode from 'vscode';
import type { ControlEvents } from '../../daemon/api/control.ts';
import type { RecordingInfo, ReplayReport, ReplayTarget } from '../../daemon/api/recordings.ts';
import { type RecordingParts, reference } from './recordings.ts';
import { reportWords, showReport } from './report.ts';

type TargetItem = VSCode.QuickPickItem & { readonly target: () => Promise<ReplayTarget | undefined>; readonly server?: string };

/** Plays the client's side of a recording against what the person picks (or `target`). */
export async function replayAgainst(
  parts: RecordingParts,
  recording: RecordingInfo,
  target?: ReplayTarget,
): Promise<ReplayReport | undefined> {
  const chosen = target === undefined ? await pickTarget(parts, recording) : { target };
  return chosen === undefined ? undefined : run(parts, recording, chosen, false);
}

async function run(
  parts: RecordingParts,
  recording: RecordingInfo,
  chosen: { target: ReplayTarget; server?: string },
  allowWrites: boolean,
): Promise<ReplayReport> {
  const { vscode, daemon, documents } = parts;
  const { l10n } = vscode;
  const name = recording.name ?? recording.id;
  const report = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: l10n.t('Replaying {0}', name) },
    async (progress) => {
      let told = 0;
      const stop = daemon.onEvent((event, params) => {
        if (event !== 'replay') return;
        const { recording: id, done, total } = params as ControlEvents['replay'];
        if ((id !== recording.id && id !== reference(recording)) || total === 0) return;
        const percent = (100 * done) / total;
        progress.report({ message: `${done}/${total}`, increment: percent - told });
        told = percent;
      });
      try {
        return await daemon.call('replay/run', {
          recording: reference(recording),
          against: chosen.target,
          ...(chosen.server === undefined ? {} : { server: chosen.server }),
          ...(allowWrites ? { allowWrites } : {}),
        });
      } finally {
        stop();
      }
    },
  );
  await showReport(vscode, documents, report, l10n.t('{0} against {1}', name, report.against));
  const again = l10n.t('Replay With Writes');
  const actions = report.skipped > 0 && !allowWrites ? [again] : [];
  // Not awaited: the command has ended, and its result is what other code waits for.
  void vscode.window.showInformationMessage(reportWords(report, l10n.t), ...actions).then((action) => {
    if (action === again) void run(parts, recording, chosen, true).catch((error) => parts.log.report(error));
  });
  return report;
}

/** Compares with another recording. */
export async function compareRecordings(
  parts: RecordingParts,
  recording: RecordingInfo,
  other?: RecordingInfo,
): Promise<ReplayReport | undefined> {
  const { vscode, daemon, documents } = parts;
  const { l10n } = vscode;
  const second = other ?? (await pickRecording(parts, l10n.t('Compare with'), (each) => each.path !== recording.path));
  if (second === undefined) return undefined;
  const report = await daemon.call('record/compare', { recording: reference(recording), with: reference(second) });
  await showReport(vscode, documents, report, `${recording.name ?? recording.id} ↔ ${second.name ?? second.id}`);
  void vscode.window.showInformationMessage(reportWords(report, l10n.t));
  return report;
}

/** Lets the person pick one of those that fit; without any it says so. */
export async function pickRecording(
  { vscode, daemon, recordings }: RecordingParts,
  title: string,
  fits: (recording: RecordingInfo) => boolean = () => true,
): Promise<RecordingInfo | undefined> {
  await daemon.start();
  await recordings.refresh();
  const items = recordings.all.filter(fits).map((recording) => ({
    label: recording.name ?? recording.id,
    description: vscode.l10n.t('{0} frames', recording.frames),
    detail: recording.path,
    recording,
  }));
  if (items.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('There is no recording to choose.'));
    return undefined;
  }
  return (await vscode.window.showQuickPick(items, { title, matchOnDetail: true, ignoreFocusOut: true }))?.recording;
}

async function pickTarget(
  { vscode, daemon }: RecordingParts,
  recording: RecordingInfo,
): Promise<{ target: ReplayTarget; server?: string } | undefined> {
  const { l10n, window, QuickPickItemKind } = vscode;
  await daemon.start();
  const { endpoints = [], servers = [] } = daemon.status ?? {};
  const fixed = (target: ReplayTarget) => async (): Promise<ReplayTarget> => target;
  const separator = (label: string): TargetItem => ({ label, kind: QuickPickItemKind.Separator, target: async () => undefined });
  const items: TargetItem[] = [
    separator(l10n.t('Endpoints')),
    ...endpoints.map(({ name, workspace }): TargetItem => {
      const place = workspace === undefined ? {} : { workspace };
      return { label: name, description: workspace ?? '', target: fixed({ kind: 'endpoint', endpoint: name, ...place }) };
    }),
    separator(l10n.t('Servers (a fresh private one)')),
    ...servers.map(({ name, workspace }): TargetItem => {
      const place = workspace === undefined ? {} : { workspace };
      const side = recording.servers.includes(name) ? { server: name } : {};
      return { label: name, description: workspace ?? '', target: fixed({ kind: 'server', server: name, ...place }), ...side };
    }),
    separator(l10n.t('Others')),
    { label: l10n.t('Command…'), target: () => askCommand(vscode) },
    { label: l10n.t('URL…'), target: () => askUrl(vscode) },
  ];
  const item = await window.showQuickPick(items, {
    title: l10n.t('Replay {0} against', recording.name ?? recording.id),
    ignoreFocusOut: true,
  });
  const target = await item?.target();
  if (item === undefined || target === undefined) return undefined;
  return { target, ...(item.server === undefined ? {} : { server: item.server }) };
}

async function askCommand({ window, l10n }: typeof VSCode): Promise<ReplayTarget | undefined> {
  const line = await window.showInputBox({
    title: l10n.t('Command line of the server'),
    placeHolder: 'node server.js',
    ignoreFocusOut: true,
  });
  const [command, ...args] = line?.match(/"[^"]*"|'[^']*'|\S+/g)?.map((word) => word.replaceAll(/^(["'])(.*)\1$/g, '$2')) ?? [];
  return command === undefined ? undefined : { kind: 'stdio', command, args };
}

async function askUrl({ window, l10n }: typeof VSCode): Promise<ReplayTarget | undefined> {
  const url = await window.showInputBox({
    title: l10n.t('URL of the server'),
    placeHolder: 'http://127.0.0.1:3000/mcp',
    ignoreFocusOut: true,
  });
  return url === undefined || url === '' ? undefined : { kind: 'http', url };
}
