/** Writes a recording's folder: redacts lines, appends them, begins new segments, keeps large messages aside. Synchronous; runs in a thread. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import type { ErrorShape } from '../../api/errors.ts';
import type { OpenLine, RecordingHeader, RecordingLine } from '../../api/recordings.ts';
import type { Redactor } from '../redaction/redactor.ts';
import { BLOB_BYTES, BLOBS, SEGMENT_BYTES, SEGMENT_MS, segmentFile } from './layout.ts';
import { headOf, type LineItems } from './line-maker.ts';
import { type Summary, Tally, writeSummary } from './summary.ts';

/** Held free for the last lines when the disk is full. */
const RESERVE = 'reserve';
const RESERVE_BYTES = 16 * 1024;

/** What a writer is made of. */
export interface SegmentWriterOptions {
  /** Made if it is not there, 0700. */
  readonly folder: string;
  readonly header: RecordingHeader;
  readonly redactor: Redactor;
  /** A recording that goes on: its summary so far. */
  readonly before?: Summary;
  readonly segmentBytes?: number;
  readonly segmentMs?: number;
}

/** One recording being written. Whatever it throws, the file ends with a whole line. */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  readonly #blobs: string;
  readonly #header: RecordingHeader;
  readonly #tally: Tally;
  /** Connections that are open, with their line: each segment can be read by itself. */
  readonly #open = new Map<string, string>();
  readonly #packing = new Set<Promise<void>>();
  #redactor: Redactor;
  #segment: number;
  #since = 0;
  #fd = -1;
  #size = 0;

  constructor(options: SegmentWriterOptions) {
    const { folder, header, redactor, before } = options;
    this.#options = options;
    this.#redactor = redactor;
    this.#blobs = join(folder, BLOBS);
    this.#header = redactor.redact(header) as RecordingHeader;
    this.#tally = before === undefined ? new Tally() : Tally.from(before);
    this.#tally.ended = false;
    this.#segment = before?.segments.at(-1)?.segment ?? 0;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, RESERVE), Buffer.alloc(RESERVE_BYTES), { mode: 0o600 });
    this.#begin();
    writeSummary(folder, this.summary());
  }

  /** From now on others are taken out. */
  set redactor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  /** What was written so far. */
  summary(more: { readonly endedAt?: string; readonly problem?: ErrorShape } = {}): Summary {
    return this.#tally.summary(this.#header, more);
  }

  /**
   * Redacts and appends lines, in one write.
   * @throws the system's error when it cannot be written
   */
  append(items: LineItems): void {
    if (
      this.#tally.segmentBytes > (this.#options.segmentBytes ?? SEGMENT_BYTES) ||
      Date.now() - this.#since > (this.#options.segmentMs ?? SEGMENT_MS)
    )
      this.#rotate();
    const out: string[] = [];
    for (let at = 0; at < items.length; at += 2) {
      const head = String(items[at]);
      const message = items[at + 1];
      out.push(message === null || message === undefined ? this.#other(head) : this.#frame(head, message));
    }
    this.#write(out.join(''));
  }

  /**
   * Ends the recording; resolves when everything is packed.
   * @param problem why it stopped by itself
   */
  async end(at: Date, problem?: { readonly why: string; readonly error: ErrorShape }): Promise<Summary> {
    const t = Math.max(this.#tally.lastT, at.getTime() - Date.parse(this.#header.createdAt));
    const { folder } = this.#options;
    rmSync(join(folder, RESERVE), { force: true });
    const more = { endedAt: at.toISOString(), ...(problem === undefined ? {} : { problem: problem.error }) };
    try {
      const gap = problem === undefined ? '' : this.#other(JSON.stringify({ k: 'gap', t, why: problem.why }));
      this.#write(gap + this.#other(JSON.stringify({ k: 'end', t, frames: this.#tally.frames })));
      this.#close();
      await Promise.all(this.#packing);
      writeSummary(folder, this.summary(more));
    } catch (error) {
      this.#close();
      await Promise.all(this.#packing);
      if (problem === undefined) throw error;
      // what was written before ends without an end: the summary says why, if there is room for that much
      try {
        writeSummary(folder, this.summary(more));
      } catch {
        // the daemon's log has it
      }
    }
    return this.summary(more);
  }

  /** What was written so far goes again. */
  async abandon(): Promise<void> {
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = -1;
    await Promise.all(this.#packing);
    rmSync(this.#options.folder, { recursive: true, force: true });
  }

  #frame(head: string, message: string | Uint8Array): string {
    const text = this.#redactor.json(
      typeof message === 'string' ? message : Buffer.from(message.buffer, message.byteOffset, message.length).toString(),
    );
    const aside = text.length > BLOB_BYTES / 3 && Buffer.byteLength(text) > BLOB_BYTES;
    // A stream's id may be a text, and hold what the message's does.
    const clean = head.includes('"stream":"') ? this.#redactor.json(`${head}}`).slice(0, -1) : head;
    const line = aside ? `${clean},"blob":"${this.#blob(text)}"}\n` : `${clean},"m":${text}}\n`;
    const { n, t, era } = headOf(head);
    this.#tally.frame(n, t, era, Buffer.byteLength(line));
    return line;
  }

  #other(text: string): string {
    const line = this.#redactor.redact(JSON.parse(text) as RecordingLine) as Exclude<RecordingLine, { k: 'frame' }>;
    const out = `${JSON.stringify(line)}\n`;
    if (line.k === 'open') this.#open.set(line.c, out);
    if (line.k === 'close') this.#open.delete(line.c);
    this.#tally.other(line, Buffer.byteLength(out));
    return out;
  }

  /** Keeps a message aside; the same one once. It stands there whole before its line does. */
  #blob(text: string): string {
    const hex = createHash('sha256').update(text).digest('hex');
    const file = join(this.#blobs, `${hex}.json`);
    if (!existsSync(file)) {
      mkdirSync(this.#blobs, { recursive: true, mode: 0o700 });
      try {
        writeFileSync(`${file}.new`, text, { mode: 0o600 });
        renameSync(`${file}.new`, file);
      } catch (error) {
        rmSync(`${file}.new`, { force: true });
        throw error;
      }
      this.#tally.bytes += Buffer.byteLength(text);
    }
    return `sha256-${hex}`;
  }

  #begin(): void {
    this.#segment += 1;
    this.#since = Date.now();
    this.#fd = openSync(join(this.#options.folder, segmentFile(this.#segment)), 'ax', 0o600);
    this.#size = 0;
    const header = `${JSON.stringify({ ...this.#header, segment: this.#segment })}\n`;
    this.#tally.begin(this.#segment, Buffer.byteLength(header));
    const opens = [...this.#open.values()].map((line) => {
      const open: OpenLine = { ...(JSON.parse(line) as OpenLine), t: this.#tally.lastT };
      const text = `${JSON.stringify(open)}\n`;
      this.#tally.other(open, Buffer.byteLength(text));
      return text;
    });
    this.#write(header + opens.join(''));
  }

  #rotate(): void {
    this.#close();
    this.#begin();
    writeSummary(this.#options.folder, this.summary());
  }

  /** The segment is complete: it is packed beside the writing. One that cannot be packed stays as it is. */
  #close(): void {
    if (this.#fd === -1) return;
    closeSync(this.#fd);
    this.#fd = -1;
    this.#tally.end();
    const packed = pack(join(this.#options.folder, segmentFile(this.#segment))).finally(() => this.#packing.delete(packed));
    this.#packing.add(packed);
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
      this.#size += bytes.length;
    } catch (error) {
      // a part of a line may have been written
      if (fstatSync(this.#fd).size > this.#size) ftruncateSync(this.#fd, this.#size);
      throw error;
    }
  }
}

/** With a checksum: without one a bit that flips on the disk may become another letter of a message, and nothing tells. */
const CHECKED = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

/** Compresses a complete segment; the file is replaced in one step. */
export async function pack(file: string): Promise<void> {
  const temporary = `${file}.packing`;
  try {
    await pipeline(createReadStream(file), createZstdCompress(CHECKED), createWriteStream(temporary, { mode: 0o600 }));
    await rename(temporary, `${file}.zst`);
    await rm(file);
  } catch {
    await rm(temporary, { force: true });
  }
}
