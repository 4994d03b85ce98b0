/** Recordings in one file: the header, then the lines, keys always in the same order, messages over 64 KiB in files beside it. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordingHeader, RecordingLine } from '../../api/recordings.ts';
import { BLOB_BYTES, BLOBS } from '../recording/layout.ts';
import type { RecordingReader } from '../recording/reader.ts';
import type { Contents } from './contents.ts';

/** Takes a piece of the file. */
export type LineSink = (text: string) => Promise<void>;
/** What is exported. */
export interface ExportSource {
  readonly reader: Pick<RecordingReader, 'header' | 'lines' | 'message'>;
  readonly redact: (message: object) => object;
  readonly see: Contents;
}

/** The keys of a line in the order they are written. */
const ORDER = 'k n t c d edge transport session client endpoint workspace server era bytes call stream lost frames why line m blob'.split(
  ' ',
);

/**
 * Writes a recording as one file.
 * @param file where it will stand: its side files stand beside it; absent: nothing is written but to `write`
 * @returns bytes of the side files
 */
export async function recordingText({ reader, redact, see }: ExportSource, write: LineSink, file: string | undefined): Promise<number> {
  const folder = file === undefined ? undefined : blobsFolder(file);
  const kept = new Set<string>();
  let aside = 0;
  await write(`${JSON.stringify(redact({ ...reader.header, segment: 1 } satisfies RecordingHeader))}\n`);
  for await (const line of reader.lines()) {
    const whole = line.k === 'frame' ? { ...line, m: redact(await reader.message(line)) } : (redact(line) as RecordingLine);
    const text = ordered(whole);
    see.line(whole, text);
    if (whole.k !== 'frame' || Buffer.byteLength(text) <= BLOB_BYTES) {
      await write(`${text}\n`);
      continue;
    }
    const message = JSON.stringify(whole.m);
    const hex = createHash('sha256').update(message).digest('hex');
    if (!kept.has(hex)) {
      kept.add(hex);
      aside += Buffer.byteLength(message);
      if (folder !== undefined) {
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, `${hex}.json`), message);
      }
    }
    await write(`${ordered({ ...whole, m: undefined, blob: `sha256-${hex}` })}\n`);
  }
  // of an older export
  if (folder !== undefined && existsSync(folder)) {
    for (const old of readdirSync(folder)) if (!kept.has(old.slice(0, 64))) rmSync(join(folder, old));
    if (kept.size === 0) rmSync(folder, { recursive: true });
  }
  return aside;
}

/** Folder of the side files of an exported recording. */
export function blobsFolder(file: string): string {
  return `${file.replace(/\.jsonl$/, '')}.${BLOBS}`;
}

/** A line with its keys in the fixed order; what is undefined is left out. */
function ordered(line: { readonly [key: string]: unknown } | RecordingLine | object): string {
  const entries = Object.entries(line).filter(([, value]) => value !== undefined);
  const place = (key: string): number => (ORDER.includes(key) ? ORDER.indexOf(key) : ORDER.length);
  return JSON.stringify(Object.fromEntries(entries.sort(([a], [b]) => place(a) - place(b))));
}
