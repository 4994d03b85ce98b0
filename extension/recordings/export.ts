/** Exports a recording: what it will contain is shown first, then it is written, then how to commit it is said. */
import { join } from 'node:path';
import type { RecordingInfo } from '../../daemon/api/recordings.ts';
import { localFolders } from '../views/folders.ts';
import { type RecordingParts, reference } from './recordings.ts';

const FORMATS = [
  { format: 'jsonl', ending: 'jsonl', detail: 'Signalbox recording: can be replayed, and is readable in a git diff' },
  { format: 'har', ending: 'har', detail: 'HTTP Archive, for browser tools' },
  { format: 'plain', ending: 'jsonl', detail: 'One JSON-RPC message a line' },
] as const;

/** @returns the file that was written */
export async function exportRecording(parts: RecordingParts, recording: RecordingInfo): Promise<string | undefined> {
  const { vscode, daemon, documents, recordings } = parts;
  const { window, l10n, Uri } = vscode;
  const picked = await window.showQuickPick(
    FORMATS.map((each) => ({ ...each, label: each.format, detail: l10n.t(each.detail) })),
    { title: l10n.t('Export {0} as', recording.name ?? recording.id) },
  );
  if (picked === undefined) return undefined;
  const { preview } = await daemon.call('record/export', { recording: reference(recording), format: picked.format });
  await documents.show(`${recording.name ?? recording.id} (preview).${picked.ending}.txt`, preview.join('\n'));
  const write = l10n.t('Export…');
  const answer = await window.showInformationMessage(
    l10n.t('This is what the export would contain. Known secrets are taken out; look for what only you know.'),
    write,
  );
  if (answer !== write) return undefined;
  const [folder] = localFolders(vscode);
  const name = `${(recording.name ?? recording.id).replaceAll(/[^\w.-]+/g, '-')}.${picked.ending}`;
  const place = folder === undefined ? name : join(folder, '.signalbox', 'recordings', name);
  const uri = await window.showSaveDialog({ defaultUri: Uri.file(place), title: l10n.t('Export {0}', recording.name ?? recording.id) });
  if (uri === undefined) return undefined;
  const { file = uri.fsPath } = await daemon.call('record/export', {
    recording: reference(recording),
    to: uri.fsPath,
    format: picked.format,
  });
  await recordings.refresh();
  const copy = l10n.t('Copy git Command');
  const command = `git add ${JSON.stringify(file)} && git commit -m "Recording ${recording.name ?? recording.id}"`;
  void window
    .showInformationMessage(l10n.t('Exported to {0}. Committed, it is a test that a colleague can replay.', file), copy)
    .then((action) => {
      if (action === copy) void vscode.env.clipboard.writeText(command);
    });
  return file;
}
