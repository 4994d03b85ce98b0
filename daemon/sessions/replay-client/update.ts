/** `--update`: a recording with the accepted answers in it. The old one stays, under a name that is told. */
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ReplayReport } from '../../api/recordings.ts';
import { exportRecording } from '../formats/export.ts';
import { importRecording } from '../formats/import.ts';
import { BLOBS } from '../recording/layout.ts';
import type { RecordingReader } from '../recording/reader.ts';
import type { CurrentRedactor } from '../redaction/current-redactor.ts';
import { type Accepted, acceptedLines } from './acceptance.ts';

/** Where it goes, and what takes secrets out of the new answers. */
export interface UpdateTarget {
  /** `Paths.recordingsDir`. */
  readonly folder: string;
  readonly version: string;
  readonly redactor: CurrentRedactor;
}

/**
 * Writes a recording with what was accepted. An exported file is replaced, and the old one renamed to the next free `NAME.vN.jsonl` beside it; a
 * recording of the state directory stays as it is, and a new one of the same name comes to it.
 * @param path of the recording
 * @throws SBX_RECORDING_WRITE
 */
export async function updateRecording(
  reader: RecordingReader,
  path: string,
  accepted: Accepted,
  target: UpdateTarget,
): Promise<NonNullable<ReplayReport['updated']>> {
  const renewed: RecordingReader = {
    header: reader.header,
    info: () => reader.info(),
    lines: () => acceptedLines(reader.lines(), accepted, target.redactor.redact),
    message: (line) => reader.message(line),
    close: () => reader.close(),
  };
  const file = path.endsWith('.jsonl');
  const scratch = mkdtempSync(join(file ? dirname(path) : target.folder, '.update-'));
  try {
    const name = file ? basename(path) : `${reader.header.name ?? reader.header.id}.jsonl`.replaceAll(/[\\/]/g, '-');
    const made = join(scratch, name);
    await exportRecording(renewed, { to: made, redactor: target.redactor, version: target.version });
    const count = { accepted: accepted.answers.size };
    if (file) return { ...count, path, old: replaceFile(path, made) };
    const info = await importRecording(made, {
      folder: target.folder,
      version: target.version,
      redaction: target.redactor.options,
      format: 'jsonl',
      name: reader.header.name ?? reader.header.id,
    });
    return { ...count, path: info.path, old: path };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Puts a file and its side files in the place of others, which get the next free name. */
function replaceFile(path: string, made: string): string {
  const stem = path.replace(/\.jsonl$/, '');
  let version = 1;
  while (existsSync(`${stem}.v${version}.jsonl`)) version += 1;
  const old = `${stem}.v${version}`;
  const side = (base: string): string => `${base}.${BLOBS}`;
  if (existsSync(side(stem))) renameSync(side(stem), side(old));
  renameSync(path, `${old}.jsonl`);
  const from = made.replace(/\.jsonl$/, '');
  if (existsSync(side(from))) renameSync(side(from), side(stem));
  renameSync(made, path);
  return `${old}.jsonl`;
}
