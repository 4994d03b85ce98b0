/** What is known of a recording without reading it, and where each segment begins: lists are instant, and a point is found without a search. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorShape } from '../../api/errors.ts';
import type { FrameLine, RecordingHeader, RecordingInfo, RecordingLine } from '../../api/recordings.ts';
import { SUMMARY_FILE } from './layout.ts';

/** One segment. */
export interface SegmentSummary {
  readonly segment: number;
  /** `n` of its first and last frame; absent when it has none. */
  readonly first?: number;
  readonly last?: number;
  /** Milliseconds since the recording began. */
  readonly from: number;
  readonly till: number;
  readonly lines: number;
  readonly frames: number;
  /** Uncompressed. */
  readonly bytes: number;
}
/** `recording.json`. */
export interface Summary {
  readonly header: RecordingHeader;
  readonly endedAt?: string;
  readonly frames: number;
  /** Of all segments, uncompressed, and the side files. */
  readonly bytes: number;
  readonly clients: readonly string[];
  readonly servers: readonly string[];
  readonly eras: readonly ('legacy' | 'modern')[];
  readonly gaps: number;
  readonly problem?: ErrorShape;
  /** Closed ones. */
  readonly segments: readonly SegmentSummary[];
}

/** Counts what goes by. */
export class Tally {
  readonly clients = new Set<string>();
  readonly servers = new Set<string>();
  readonly eras = new Set<'legacy' | 'modern'>();
  readonly segments: SegmentSummary[] = [];
  frames = 0;
  bytes = 0;
  gaps = 0;
  ended = false;
  lastN = 0;
  lastT = 0;
  #current:
    | { segment: number; first?: number; last?: number; from: number; till: number; lines: number; frames: number; bytes: number }
    | undefined;

  /** Takes up a summary: the counting goes on after its last segment. */
  static from(summary: Summary): Tally {
    const tally = new Tally();
    for (const client of summary.clients) tally.clients.add(client);
    for (const server of summary.servers) tally.servers.add(server);
    for (const era of summary.eras) tally.eras.add(era);
    tally.segments.push(...summary.segments);
    Object.assign(tally, { frames: summary.frames, bytes: summary.bytes, gaps: summary.gaps, ended: summary.endedAt !== undefined });
    tally.lastN = summary.segments.findLast(({ last }) => last !== undefined)?.last ?? 0;
    tally.lastT = summary.segments.at(-1)?.till ?? 0;
    return tally;
  }

  /** A segment begins. */
  begin(segment: number, bytes: number): void {
    this.end();
    this.#current = { segment, from: this.lastT, till: this.lastT, lines: 1, frames: 0, bytes };
    this.bytes += bytes;
  }

  /** A frame, without looking at its message. */
  frame(n: number, t: number, era: 'legacy' | 'modern' | undefined, bytes: number): void {
    this.frames += 1;
    this.lastN = n;
    if (era !== undefined) this.eras.add(era);
    if (this.#current !== undefined) {
      this.#current.first ??= n;
      this.#current.last = n;
      this.#current.frames += 1;
    }
    this.#line(t, bytes);
  }

  /** Any other line. */
  other(line: Exclude<RecordingLine, FrameLine>, bytes: number): void {
    if (line.k === 'gap') this.gaps += 1;
    if (line.k === 'end') this.ended = true;
    if (line.k === 'open') {
      if (line.client !== undefined) this.clients.add(line.client);
      if (line.server !== undefined) this.servers.add(line.server);
    }
    this.#line(line.t, bytes);
  }

  /** The segment being counted is complete. */
  end(): void {
    if (this.#current !== undefined) this.segments.push(this.#current);
    this.#current = undefined;
  }

  /** Bytes of the segment being counted. */
  get segmentBytes(): number {
    return this.#current?.bytes ?? 0;
  }

  /** The summary of what was counted. */
  summary(header: RecordingHeader, more: { readonly endedAt?: string; readonly problem?: ErrorShape } = {}): Summary {
    return {
      header: { ...header, segment: 1 },
      ...more,
      frames: this.frames,
      bytes: this.bytes,
      clients: [...this.clients].sort(),
      servers: [...this.servers].sort(),
      eras: [...this.eras].sort(),
      gaps: this.gaps,
      segments: this.segments,
    };
  }

  #line(t: number, bytes: number): void {
    this.lastT = Math.max(this.lastT, t);
    this.bytes += bytes;
    if (this.#current === undefined) return;
    this.#current.till = this.lastT;
    this.#current.lines += 1;
    this.#current.bytes += bytes;
  }
}

/** The summary of a folder; undefined when there is none that can be read. */
export function readSummary(folder: string): Summary | undefined {
  try {
    const value = JSON.parse(readFileSync(join(folder, SUMMARY_FILE), 'utf8')) as Partial<Summary> | null;
    return Array.isArray(value?.segments) && value.header?.signalbox === 'recording' ? (value as Summary) : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the summary by rename, so that a reader never sees half of one. */
export function writeSummary(folder: string, summary: Summary): void {
  const file = join(folder, SUMMARY_FILE);
  writeFileSync(`${file}.new`, `${JSON.stringify(summary, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** As people see it. */
export function infoOf(summary: Summary, path: string, live: boolean): RecordingInfo {
  const { header, endedAt, frames, bytes, clients, servers, eras, gaps, problem } = summary;
  return {
    id: header.id,
    ...(header.name === undefined ? {} : { name: header.name }),
    path,
    createdAt: header.createdAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    live,
    frames,
    bytes,
    clients,
    servers,
    eras,
    gaps,
    filter: header.filter,
    ...(problem === undefined ? {} : { problem }),
  };
}
