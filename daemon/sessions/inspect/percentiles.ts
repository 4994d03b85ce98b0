/** Percentiles of many values in bounded memory: exact while there are few, within one per cent beyond that. */

/** Values kept as they are. */
const EXACT = 512;
/** Ratio of the bounds of a bucket: the value in the middle is off by one per cent at most. */
const RATIO = 1.02;

/** Collects values from 0 upwards. */
export class Percentiles {
  count = 0;
  readonly #values: number[] = [];
  readonly #buckets = new Map<number, number>();

  add(value: number): void {
    this.count += 1;
    if (this.count <= EXACT) this.#values.push(value);
    const bucket = Math.floor(Math.log(Math.max(value, 1e-6)) / Math.log(RATIO));
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
  }

  /** The value that `share` (0 to 1) of all values do not exceed, by the nearest rank; 0 when there are none. */
  at(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.count));
    if (this.count <= EXACT) return this.#values.toSorted((one, other) => one - other)[rank - 1] ?? 0;
    let seen = 0;
    for (const [bucket, count] of [...this.#buckets].sort(([one], [other]) => one - other)) {
      seen += count;
      if (seen >= rank) return RATIO ** (bucket + 0.5);
    }
    return 0;
  }
}
