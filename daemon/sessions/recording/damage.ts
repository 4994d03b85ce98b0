/** What of a recording could not be read, as errors with a code, a cause and a fix, for whoever reads it through. */
import type { ErrorShape } from '../../api/errors.ts';
import type { RecordingLine } from '../../api/recordings.ts';

/** Places told one by one; the rest is counted. */
const TOLD = 20;
/** Gaps a reader made: those the writer wrote say what it could not record, and nothing is damaged there. */
const found = new WeakSet<RecordingLine>();

/** A gap line for what cannot be read; {@link Damage} knows it again. */
export function damageLine(t: number, why: string, lost?: number): RecordingLine {
  const line: RecordingLine = { k: 'gap', t, ...(lost === undefined ? {} : { lost }), why };
  found.add(line);
  return line;
}

/** Collects what is damaged while the lines of a recording go by. */
export class Damage {
  readonly #whys: string[] = [];
  #count = 0;

  /** A line as the reader gave it. */
  line(line: RecordingLine): void {
    if (line.k !== 'gap' || !found.has(line)) return;
    this.#count += 1;
    if (this.#whys.length < TOLD) this.#whys.push(line.why);
  }

  /** The places, in order; undefined when nothing is damaged, so that it is no key of an answer. */
  get problems(): readonly ErrorShape[] | undefined {
    if (this.#count === 0) return undefined;
    const more = this.#count - this.#whys.length;
    return [...this.#whys, ...(more > 0 ? [`${more} more places cannot be read.`] : [])].map(problemOf);
  }
}

function problemOf(cause: string): ErrorShape {
  return {
    code: 'SBX_RECORDING_DAMAGED',
    message: 'A part of the recording cannot be read and is left out.',
    cause,
    fix: 'Put the file back if you have it (a backup, the repository it was exported to), or record again. What is here is what could be read.',
  };
}
