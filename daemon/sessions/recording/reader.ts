/** Reads a recording: a folder of the state directory or an exported file. Never changes it, also while it is being written. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SignalboxError } from '../../api/errors.ts';
import { type FrameLine, RECORDING_VERSION, type RecordingHeader, type RecordingInfo, type RecordingLine } from '../../api/recordings.ts';
import { parseJson } from '../../protocol/json.ts';
import { isObject } from '../../protocol/message.ts';
import { PLACEHOLDER_PREFIX } from '../redaction/placeholder.ts';
import { damageLine } from './damage.ts';
import { BLOBS, segmentOf } from './layout.ts';
import { SideFiles } from './side-files.ts';
import { infoOf, readSummary, type Summary, Tally } from './summary.ts';
import { lineBatches } from './text-lines.ts';

/** What lines are wanted. */
export interface LineQuery {
  /** Frames from this `n` on; the connections that are open there come first. */
  readonly from?: number;
  /** Looks at the JSON text of a line before it is parsed; false skips it. For searches of large recordings. */
  readonly text?: (line: Buffer) => boolean;
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}
/** An open recording. */
export interface RecordingReader {
  readonly header: RecordingHeader;
  /** What is known of it; an exported file is read through for it, once. */
  info(): Promise<RecordingInfo>;
  /**
   * The lines in order, headers left out. Nothing damaged throws: what cannot be read is a `gap` line. A connection's `open` comes once.
   */
  lines(query?: LineQuery): AsyncIterable<RecordingLine>;
  /**
   * The message of a frame, from its side file where it is in one. Numbers JavaScript cannot hold are what `parseJson` makes of them.
   * @throws SBX_RECORDING_DAMAGED when the side file is missing or is not what its name says
   */
  message(line: FrameLine): Promise<object>;
  close(): Promise<void>;
}

/**
 * Opens a recording.
 * @param path folder of a recording, or a file as `signalbox record export` writes it
 * @param live whether it is being written now: then its end is not missing
 * @throws SBX_RECORDING_UNKNOWN, SBX_RECORDING_VERSION (written by a newer Signalbox), SBX_RECORDING_DAMAGED (no header)
 */
export async function openRecording(path: string, { live = false }: { readonly live?: boolean } = {}): Promise<RecordingReader> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw unknownRecording(path);
  if (!stat.isDirectory() && !stat.isFile()) throw damaged(path, 'It is neither a file nor a folder.');
  const files = stat.isDirectory() ? segmentsIn(path) : [path];
  const blobs = stat.isDirectory() ? join(path, BLOBS) : join(dirname(path), `${basename(path).replace(/\.jsonl$/, '')}.${BLOBS}`);
  const [first] = files;
  if (first === undefined) throw damaged(path, 'There is no segment in the folder.');
  const summary = stat.isDirectory() ? readSummary(path) : undefined;
  return new Reader(path, files, blobs, await anyHeader(files, summary), live, summary);
}

/** The header of the first segment that has one: each says the same, and so does the summary. A recording is not lost with its first segment. */
async function anyHeader(files: readonly string[], summary: Summary | undefined): Promise<RecordingHeader> {
  let failure: unknown;
  for (const file of files) {
    try {
      return { ...(await readHeader(current(file))), segment: 1 };
    } catch (error) {
      if (!(error instanceof SignalboxError) || error.code !== 'SBX_RECORDING_DAMAGED') throw error;
      failure ??= error;
    }
  }
  if (summary !== undefined && files.length > 1) return summary.header;
  throw failure;
}

/** Segment files of a folder in order; of a segment that is there twice (the writer died while it packed it) the packed one. */
export function segmentsIn(folder: string): string[] {
  const found = new Map<number, string>();
  for (const file of readdirSync(folder).sort()) {
    const segment = segmentOf(file);
    if (segment !== undefined) found.set(segment, join(folder, file));
  }
  return [...found].sort(([a], [b]) => a - b).map(([, file]) => file);
}

class Reader implements RecordingReader {
  readonly header: RecordingHeader;
  readonly #path: string;
  readonly #files: readonly string[];
  readonly #sideFiles: SideFiles;
  readonly #live: boolean;
  #summary: Summary | undefined;

  constructor(path: string, files: readonly string[], blobs: string, header: RecordingHeader, live: boolean, summary: Summary | undefined) {
    this.#path = path;
    this.#files = files;
    this.#sideFiles = new SideFiles(blobs);
    this.header = header;
    this.#live = live;
    this.#summary = summary;
  }

