/** Lines of a stream that end with a line feed and nothing else. */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** A stream that is being read. */
export interface LineReader {
  /** Resolves when the stream has ended or {@link close} was called, after the last line. */
  readonly closed: Promise<void>;
  /** Reads no more. */
  close(): void;
}

/**
 * Tells every line, and what stands after the last line feed when the stream ends. `node:readline` is of no use for JSON: it also ends a
 * line at U+2028 and U+2029, which `JSON.stringify` writes as they are.
 */
export function readLines(input: Readable, onLine: (line: string) => void): LineReader {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  const tell = (line: string): void => onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  const take = (chunk: Buffer | string): void => {
    const [first = '', ...lines] = (typeof chunk === 'string' ? chunk : decoder.write(chunk)).split('\n');
    pieces.push(first);
    for (const line of lines) {
      // Pieces are joined once: a line of many megabytes comes in thousands of them.
      const whole = pieces.join('');
      pieces = [line];
      if (open) tell(whole);
    }
  };
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    input.off('data', take);
    input.off('end', end);
    input.off('close', end);
    resolve();
  };
  const end = (): void => {
    const rest = pieces.join('') + decoder.end();
    pieces = [];
    if (open && rest !== '') tell(rest);
    close();
  };
  input.on('data', take);
  input.on('end', end);
  input.on('close', end);
  return { closed, close };
}
