/** Changing one key of somebody else's JSON file: the rest keeps its bytes, and a file that changed meanwhile is left alone. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findNodeAtLocation, modify, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { SignalboxError } from '../api/errors.ts';

/** A path of keys into an object, outermost first. */
export type KeyPath = readonly string[];

/** A JSON file as it was read: its bytes are what {@link replaceFile} compares with. */
export interface JsonFile {
  /** As asked for. */
  readonly file: string;
  /** The file itself when `file` is a symbolic link; links stay links. */
  readonly target: string;
  /** `undefined` when there is no file. */
  readonly bytes: Buffer | undefined;
  /** Text without a byte order mark; `{}` when there is no file. */
  readonly text: string;
  readonly bom: boolean;
  readonly root: Node;
}

const BOM = '\uFEFF';

/**
 * Reads and parses a file as strict JSON with an object at its root.
 * @throws SBX_WIRE_UNREADABLE when it cannot be read, is not UTF-8, does not parse, or is not an object
 */
export function readJsonFile(file: string): JsonFile {
  let bytes: Buffer | undefined;
  let target = file;
  try {
    target = realpathSync(file);
    bytes = readFileSync(target);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(file, messageOf(cause), cause);
  }
  return parse(file, target, bytes);
}

/** The same file with other text, for working out a change in several steps; the bytes to compare with stay those on disk. */
export function withText(json: JsonFile, text: string): JsonFile {
  return { ...json, text, root: rootOf(json.file, text) };
}

/** The bytes a text is written as: with the byte order mark the file had. */
export function bytesOf(json: JsonFile, text: string): Buffer {
  return Buffer.from(json.bom ? BOM + text : text);
}

/**
 * The value at a path.
 * @returns `undefined` when a key of the path is missing
 * @throws SBX_WIRE_UNREADABLE when something on the way is not an object, or a key stands there twice (which of the two counts is anybody's guess)
 */
export function valueAt(json: JsonFile, path: KeyPath): unknown {
  let node: Node = json.root;
  for (const [index, key] of path.entries()) {
    const place = path.slice(0, index).join('.');
    if (node.type !== 'object') throw unreadable(json.file, `"${place}" is not an object.`);
    const found = (node.children ?? []).filter((property) => property.children?.[0]?.value === key);
    if (found.length > 1) throw unreadable(json.file, `The key "${[...path.slice(0, index), key].join('.')}" stands there twice.`);
    const next = found[0]?.children?.[1];
    if (next === undefined) return undefined;
    node = next;
  }
  // JSON.parse, because the library makes objects without a prototype, which equal no literal of ours.
  return JSON.parse(json.text.slice(node.offset, node.offset + node.length)) as unknown;
}

/** The text with a value set at a path (`undefined` removes the key); missing objects on the way are made, everything else keeps its characters. */
export function textWith(json: JsonFile, path: KeyPath, value: unknown): string {
  const { text } = json;
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const indent = /^\s*\{\r?\n([ \t]+)/.exec(text)?.[1] ?? '  ';
  const formattingOptions = {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol,
  };
  if (value === undefined && findNodeAtLocation(json.root, [...path]) === undefined) return text;
  let changed = text;
  // Edits come in ascending order; applied from the last, the offsets of the earlier ones stay right.
  for (const { offset, length, content } of modify(text, [...path], value, { formattingOptions }).reverse())
    changed = changed.slice(0, offset) + content + changed.slice(offset + length);
  return json.bytes === undefined && !changed.endsWith('\n') ? changed + eol : changed;
}

/**
 * Compare and swap: replaces the file by atomic rename if its bytes are still those that were read.
 * @param content new bytes; `undefined` removes the file
 * @param mode permission bits of a file that did not exist; an existing one keeps its own
 * @throws SBX_WIRE_CONFLICT when somebody wrote the file in between
 */
export function replaceFile(json: JsonFile, content: Buffer | undefined, mode: number): void {
  const { target } = json;
  if (content === undefined) {
    unchanged(json);
    rmSync(target);
    return;
  }
  if (json.bytes === undefined) {
    create(json, content, mode);
    return;
  }
  unchanged(json);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.${randomBytes(6).toString('hex')}`);
  try {
    const bits = statSync(target).mode & 0o7777;
    writeFileSync(temporary, content, { flag: 'wx', mode: bits, flush: true });
    chmodSync(temporary, bits); // the umask may have taken bits the file had
    unchanged(json);
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** A rename would overwrite a file that appeared meanwhile; an exclusive creation does not. */
function create({ file, target }: JsonFile, content: Buffer, mode: number): void {
  mkdirSync(dirname(target), { recursive: true });
  try {
    writeFileSync(target, content, { flag: 'wx', mode, flush: true });
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === 'EEXIST' ? changedMeanwhile(file) : cause;
  }
}

function unchanged(json: JsonFile): void {
  let now: Buffer | undefined;
  try {
    now = readFileSync(json.target);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
  }
  const same = now === undefined ? json.bytes === undefined : json.bytes !== undefined && now.equals(json.bytes);
  if (!same) throw changedMeanwhile(json.file);
}

function changedMeanwhile(file: string): SignalboxError {
  return new SignalboxError('SBX_WIRE_CONFLICT', `${file} was changed by somebody else at the same moment.`, {
    why: 'Its bytes differ from those Signalbox read; writing now would lose that change.',
    fix: 'Run the command again.',
  });
}

function parse(file: string, target: string, bytes: Buffer | undefined): JsonFile {
  let decoded = '{}';
  try {
    if (bytes !== undefined) decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw unreadable(file, 'It is not UTF-8 text.', cause);
  }
  const bom = decoded.startsWith(BOM);
  const text = bom ? decoded.slice(BOM.length) : decoded;
  return { file, target, bytes, text, bom, root: rootOf(file, text) };
}

function rootOf(file: string, text: string): Node {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const [first] = errors;
  if (first !== undefined) {
    const upTo = text.slice(0, first.offset).split('\n');
    throw unreadable(file, `${printParseErrorCode(first.error)} at line ${upTo.length}, column ${(upTo.at(-1)?.length ?? 0) + 1}.`);
  }
  if (root?.type !== 'object') throw unreadable(file, 'There is no JSON object at its root.');
  return root;
}

function unreadable(file: string, why: string, cause?: unknown): SignalboxError {
  return new SignalboxError('SBX_WIRE_UNREADABLE', `${file} cannot be read as JSON, so it was left alone.`, {
    why,
    fix: 'Repair the file (it must be plain JSON), then run the command again.',
    cause,
  });
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
