/** Changing one key of somebody else's file: the rest keeps its bytes, and a file that changed meanwhile is left alone. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { SignalboxError } from '../api/errors.ts';
import { FORMATS } from './formats.ts';
import type { FormatName, KeyPath } from './text-format.ts';
import { unreadable } from './unreadable.ts';

/** A file as it was read: its bytes are what {@link replaceFile} compares with. */
export interface ClientFile {
  /** As asked for. */
  readonly file: string;
  readonly format: FormatName;
  /** The file itself when `file` is a symbolic link; links stay links. */
  readonly target: string;
  /** `undefined` when there is no file. */
  readonly bytes: Buffer | undefined;
  /** Text without a byte order mark; an empty document when there is no file. */
  readonly text: string;
  readonly bom: boolean;
}

const BOM = '\uFEFF';

/**
 * Reads and parses a file.
 * @throws SBX_WIRE_UNREADABLE when it cannot be read, is not UTF-8, or does not parse
 */
export function readClientFile(file: string, format: FormatName): ClientFile {
  let bytes: Buffer | undefined;
  let target = file;
  try {
    target = realpathSync(file);
    bytes = readFileSync(target);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT')
      throw unreadable(file, cause instanceof Error ? cause.message : String(cause), cause);
    if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink())
      throw unreadable(file, `It is a symbolic link to ${readlinkSync(file)}, which is not there.`, cause);
  }
  let decoded = FORMATS[format].empty;
  try {
    if (bytes !== undefined) decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw unreadable(file, 'It is not UTF-8 text.', cause);
  }
  const bom = decoded.startsWith(BOM);
  return withText({ file, format, target, bytes, text: '', bom }, bom ? decoded.slice(BOM.length) : decoded);
}

/** The same file with other text, for working out a change in several steps; the bytes to compare with stay those on disk. */
export function withText(read: ClientFile, text: string): ClientFile {
  FORMATS[read.format].check(read.file, text);
  return { ...read, text };
}

/** The bytes a text is written as: with the byte order mark the file had. */
export function bytesOf(read: ClientFile, text: string): Buffer {
  return Buffer.from(read.bom ? BOM + text : text);
}

/** The value at a path; see `TextFormat.valueAt`. */
export function valueAt({ file, format, text }: ClientFile, path: KeyPath): unknown {
  return FORMATS[format].valueAt(file, text, path);
}

/** The text with a value at a path; see `TextFormat.textWith`. A new file ends with a line end. */
export function textWith({ file, format, text, bytes }: ClientFile, path: KeyPath, value: unknown): string {
  const changed = FORMATS[format].textWith(file, text, path, value);
  return bytes === undefined && !changed.endsWith('\n') ? `${changed}\n` : changed;
}

/** Whether nothing is said in the file: then it can go when it was ours. Comments count as something said. */
export function isEmpty(read: ClientFile): boolean {
  const bare = read.text.trim();
  return (bare === '' || bare.startsWith('{')) && !/\/[/*]|#/.test(bare) && isDeepStrictEqual(valueAt(read, []), {});
}

/**
 * Compare and swap: replaces the file by atomic rename if its bytes are still those that were read.
 * @param content new bytes; `undefined` removes the file
 * @param mode permission bits of a file that did not exist; an existing one keeps its own
 * @throws SBX_WIRE_CONFLICT when somebody wrote the file in between
 * @throws SBX_WIRE_UNWRITABLE when it is read-only or cannot be written
 */
export function replaceFile(read: ClientFile, content: Buffer | undefined, mode: number): void {
  try {
    replace(read, content, mode);
  } catch (cause) {
    throw cause instanceof SignalboxError ? cause : unwritable(read.file, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function replace(read: ClientFile, content: Buffer | undefined, mode: number): void {
  const { target } = read;
  if (content === undefined) {
    unchanged(read);
    rmSync(target);
    return;
  }
  if (read.bytes === undefined) {
    create(read, content, mode);
    return;
  }
  unchanged(read);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.${randomBytes(6).toString('hex')}`);
  try {
    const bits = statSync(target).mode & 0o7777;
    // A rename would go over it all the same; somebody said that nothing is to change it.
    if ((bits & 0o200) === 0) throw unwritable(read.file, 'It is read-only.');
    writeFileSync(temporary, content, { flag: 'wx', mode: bits, flush: true });
    chmodSync(temporary, bits); // the umask may have taken bits the file had
    unchanged(read);
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** A rename would overwrite a file that appeared meanwhile; an exclusive creation does not. */
function create({ file, target }: ClientFile, content: Buffer, mode: number): void {
  mkdirSync(dirname(target), { recursive: true });
  try {
    writeFileSync(target, content, { flag: 'wx', mode, flush: true });
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === 'EEXIST' ? changedMeanwhile(file) : cause;
  }
}

function unchanged(read: ClientFile): void {
  let now: Buffer | undefined;
  try {
    now = readFileSync(read.target);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
  }
  const same = now === undefined ? read.bytes === undefined : read.bytes !== undefined && now.equals(read.bytes);
  if (!same) throw changedMeanwhile(read.file);
}

function changedMeanwhile(file: string): SignalboxError {
  return new SignalboxError('SBX_WIRE_CONFLICT', `${file} was changed by somebody else at the same moment.`, {
    why: 'Its bytes differ from those Signalbox read; writing now would lose that change.',
    fix: 'Run the command again.',
  });
}

function unwritable(file: string, why: string, cause?: unknown): SignalboxError {
  return new SignalboxError('SBX_WIRE_UNWRITABLE', `${file} cannot be written, so it was left as it is.`, {
    why,
    fix: 'Make the file writable, then run the command again.',
    cause,
  });
}
