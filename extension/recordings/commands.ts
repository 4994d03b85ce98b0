/** Commands about recordings; spread into the table of `extension/commands.ts`. */
import type { RecordingInfo, ReplayTarget } from '../../daemon/api/recordings.ts';
import type { TapFilter } from '../../daemon/api/sessions.ts';
import { exportRecording } from './export.ts';
import { type RecordingParts, reference } from './recordings.ts';
import { compareRecordings, pickRecording, replayAgainst } from './replay.ts';

/** What the table of commands hands over. */
interface CommandContext {
  readonly sessions: RecordingParts;
}

type Command = (context: CommandContext, from: unknown) => Promise<unknown>;

/** Arguments of "Start Recording" without dialogs: what a keybinding, a task or a test gives. */
type StartRequest = TapFilter & { readonly name?: string };
/** Arguments of "Replay Against…" without dialogs. */
type ReplayRequest = { readonly recording: RecordingInfo; readonly against: ReplayTarget };

/** Runs with the recording of the row, or the one the person picks. */
function withRecording(
  title: (parts: RecordingParts) => string,
  run: (parts: RecordingParts, recording: RecordingInfo) => Promise<unknown>,
): Command {
  return async ({ sessions: parts }, from) => {
    const recording = isRecording(from) ? from : await pickRecording(parts, title(parts));
    return recording === undefined ? undefined : run(parts, recording);
  };
}

/** Every command; the names are those of `contributes.commands`. */
export const RECORDING_COMMANDS: Readonly<Record<string, Command>> = {
  'signalbox.startRecording': ({ sessions }, from) => startRecording(sessions, from as StartRequest | undefined),
  'signalbox.stopRecording': ({ sessions }, from) => stopRecording(sessions, isRecording(from) ? from.id : undefined),
  'signalbox.openRecording': withRecording(
    ({ vscode }) => vscode.l10n.t('Open a recording'),
    ({ tabs }, recording) => tabs.recording({ ...recording, id: reference(recording) }),
  ),
  'signalbox.serveRecording': withRecording(
    ({ vscode }) => vscode.l10n.t('Replay as a server'),
    (parts, recording) => serve(parts, recording),
  ),
  'signalbox.stopServingRecording': withRecording(
    ({ vscode }) => vscode.l10n.t('Stop serving'),
    ({ recordings }, recording) => recordings.stopServing(recording),
  ),
  'signalbox.replayRecording': async (context, from) => {
    if (isReplayRequest(from)) return replayAgainst(context.sessions, from.recording, from.against);
    return withRecording(
      ({ vscode }) => vscode.l10n.t('Replay against a server'),
      (parts, recording) => replayAgainst(parts, recording),
    )(context, from);
  },
  'signalbox.compareRecordings': withRecording(
    ({ vscode }) => vscode.l10n.t('Compare'),
    (parts, recording) => compareRecordings(parts, recording),
  ),
  'signalbox.exportRecording': withRecording(
    ({ vscode }) => vscode.l10n.t('Export'),
    (parts, recording) => exportRecording(parts, recording),
  ),
  'signalbox.removeRecording': withRecording(
    ({ vscode }) => vscode.l10n.t('Remove'),
    (parts, recording) => remove(parts, recording),
  ),
  'signalbox.importRecording': ({ sessions }) => importRecording(sessions),
};

async function startRecording(
  { vscode, daemon, recordings }: RecordingParts,
  request: StartRequest | undefined,
): Promise<RecordingInfo | undefined> {
  if (request !== undefined) return recordings.start(request, request.name);
  const { window, l10n } = vscode;
  await daemon.start();
  const { sessions } = await daemon.call('sessions/list', {});
  const clients = [...new Set(sessions.map(({ client }) => client))];
  const servers = [...new Set((daemon.status?.servers ?? []).map(({ name }) => name))];
  const picked = await window.showQuickPick<{ label: string; filter: TapFilter }>(
    [
      { label: l10n.t('Everything'), filter: {} },
      ...clients.map((client) => ({ label: l10n.t('Client {0}', client), filter: { client } })),
      ...servers.map((server) => ({ label: l10n.t('Server {0}', server), filter: { server } })),
    ],
    { title: l10n.t('Record') },
  );
  if (picked === undefined) return undefined;
  const name = await window.showInputBox({ title: l10n.t('Name of the recording'), placeHolder: l10n.t('optional'), ignoreFocusOut: true });
  return name === undefined ? undefined : recordings.start(picked.filter, name);
}

async function stopRecording({ vscode, recordings, tabs }: RecordingParts, id: string | undefined): Promise<RecordingInfo | undefined> {
  const { l10n, window } = vscode;
  await recordings.list();
  const recording = await recordings.stop(id);
  if (recording === undefined) {
    void window.showInformationMessage(l10n.t('Nothing is being recorded.'));
    return undefined;
  }
  const open = l10n.t('Open');
  void window.showInformationMessage(l10n.t('{0} frames are recorded.', recording.frames), open).then((action) => {
    if (action === open) void tabs.recording(recording);
  });
  return recording;
}

async function serve({ vscode, recordings }: RecordingParts, recording: RecordingInfo): Promise<string> {
  const { l10n, window } = vscode;
  const { url } = await recordings.serve(recording);
  const copy = l10n.t('Copy URL');
  void window
    .showInformationMessage(l10n.t('{0} is served as a server at {1}.', recording.name ?? recording.id, url), copy)
    .then((action) => {
      if (action === copy) void vscode.env.clipboard.writeText(url);
    });
  return url;
}

async function remove({ vscode, recordings }: RecordingParts, recording: RecordingInfo): Promise<boolean> {
  const { l10n, window } = vscode;
  const yes = l10n.t('Remove');
  const answer = await window.showWarningMessage(
    l10n.t('Remove the recording {0}? Its {1} frames are deleted.', recording.name ?? recording.id, recording.frames),
    yes,
  );
  if (answer !== yes) return false;
  await recordings.remove(recording);
  return true;
}

async function importRecording({ vscode, daemon, recordings }: RecordingParts): Promise<RecordingInfo | undefined> {
  const { l10n, window } = vscode;
  const [file] =
    (await window.showOpenDialog({
      title: l10n.t('Import a recording'),
      filters: { [l10n.t('Recordings')]: ['jsonl', 'har', 'json'] },
    })) ?? [];
  if (file === undefined) return undefined;
  const recording = await daemon.call('record/import', { file: file.fsPath });
  await recordings.refresh();
  return recording;
}

function isRecording(from: unknown): from is RecordingInfo {
  return typeof from === 'object' && from !== null && 'frames' in from && 'path' in from;
}

function isReplayRequest(from: unknown): from is ReplayRequest {
  return typeof from === 'object' && from !== null && 'against' in from && 'recording' in from && isRecording(from.recording);
}
