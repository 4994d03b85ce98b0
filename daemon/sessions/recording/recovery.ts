/** Puts in order what a daemon that ended left open: the torn last line goes, what is complete is counted and packed. */
import { existsSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { RecordingHeader } from '../../api/recordings.ts';
import { segmentFile, segmentOf } from './layout.ts';
import { parsedLine, readHeader, segmentsIn } from './reader.ts';
import { pack } from './segment-writer.ts';
import { readSummary, type Summary, Tally, writeSummary } from './summary.ts';
import { lineBatches } from './text-lines.ts';

/** A recording that was left open. */
export interface LeftOpen {
  readonly summary: Summary;
  /** Milliseconds since 1970 of its last write. */
  readonly writtenAt: number;
}

/**
 * Repairs a recording nobody writes to any more, and makes its summary where that is missing or old.
 * @returns what is there if it has no end yet
 * @throws SBX_RECORDING_DAMAGED when it has no segment with a header, SBX_RECORDING_VERSION
 */
export async function recover(folder: string): Promise<LeftOpen | undefined> {
  const known = readSummary(folder);
  if (known?.endedAt !== undefined) return undefined;
  for (const file of readdirSync(folder)) if (file.endsWith('.packing') || file.endsWith('.new')) rmSync(join(folder, file));
  const files = segmentsIn(folder);
  const last = files.at(-1);
  const writtenAt = last === undefined ? 0 : statSync(last).mtimeMs;
  await mended(files);
  const complete = segmentsIn(folder);
  const [first] = complete;
  // without a segment this says so
  const header: RecordingHeader = await readHeader(first ?? join(folder, segmentFile(1)));
  const tally = await tallied(complete, known);
  for (const file of complete) {
    if (!file.endsWith('.jsonl')) {
      rmSync(file.replace(/\.zst$/, ''), { force: true });
      continue;
    }
    await pack(file);
  }
  const endedAt = tally.ended ? new Date(Date.parse(header.createdAt) + tally.lastT).toISOString() : undefined;
  const summary = tally.summary(header, endedAt === undefined ? {} : { endedAt });
  writeSummary(folder, summary);
  return endedAt === undefined ? { summary, writtenAt } : undefined;
}

/** Takes the torn last line off; a last segment without even a header goes. */
async function mended(files: readonly string[]): Promise<void> {
  const last = files.at(-1);
  if (last === undefined || !last.endsWith('.jsonl') || !existsSync(last)) return;
  let cut = 0;
  let lines = 0;
  for await (const batch of lineBatches(last)) {
    cut += batch.torn?.length ?? 0;
    lines += batch.lines.length;
  }
  if (lines === 0) rmSync(last);
  else if (cut > 0) truncateSync(last, statSync(last).size - cut);
}

/** Counts the segments the summary does not have. */
async function tallied(files: readonly string[], known: Summary | undefined): Promise<Tally> {
  const tally = known === undefined ? new Tally() : Tally.from(known);
  // what was counted of the segment that was being written is counted again
  if (known !== undefined) Object.assign(tally, countsOf(known));
  const counted = known?.segments.at(-1)?.segment ?? 0;
  for (const file of files) {
    const segment = segmentOf(basename(file)) ?? 0;
    if (segment <= counted) continue;
    tally.begin(segment, 0);
    for await (const { lines } of lineBatches(file))
      for (const bytes of lines) {
        const line = parsedLine(bytes);
        if (line === undefined || 'signalbox' in line) continue;
        if (line.k === 'frame') tally.frame(line.n, line.t, line.era, bytes.length + 1);
        else tally.other(line, bytes.length + 1);
      }
    tally.end();
  }
  return tally;
}

function countsOf({ segments }: Summary): { readonly frames: number; readonly bytes: number } {
  return {
    frames: segments.reduce((sum, { frames }) => sum + frames, 0),
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
