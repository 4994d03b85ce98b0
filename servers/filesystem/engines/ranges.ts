/** Parts of a file of any size, in constant memory. */
import type { OpenFile } from '../guard/content.ts';

const CHUNK = 256 * 1024;
const NEWLINE = 10;

/** Bytes of a file, and where they are in it. */
export interface Piece {
  readonly data: Buffer;
  /** Offset of the first byte. */
  readonly offset: number;
  /** Number of the first line, from 1; undefined when it is not known without reading everything before. */
  readonly firstLine: number | undefined;
  /** The piece was cut at the limit. */
  readonly cut: boolean;
  /** Nothing follows. */
  readonly atEnd: boolean;
}

/**
 * The bytes of some lines.
 * @param first number of the first line, from 1
 * @param last number of the last line, included; Infinity for all
 * @param maxBytes of the piece
 */
export async function readLines(file: OpenFile, first: number, last: number, maxBytes: number, signal: AbortSignal): Promise<Piece> {
  const start = first === 1 ? 0 : await offsetOfLine(file, first, signal);
  if (start === undefined) return { data: Buffer.alloc(0), offset: file.stat.size, firstLine: first, cut: false, atEnd: true };
  const chunks: Buffer[] = [];
  let length = 0;
  let left = last - first + 1;
  for (let at = start; left > 0 && length < maxBytes; ) {
    signal.throwIfAborted();
    const chunk = file.read(at, Math.min(CHUNK, maxBytes - length));
    if (chunk.length === 0) return { data: Buffer.concat(chunks), offset: start, firstLine: first, cut: false, atEnd: true };
    let end = chunk.length;
    for (let from = 0; left > 0; ) {
      const newline = chunk.indexOf(NEWLINE, from);
      if (newline < 0) break;
      from = newline + 1;
      if (--left === 0) end = from;
    }
    chunks.push(chunk.subarray(0, end));
    length += end;
    at += end;
    await turn();
  }
  const next = file.read(start + length, 1).length === 0;
  return { data: Buffer.concat(chunks), offset: start, firstLine: first, cut: left > 0 && !next, atEnd: next };
}

/** The last lines, read from the end. */
export async function readTail(file: OpenFile, lines: number, maxBytes: number, signal: AbortSignal): Promise<Piece> {
  const { size } = file.stat;
  let start = size;
  let found = 0;
  // The newline that ends the last line does not begin another.
  let ignore = size - 1;
  scan: while (start > 0 && size - start < maxBytes) {
    signal.throwIfAborted();
    const from = Math.max(0, start - CHUNK, size - maxBytes);
    const chunk = file.read(from, start - from);
    for (let newline = chunk.lastIndexOf(NEWLINE); newline >= 0; newline = newline === 0 ? -1 : chunk.lastIndexOf(NEWLINE, newline - 1)) {
      if (from + newline === ignore) continue;
      if (++found === lines) {
        start = from + newline + 1;
        break scan;
      }
    }
    start = from;
    ignore = -1;
    await turn();
  }
  const cut = found < lines && start > 0;
  return { data: file.read(start, size - start), offset: start, firstLine: start === 0 ? 1 : undefined, cut, atEnd: true };
}

async function offsetOfLine(file: OpenFile, line: number, signal: AbortSignal): Promise<number | undefined> {
  let left = line - 1;
  for (let at = 0; ; ) {
    signal.throwIfAborted();
    const chunk = file.read(at, CHUNK);
    if (chunk.length === 0) return undefined;
    for (let from = 0; ; ) {
      const newline = chunk.indexOf(NEWLINE, from);
      if (newline < 0) break;
      from = newline + 1;
      if (--left === 0) return at + from;
    }
    at += chunk.length;
    // 10 GB take a while: the server goes on answering in between.
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