  async info(): Promise<RecordingInfo> {
    if (this.#summary === undefined || (this.#summary.endedAt === undefined && !this.#live)) this.#summary = await this.#counted();
    return infoOf(this.#summary, this.#path, this.#live);
  }

  async *lines({ from = 0, text, signal }: LineQuery = {}): AsyncGenerator<RecordingLine> {
    const start = from === 0 ? 0 : this.#segmentWith(from);
    const opened = new Set<string>();
    let expected: number | undefined;
    let lastT = 0;
    let started = from === 0;
    let ended = false;
    const gap = (why: string, lost?: number): RecordingLine => damageLine(lastT, why, lost);
    // what the files beside it say is said here, so that whoever reads lines never fails at one of them
    const sound = async (line: RecordingLine): Promise<RecordingLine> => {
      const trouble = line.k === 'frame' ? await this.#sideFiles.trouble(line) : undefined;
      return line.k === 'frame' && trouble !== undefined ? gap(`The message of frame ${line.n} ${trouble}.`, 1) : line;
    };
    for (const file of this.#files.slice(start)) {
      const segment = segmentOf(basename(file));
      if (segment !== undefined && expected !== undefined && segment !== expected)
        yield gap(expected === segment - 1 ? `Segment ${expected} is missing.` : `Segments ${expected} to ${segment - 1} are missing.`);
      expected = segment === undefined ? undefined : segment + 1;
      for await (const batch of lineBatches(current(file))) {
        if (signal?.aborted === true) return;
        for (const bytes of batch.lines) {
          if (text !== undefined && !text(bytes)) continue;
          const line = parsedLine(bytes);
          if (line === undefined) yield gap('A line cannot be read.', 1);
          else if ('signalbox' in line) continue;
          else {
            if (typeof line.t === 'number') lastT = line.t;
            if (line.k === 'open') {
              if (opened.has(line.c)) continue;
              opened.add(line.c);
            } else if (!started) {
              started = line.k === 'frame' && line.n >= from;
              // what is before the point is not wanted, but for the connections that are open there
              if (!started && line.k !== 'end') continue;
            }
            ended = line.k === 'end';
            yield await sound(line);
          }
        }
        if (batch.error !== undefined) yield gap(`The rest of ${basename(file)} cannot be read: ${batch.error.message}`);
        else if (batch.torn !== undefined && !this.#live) {
          const line = text === undefined || text(batch.torn) ? parsedLine(batch.torn) : undefined;
          if (line !== undefined && !('signalbox' in line)) {
            ended = line.k === 'end';
            yield await sound(line);
          } else yield gap('The last line was cut off.', 1);
        }
      }
    }
    if (!ended && !this.#live && text === undefined) yield gap('The recording breaks off here: its end is missing.');
  }

  async message(line: FrameLine): Promise<object> {
    if (line.m !== undefined) return line.m;
    const found = await this.#sideFiles.read(line);
    if ('message' in found) return found.message;
    throw damaged(this.#path, `The message of frame ${line.n} ${found.why}.`, found.cause);
  }

  async close(): Promise<void> {}

  /** Index of the segment the frame stands in, by the summary; the first when it does not say. */
  #segmentWith(n: number): number {
    const known = this.#summary?.segments.findLast(({ first }) => first !== undefined && first <= n);
    const after = this.#summary?.segments.at(-1);
    // beyond the last closed segment it can only be in the one being written
    const segment = after?.last !== undefined && n > after.last ? after.segment + 1 : known?.segment;
    const index = this.#files.findIndex((file) => segmentOf(basename(file)) === segment);
    return Math.max(0, index);
  }

  async #counted(): Promise<Summary> {
    const tally = new Tally();
    for (const file of this.#files) {
      let bytes = 0;
      tally.begin(segmentOf(basename(file)) ?? 1, 0);
      for await (const batch of lineBatches(current(file))) {
        for (const line of batch.lines) {
          bytes = line.length + 1;
          count(tally, parsedLine(line), bytes);
        }
        if (batch.torn !== undefined || batch.error !== undefined) tally.gaps += 1;
      }
    }
    tally.end();
    if (!tally.ended && !this.#live) tally.gaps += 1;
    const endedAt = new Date(Date.parse(this.header.createdAt) + tally.lastT).toISOString();
    return tally.summary(this.header, this.#live ? {} : { endedAt });
  }
}

function count(tally: Tally, line: RecordingLine | RecordingHeader | undefined, bytes: number): void {
  if (line === undefined) tally.gaps += 1;
  else if ('signalbox' in line) tally.bytes += bytes;
  else if (line.k === 'frame') tally.frame(line.n, line.t, line.era, bytes);
  else tally.other(line, bytes);
}

/** A segment of a live recording may have been packed since the folder was read. */
function current(file: string): string {
  return existsSync(file) ? file : `${file}.zst`;
}

/**
 * The header in the first line of a file.
 * @throws SBX_RECORDING_DAMAGED, SBX_RECORDING_VERSION
 */
export async function readHeader(file: string): Promise<RecordingHeader> {
  for await (const { lines, torn, error } of lineBatches(file)) {
    const line = lines[0] ?? torn;
    const value = line === undefined ? undefined : parsedLine(line);
    if (value === undefined || !('signalbox' in value))
      throw damaged(file, error?.message ?? 'Its first line is no header of a recording.');
    if (value.version > RECORDING_VERSION)
      throw new SignalboxError('SBX_RECORDING_VERSION', `${file} has version ${value.version} of the recording format.`, {
        why: `It was written by a newer ${value.writer?.name ?? 'Signalbox'} (${value.writer?.version ?? 'unknown'}); this one reads up to version ${RECORDING_VERSION}.`,
        fix: 'Update Signalbox.',
      });
    return checked(file, value);
  }
  throw damaged(file, 'It is empty.');
}

/** The header with everything in it that is counted on: files come from anywhere. */
function checked(file: string, { name, filter, redaction, writer, ...value }: Partial<RecordingHeader>): RecordingHeader {
  const { signalbox = 'recording', version = RECORDING_VERSION, id, createdAt, segment = 1 } = value;
  if (typeof id !== 'string' || typeof createdAt !== 'string' || Number.isNaN(Date.parse(createdAt)))
    throw damaged(file, 'Its header says no `id` or no time.');
  return {
    ...value,
    signalbox,
    version,
    id,
    ...(typeof name === 'string' ? { name } : {}),
    createdAt,
    segment,
    writer: { name: String(writer?.name ?? 'unknown'), version: String(writer?.version ?? 'unknown') },
    filter: isObject(filter) ? filter : {},
    redaction: { rules: Array.isArray(redaction?.rules) ? redaction.rules : [], prefix: String(redaction?.prefix ?? PLACEHOLDER_PREFIX) },
  };
}

/** A line as it stands in the file; undefined when it is none. */
export function parsedLine(bytes: Buffer): RecordingLine | RecordingHeader | undefined {
  try {
    const value = parseJson(bytes.toString('utf8')) as Record<string, unknown> | null;
    if (typeof value !== 'object' || value === null) return undefined;
    if (value['signalbox'] === 'recording' && typeof value['version'] === 'number') return value as unknown as RecordingHeader;
    return isLine(value) ? (value as unknown as RecordingLine) : undefined;
  } catch {
    return undefined;
  }
}

/** Longest time of a line in milliseconds: 300 years are still a date. */
const LONGEST_MS = 1e13;

function isLine({ k, t, n, c, m, blob, line, server }: Readonly<Record<string, unknown>>): boolean {
  if (typeof k !== 'string' || typeof t !== 'number' || !(t >= 0 && t <= LONGEST_MS)) return false;
  if (k === 'frame')
    return Number.isFinite(n) && typeof c === 'string' && ((typeof m === 'object' && m !== null) || typeof blob === 'string');
  if (k === 'stderr') return typeof line === 'string' && typeof server === 'string';
  return k === 'open' ? typeof c === 'string' : true;
}

/** The error for a recording that is not there. */
export function unknownRecording(name: string): SignalboxError {
  return new SignalboxError('SBX_RECORDING_UNKNOWN', `There is no recording ${JSON.stringify(name)}.`, {
    why: 'No recording has this id or name, and no file this path.',
    fix: 'See `signalbox record list`.',
  });
}

function damaged(file: string, why: string, cause?: unknown): SignalboxError {
  return new SignalboxError('SBX_RECORDING_DAMAGED', `${file} cannot be read as a recording.`, {
    why,
    fix: 'Put the file back if you have it, or remove the recording.',
    ...(cause === undefined ? {} : { cause }),
  });
}
