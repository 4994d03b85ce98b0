/** Where the parts of a recording stand in its folder (docs/recording-format.md). */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

/** A message of more bytes than this is kept in a side file. */
export const BLOB_BYTES = 64 * 1024;
/** A segment is closed beyond this many bytes … */
export const SEGMENT_BYTES = 8 * 1024 * 1024;
/** … or this many milliseconds. */
export const SEGMENT_MS = 15 * 60_000;

/** The summary: what lists are made from, and where each segment begins. Made anew when it is missing. */
export const SUMMARY_FILE = 'recording.json';
/** Folders being imported begin with it, so that no half of one passes for a recording. */
export const IMPORTING = '.importing-';
/** Folder of side files. */
export const BLOBS = 'blobs';

/** Name of a segment's file. */
export function segmentFile(segment: number): string {
  return `${String(segment).padStart(6, '0')}.jsonl`;
}

/** Number of a segment by the name of its file; undefined for other files. */
export function segmentOf(file: string): number | undefined {
  const [, digits] = /^(\d{6,})\.jsonl(?:\.zst)?$/.exec(file) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** File of a side file by its name in a line; undefined when the name is none, so that no line leads out of the folder. */
export function blobFile(folder: string, blob: string): string | undefined {
  const [, hex] = /^sha256-([0-9a-f]{64})$/.exec(blob) ?? [];
  return hex === undefined ? undefined : join(folder, `${hex}.json`);
}

/** A new id of a recording: when it was made, and what tells it from others of that second. */
export function newRecordingId(): string {
  return `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}-${randomBytes(3).toString('hex')}`;
}
