/** What `--update` takes over: live answers in the place of recorded ones that differ. */
import type { FrameLine, RecordingLine } from '../../api/recordings.ts';

/** Collected while a replay runs, by the number of the recorded answer. */
export interface Accepted {
  /** In place of the recorded answer. */
  readonly answers: Map<number, object>;
  /** Recorded notifications of such a request: gone. */
  readonly dropped: Set<number>;
  /** Live notifications of such a request: before its answer. */
  readonly inserted: Map<number, readonly object[]>;
}

/** Nothing accepted yet. */
export function nothingAccepted(): Accepted {
  return { answers: new Map(), dropped: new Set(), inserted: new Map() };
}

/**
 * The lines of a recording with what was accepted in them, numbered anew. Everything else is as it was, so that a diff of the two files shows
 * the answers that changed and nothing else, but for numbers behind a notification that came or went.
 * @param redact takes out secrets, as when it was recorded
 */
export async function* acceptedLines(
  lines: AsyncIterable<RecordingLine>,
  accepted: Accepted,
  redact: (message: object) => object,
): AsyncGenerator<RecordingLine> {
  let shift = 0;
  // From which number on how far numbers have moved; as many as notifications came or went.
  const moves: (readonly [from: number, by: number])[] = [];
  const moved = (n: number): number => n + (moves.findLast(([from]) => from <= n)?.[1] ?? 0);
  for await (const line of lines) {
    if (line.k === 'gap' && line.why.startsWith('The recording breaks off here')) continue;
    if (line.k === 'end') {
      yield { ...line, frames: line.frames + shift };
      continue;
    }
    if (line.k !== 'frame') {
      yield line;
      continue;
    }
    if (accepted.dropped.has(line.n)) {
      shift -= 1;
      moves.push([line.n, shift]);
      continue;
    }
    for (const message of accepted.inserted.get(line.n) ?? []) {
      yield renumbered({ ...line, ...content(redact(message)) }, line.n + shift, moved);
      shift += 1;
      moves.push([line.n, shift]);
    }
    const answer = accepted.answers.get(line.n);
    const { blob: _blob, m: _m, ...head } = line;
    const whole: FrameLine = answer === undefined ? line : { ...head, ...content(redact(answer)) };
    yield renumbered(whole, line.n + shift, moved);
  }
}

function content(message: object): { readonly m: object; readonly bytes: number } {
  return { m: message, bytes: Buffer.byteLength(JSON.stringify(message)) };
}

/** `call` names another frame by its number. */
function renumbered(line: FrameLine, n: number, moved: (n: number) => number): FrameLine {
  return { ...line, n, ...(line.call === undefined ? {} : { call: moved(line.call) }) };
}
