/** `signalbox logs`: the daemon's log, read from its file so that it can be read after a crash too. */
import { closeSync, fstatSync, openSync, readSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { positionals, usageError } from './arguments.ts';
import type { Command, CommandContext } from './command.ts';
import { lineCount } from './servers.ts';
import { harmless } from './terminal.ts';

const CHUNK = 64 * 1024;

/** `signalbox logs`. */
export const logsCommand: Command = {
  name: 'logs',
  summary: "Show the daemon's log",
  usage: ['signalbox logs [-n LINES] [--follow]'],
  options: {
    lines: { type: 'string', short: 'n', value: 'LINES', summary: 'how many of the last lines; 50 unless told' },
    follow: { type: 'boolean', short: 'f', summary: 'go on showing what is written, until Ctrl-C' },
  },
  async run(context) {
    positionals('logs', context.args, []);
    const count = lineCount(context.flags.text('lines'));
    const following = context.flags.on('follow');
    if (following && context.json)
      throw usageError(
        '`--follow` and `--json` do not go together.',
        '`--json` is one document, and following has no end.',
        'Leave out one.',
      );
    const { lines, end } = lastLines(context.paths.logFile, count);
    context.result({ file: context.paths.logFile, lines }, lines.join('\n'));
    if (following) await follow(context, end);
    return 0;
  },
};

/** The last lines of a file and where they end; no lines when there is no file. Reads from the end, whatever the file's size. */
export function lastLines(file: string, count: number): { lines: string[]; end: number } {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { lines: [], end: 0 };
    throw error;
  }
  try {
    const end = fstatSync(fd).size;
    const chunks: Buffer[] = [];
    let newlines = 0;
    // one newline more than lines wanted: the one that ends the line before
    for (let position = end; position > 0 && newlines <= count; ) {
      const length = Math.min(CHUNK, position);
      position -= length;
      const chunk = Buffer.alloc(length);
      readSync(fd, chunk, 0, length, position);
      chunks.unshift(chunk);
      for (const byte of chunk) if (byte === 10) newlines++;
    }
    const lines = Buffer.concat(chunks).toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    return { lines: count === 0 ? [] : lines.slice(-count), end };
  } finally {
    closeSync(fd);
  }
}

/** Copies what is appended to the log until the signal. A file that became shorter was begun anew. */
function follow({ paths, stdout, signal }: CommandContext, start: number): Promise<void> {
  let position = start;
  const decoder = new StringDecoder('utf8');
  const copy = (): void => {
    let fd: number;
    try {
      fd = openSync(paths.logFile, 'r');
    } catch {
      return; // between two daemons there may be no log; the watcher tells when there is one
    }
    try {
      if (fstatSync(fd).size < position) position = 0;
      const chunk = Buffer.alloc(CHUNK);
      for (let length = readSync(fd, chunk, 0, CHUNK, position); length > 0; length = readSync(fd, chunk, 0, CHUNK, position)) {
        position += length;
        const text = decoder.write(chunk.subarray(0, length));
        stdout.write(stdout.isTTY === true ? harmless(text) : text);
      }
    } finally {
      closeSync(fd);
    }
  };
  return new Promise((resolve, reject) => {
    const watcher = watch(dirname(paths.logFile));
    watcher.on('change', copy);
    watcher.on('error', reject);
    const end = (): void => {
      watcher.close();
      resolve();
    };
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    copy();
  });
}
