/** Taking a wiring back from its record alone: no client program is needed. */
import { isDeepStrictEqual } from 'node:util';
import { SignalboxError } from '../api/errors.ts';
import type { Paths } from '../api/paths.ts';
import { bytesOf, type ClientFile, isEmpty, readClientFile, replaceFile, textWith, valueAt, withText } from './client-file.ts';
import { unifiedDiff } from './diff.ts';
import { digestOf, dropRecord, readBackup, type WiringRecord } from './record.ts';
import type { UndoResult } from './wiring.ts';

/**
 * Puts back exactly what stood under our key, by compare-and-swap, and drops the record.
 * @param options.preview works out the change and makes none
 * @throws SBX_WIRE_UNREADABLE when the client's file no longer parses
 * @throws SBX_WIRE_CONFLICT when somebody edited our entry since; the entry and the record stay
 */
export function undoWiring(paths: Paths, record: WiringRecord, { preview = false }: { readonly preview?: boolean } = {}): UndoResult {
  const { client, scope, file } = record;
  const read = readClientFile(file, record.format ?? 'json');
  const current = valueAt(read, record.path);
  const untouched = current === undefined || isDeepStrictEqual(current, record.before);
  if (!untouched && !isDeepStrictEqual(current, record.after)) {
    throw new SignalboxError('SBX_WIRE_CONFLICT', `The "${record.path.at(-1)}" entry in ${file} was changed since it was wired.`, {
      why: 'It is neither what Signalbox wrote nor what stood there before, so somebody edited it.',
      fix: 'Take the entry out by hand if you do not need it, then run the command again.',
    });
  }
  const restored = untouched ? read.bytes : restoredBytes(paths, record, read);
  const diff = unifiedDiff(file, read.bytes?.toString('utf8'), restored?.toString('utf8'));
  if (!preview) {
    if (!untouched) replaceFile(read, restored, 0o600);
    dropRecord(paths, record);
  }
  return { client, scope, file, outcome: untouched ? 'gone' : 'restored', diff };
}

/** The file's bytes without our doing; `undefined` when that leaves no file. */
function restoredBytes(paths: Paths, record: WiringRecord, read: ClientFile): Buffer | undefined {
  const backup = readBackup(paths, record);
  // Without its backup a file that was there before is edited, never removed.
  if (read.bytes !== undefined && digestOf(read.bytes) === record.writtenDigest && (backup !== undefined || record.createdFile))
    return backup;
  let without = withText(read, textWith(read, record.path, record.before));
  for (const path of [...record.created].reverse()) {
    const value = valueAt(without, path);
    if (isDeepStrictEqual(value, {})) without = withText(without, textWith(without, path, undefined));
  }
  if (record.createdFile && isEmpty(without)) return undefined;
  return bytesOf(read, without.text);
}
