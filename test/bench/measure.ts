/** Rounds, medians, ratios. */
import type { Job, Sample } from './load.ts';
import { cpuOf, type Generator } from './processes.ts';

/** What one route came to, over all rounds. */
export interface Figure {
  /** Milliseconds: the median of the rounds' medians, and of their 99th percentiles. */
  readonly p50: number;
  readonly p99: number;
  /** Calls per second, the median of the rounds. */
  readonly rate: number;
  /** CPU of the process in the middle per call, milliseconds, all rounds together. */
  readonly cpu: number;
  /** CPU of the load generator per call, milliseconds. */
  readonly cost: number;
  readonly counted: number;
  readonly rounds: readonly { readonly p50: number; readonly rate: number }[];
}
/** One thing to be measured in every round. */
export interface Entry {
  readonly job: Job;
  /** Process whose CPU counts. */
  readonly pid: number | undefined;
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return (
    (sorted.length % 2 === 1 ? sorted[middle] : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2) ?? Number.NaN
  );
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/**
 * Runs all entries in turn, `rounds` times, each time beginning with another one: what disturbs the machine disturbs them alike.
 * @returns a figure per entry, in their order
 */
export async function rounds(generator: Generator, entries: readonly Entry[], count: number): Promise<readonly Figure[]> {
  const samples: Sample[][] = entries.map(() => []);
  const spent = entries.map(() => 0);
  for (let round = 0; round < count; round++) {
    for (let turn = 0; turn < entries.length; turn++) {
      const index = (turn + round) % entries.length;
      const entry = entries[index];
      if (entry === undefined) continue;
      const before = entry.pid === undefined ? Number.NaN : cpuOf(entry.pid);
      samples[index]?.push(await generator.run(entry.job));
      if (entry.pid !== undefined) spent[index] = (spent[index] ?? 0) + cpuOf(entry.pid) - before;
    }
  }
  return entries.map(({ job, pid }, index) => {
    const own = samples[index] ?? [];
    const each = own.map(({ latencies, ms }) => ({ p50: quantile(latencies, 0.5), rate: (latencies.length / ms) * 1000 }));
    return {
      p50: median(each.map(({ p50 }) => p50)),
      p99: median(own.map(({ latencies }) => quantile(latencies, 0.99))),
      rate: median(each.map(({ rate }) => rate)),
      // the call that opens each connection is not in `calls` but costs too
      cpu: pid === undefined ? Number.NaN : (spent[index] ?? 0) / (count * (job.calls + job.clients)),
      cost: median(own.map(({ cost }) => cost)),
      counted: own.reduce((sum, { counted }) => sum + counted, 0),
      rounds: each,
    };
  });
}

/** The median over the rounds of one route's value divided by another's in the same round. */
export function ratio(own: Figure, base: Figure, value: 'p50' | 'rate'): number {
  return median(own.rounds.map((round, index) => round[value] / (base.rounds[index]?.[value] ?? Number.NaN)));
}
