/** What we remember of each wiring, so that it can be taken back exactly: one JSON file and one backup each, in `paths.wiringDir`. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SignalboxError } from '../api/errors.ts';
import type { Paths } from '../api/paths.ts';
import { writePrivateFile } from '../lifecycle/private-file.ts';
import type { FormatName, KeyPath } from './text-format.ts';
import type { Scope } from './wiring.ts';

/** One wiring, as recorded before the client's file was touched. */
export interface WiringRecord {
  readonly version: 1;
  readonly client: string;
  readonly scope: Scope;
  /** The client's file, absolute. */
  readonly file: string;
  /** Where our entry stands in it. */
  readonly path: KeyPath;
  /** Absent: JSON. */
  readonly format?: FormatName;
  /** What stood there before; absent when nothing did. */
  readonly before?: unknown;
  /** What we put there. */
  readonly after: unknown;
  /** Objects on the way that did not exist before, outermost first: undo removes them if they are empty again. */
  readonly created: readonly KeyPath[];
  /** The file did not exist before: undo removes it if nothing else is in it. */
  readonly createdFile: boolean;
  /** Digest of the file as we left it, when we alone wrote it: as long as it holds, undo puts the backup back byte for byte. */
  readonly writtenDigest?: string;
  /** ISO 8601. */
  readonly wiredAt: string;
}

/** SHA-256 of a file's bytes, hex. */
export function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Where the verbatim copy of the file before the wiring is kept. */
export function backupFile(paths: Paths, record: Pick<WiringRecord, 'client' | 'scope' | 'file' | 'path'>): string {
  return join(paths.wiringDir, `${nameOf(record)}.backup`);
}

/** Keeps a record, and the bytes the file had (`undefined`: there was no file; `'keep'`: an earlier backup is still the right one). */
export function keepRecord(paths: Paths, record: WiringRecord, bytes: Buffer | undefined | 'keep'): void {
  const backup = backupFile(paths, record);
  if (bytes === undefined) rmSync(backup, { force: true });
  // A backed-up file was parsed, so its bytes are valid UTF-8 and survive being text (a byte order mark included).
  else if (bytes !== 'keep') writePrivateFile(backup, bytes.toString('utf8'));
  writePrivateFile(recordFile(paths, record), `${JSON.stringify(record, null, 2)}\n`);
}

/** Forgets a wiring and its backup. */
export function dropRecord(paths: Paths, record: WiringRecord): void {
  rmSync(recordFile(paths, record), { force: true });
  rmSync(backupFile(paths, record), { force: true });
}

/** The bytes of the backup, if there is one. */
export function readBackup(paths: Paths, record: WiringRecord): Buffer | undefined {
  const file = backupFile(paths, record);
  return existsSync(file) ? readFileSync(file) : undefined;
}

/** The record of one place in one file. */
export function findRecord(paths: Paths, place: Pick<WiringRecord, 'client' | 'scope' | 'file' | 'path'>): WiringRecord | undefined {
  const file = recordFile(paths, place);
  return existsSync(file) ? readRecord(file) : undefined;
}

/** Every wiring we remember, oldest first. */
export function listRecords(paths: Paths): readonly WiringRecord[] {
  if (!existsSync(paths.wiringDir)) return [];
  return readdirSync(paths.wiringDir)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readRecord(join(paths.wiringDir, name)))
    .sort((one, other) => one.wiredAt.localeCompare(other.wiredAt));
}

function readRecord(file: string): WiringRecord {
  try {
    const record = JSON.parse(readFileSync(file, 'utf8')) as Partial<WiringRecord>;
    if (record.version === 1 && typeof record.file === 'string' && Array.isArray(record.path)) return record as WiringRecord;
  } catch (cause) {
    throw broken(file, cause);
  }
  throw broken(file);
}

function broken(file: string, cause?: unknown): SignalboxError {
  return new SignalboxError('SBX_WIRE_UNREADABLE', `The wiring record ${file} cannot be read.`, {
    why: cause instanceof Error ? cause.message : 'It is not a record this version of Signalbox knows.',
    fix: 'Take the `signalbox` entry out of the client by hand, then delete the record.',
    cause,
  });
}

function recordFile(paths: Paths, record: Pick<WiringRecord, 'client' | 'scope' | 'file' | 'path'>): string {
  return join(paths.wiringDir, `${nameOf(record)}.json`);
}

/** The same place always gets the same name; two projects never share one. */
function nameOf({ client, scope, file, path }: Pick<WiringRecord, 'client' | 'scope' | 'file' | 'path'>): string {
  const place = createHash('sha256')
    .update(JSON.stringify([file, path]))
    .digest('hex')
    .slice(0, 12);
  return `${client}-${scope}-${place}`;
}
