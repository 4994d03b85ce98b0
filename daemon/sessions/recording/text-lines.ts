/** Lines of a text file of any size, compressed or not, in bounded memory. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';

/** No line of a recording comes near: longer messages stand in side files. A file of another kind, or a device, must not fill the memory. */
const LONGEST = 16 * 1024 * 1024;

/** What a file gave. */
export interface LineBatch {
  /** Whole lines without their line break. */
  readonly lines: readonly Buffer[];
  /** The last line has no line break: it was being written when the writer died. */
  readonly torn?: Buffer;
  /** Reading broke off here. */
  readonly error?: Error;
}

/**
 * Reads a file in batches of lines; the last one says how it ended. Memory: a chunk, and the longest line.
 * @param file `.zst` is decompressed
 * @param till bytes of a plain file to read; the rest is being written
 */
export async function* lineBatches(file: string, till?: number): AsyncGenerator<LineBatch> {
  if (till === 0) return;
  const source = createReadStream(file, { highWaterMark: 256 * 1024, ...(till === undefined ? {} : { end: till - 1 }) });
  let stream: Readable = source;
  if (file.endsWith('.zst')) {
    const unpack = createZstdDecompress();
    source.on('error', (error) => unpack.destroy(error));
    stream = source.pipe(unpack);
  }
  let rest: Buffer[] = [];
  let kept = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const lines: Buffer[] = [];
      let from = 0;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
        const piece = chunk.subarray(from, at);
        lines.push(rest.length === 0 ? piece : Buffer.concat([...rest, piece]));
        rest = [];
        kept = 0;
        from = at + 1;
      }
      if (from < chunk.length) rest.push(chunk.subarray(from));
      if (lines.length > 0) yield { lines };
      kept += chunk.length - from;
      if (kept > LONGEST) {
        yield { lines: [], error: new Error('A line is longer than 16 MiB.') };
        return;
      }
    }
  } catch (error) {
    yield { lines: [], error: error instanceof Error ? error : new Error(String(error)), ...torn(rest) };
    return;
  } finally {
    source.destroy();
    stream.destroy();
  }
  if (rest.length > 0) yield { lines: [], ...torn(rest) };
}

function torn(rest: readonly Buffer[]): { readonly torn?: Buffer } {
  return rest.length === 0 ? {} : { torn: Buffer.concat(rest) };
}
