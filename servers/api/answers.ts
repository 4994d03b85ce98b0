/** Binary answers, kept for a while so that a client can read them as resources. In memory, the oldest go first. */
import { randomBytes } from 'node:crypto';

const MAX_BYTES = 64 * 1024 * 1024;
const MAX_COUNT = 50;

/** One kept answer. */
export interface KeptAnswer {
  readonly bytes: Buffer;
  readonly mimeType: string;
}

/** Keeps answers under URIs nobody can guess. */
export class Answers {
  readonly #prefix: string;
  readonly #kept = new Map<string, KeptAnswer>();

  /** @param prefix beginning of every URI */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The URI of a kept answer. */
  keep(tool: string, bytes: Buffer, mimeType: string): string {
    const id = `${tool}-${randomBytes(9).toString('base64url')}`;
    this.#kept.set(id, { bytes, mimeType });
    let total = [...this.#kept.values()].reduce((sum, each) => sum + each.bytes.length, 0);
    for (const [oldest, each] of this.#kept) {
      if (this.#kept.size <= 1 || (total <= MAX_BYTES && this.#kept.size <= MAX_COUNT)) break;
      this.#kept.delete(oldest);
      total -= each.bytes.length;
    }
    return `${this.#prefix}${id}`;
  }

  get(id: string): KeptAnswer | undefined {
    return this.#kept.get(id);
  }
}
