/** Recordings as files for others: what they hold is said first, then they are written whole or not at all. */
import { createWriteStream, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { finished } from 'node:stream/promises';
import { type ErrorShape, SignalboxError } from '../../api/errors.ts';
import type { FrameLine, RecordingLine } from '../../api/recordings.ts';
import { Damage } from '../recording/damage.ts';
import type { RecordingReader } from '../recording/reader.ts';
import type { CurrentRedactor } from '../redaction/current-redactor.ts';
import { Contents } from './contents.ts';
import { harText } from './har-export.ts';
import { type LineSink, recordingText } from './jsonl.ts';
import { plainText } from './plain.ts';

/** Formats of files. */
export const EXPORT_FORMATS = ['jsonl', 'har', 'plain'] as const;
/** One of them. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** How it is exported. */
export interface ExportOptions {
  /** File to write; without one only the preview is made. */
  readonly to?: string;
  /** Default `jsonl`. */
  readonly format?: string;
  /** What is secret now may be more than when it was recorded. */
  readonly redactor: Pick<CurrentRedactor, 'redact' | 'text'>;
  readonly version: string;
}
/** What was, or would be, written. */
export interface ExportResult {
  readonly file?: string;
  /** What it holds, a line each, for a person to read before it is shared. */
  readonly preview: readonly string[];
  /** Size of the file, with its side files. */
  readonly bytes: number;
  /** What could not be read, and is a gap in the file; absent when all of it was. */
  readonly problems?: readonly ErrorShape[];
}

/**
 * Exports a recording. The file is replaced in one step.
 * @throws SBX_USAGE for an unknown format, SBX_RECORDING_DAMAGED, SBX_RECORDING_WRITE
 */
export async function exportRecording(reader: RecordingReader, options: ExportOptions): Promise<ExportResult> {
  const { to, format = 'jsonl', redactor } = options;
  if (!isFormat(format))
    throw new SignalboxError('SBX_USAGE', `\`${format}\` is no format of an export.`, {
      why: `The formats are ${EXPORT_FORMATS.join(', ')}.`,
      fix: 'Leave it out for `jsonl`, which Signalbox can replay.',
    });
  if (to !== undefined && !isAbsolute(to))
    throw new SignalboxError('SBX_USAGE', `${to} is no absolute path.`, {
      why: 'The daemon has no working directory of yours.',
      fix: 'Give the whole path.',
    });
  const contents = new Contents();
  let sink: FileSink | undefined;
  let bytes = 0;
  const write: LineSink = async (text) => {
    bytes += Buffer.byteLength(text);
    await sink?.write(text);
  };
  const damage = new Damage();
  const source = {
    reader: { header: reader.header, lines: () => watched(reader.lines(), damage), message: (line: FrameLine) => reader.message(line) },
    redact: redactor.redact,
    see: contents,
  };
  try {
    if (to !== undefined) sink = new FileSink(to);
    // not `bytes +=`: that would take what it was before the writing
    const aside = format === 'jsonl' ? await recordingText(source, write, to) : 0;
    bytes += aside;
    if (format === 'plain') await plainText(source, write);
    if (format === 'har') await harText(source, write, options.version);
    await sink?.done();
  } catch (error) {
    sink?.abandon();
    if (error instanceof SignalboxError) throw error;
    throw new SignalboxError('SBX_RECORDING_WRITE', `${to ?? 'The export'} cannot be written.`, {
      why: error instanceof Error ? error.message : String(error),
      fix: 'Give a path in a folder you may write to, with room on its disk.',
      cause: error,
    });
  }
  const { problems } = damage;
  return {
    ...(to === undefined ? {} : { file: to }),
    preview: contents.preview(bytes),
    bytes,
    ...(problems === undefined ? {} : { problems }),
  };
}

/** The lines, seen by what collects the damage: a format may make others of them. */
async function* watched(lines: AsyncIterable<RecordingLine>, damage: Damage): AsyncGenerator<RecordingLine> {
  for await (const line of lines) {
    damage.line(line);
    yield line;
  }
}

function isFormat(format: string): format is ExportFormat {
  return (EXPORT_FORMATS as readonly string[]).includes(format);
}

/** Folder by folder: `recursive` never ends where none can be made, as in `/proc` (Node.js 24), and the daemon with it. */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  mkdirSync(folder);
}

/** A file that is there whole or not at all. */
class FileSink {
  readonly #file: string;
  readonly #stream: ReturnType<typeof createWriteStream>;
  #failed: Error | undefined;

  constructor(file: string) {
    this.#file = file;
    makeFolder(dirname(file));
    this.#stream = createWriteStream(`${file}.new`);
    this.#stream.on('error', (error) => {
      this.#failed = error;
    });
  }

  async write(text: string): Promise<void> {
    if (this.#failed !== undefined) throw this.#failed;
    if (this.#stream.write(text)) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        this.#stream.off('drain', go).off('error', go);
        resolve();
      };
      this.#stream.on('drain', go).on('error', go);
    });
  }

  async done(): Promise<void> {
    this.#stream.end();
    await finished(this.#stream);
    if (this.#failed !== undefined) throw this.#failed;
    renameSync(`${this.#file}.new`, this.#file);
  }

  abandon(): void {
    this.#stream.destroy();
    rmSync(`${this.#file}.new`, { force: true });
  }
}
