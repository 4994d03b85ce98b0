/**
 * The matrix of planted faults in parts, going on where it was left:
 * `node matrix.ts --out results.jsonl [--shard 2/8] [--whole]`. `--whole`: every property with the default budget for each fault, instead of
 * those that name its requirement. A line for each fault: what was planted, what was found.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { allMutants, findingsOf, type Mutant } from './mutants.ts';
import { needOf } from './needs.ts';

/** One line of the results. */
export interface Verdict {
  /** The switch of the server, by which two faults of one requirement differ. */
  readonly stem: string;
  readonly id: string;
  readonly transport: 'stdio' | 'http';
  readonly area: string;
  readonly whole: boolean;
  readonly found: boolean;
  readonly ids: readonly string[];
  readonly ms: number;
}

/** Faults under way at once: a run waits more than it works. */
const JOBS = 3;

/** Runs the mutants that `done` does not have yet. */
export async function runMatrix(
  mutants: readonly Mutant[],
  done: readonly Verdict[],
  { whole, tell }: { readonly whole: boolean; readonly tell: (verdict: Verdict) => void },
): Promise<void> {
  const left = mutants.filter(
    ({ stem, id, transport }) =>
      !done.some((one) => one.stem === stem && one.id === id && one.transport === transport && one.whole === whole),
  );
  const work = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const { stem, id, transport, area } = mutant;
      const began = performance.now();
      const ids = await findingsOf(mutant, { whole });
      tell({ stem, id, transport, area, whole, found: ids.includes(id), ids, ms: Math.round(performance.now() - began) });
    }
  };
  await Promise.all(Array.from({ length: JOBS }, work));
}

/** The share of a shard. */
export function shardOf<T>(list: readonly T[], shard: string): readonly T[] {
  const [part = 1, parts = 1] = shard.split('/').map(Number);
  return list.filter((_, index) => index % parts === part - 1);
}

/** Found and planted, for each value of a key. */
function tally(verdicts: readonly Verdict[], key: (verdict: Verdict) => string): string {
  const groups = new Map<string, [found: number, all: number]>();
  for (const verdict of verdicts) {
    const [one, all] = groups.get(key(verdict)) ?? [0, 0];
    groups.set(key(verdict), [one + (verdict.found ? 1 : 0), all + 1]);
  }
  const rows = [...groups].sort(([one], [other]) => (one < other ? -1 : 1));
  return rows.map(([name, [one, all]]) => `${name} ${one}/${all}`).join(', ');
}

/** What came out: over all, by era and transport, by what it takes to see it, by area. */
export function scoreOf(verdicts: readonly Verdict[]): string {
  const found = verdicts.filter((one) => one.found).length;
  return [
    `${found} of ${verdicts.length} found (${Math.round((found / verdicts.length) * 100)} %)`,
    tally(verdicts, ({ id, transport }) => `${id.startsWith('L-') ? 'legacy' : 'modern'} ${transport}`),
    tally(verdicts, ({ id }) => needOf(id.slice(2))),
    tally(verdicts, ({ area }) => area),
  ].join('\n');
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string' }, shard: { type: 'string' }, whole: { type: 'boolean' } } });
  const { out = 'matrix.jsonl', shard = '1/1', whole = false } = values;
  const read = (): Verdict[] =>
    existsSync(out)
      ? readFileSync(out, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Verdict)
      : [];
  await runMatrix(shardOf(allMutants(), shard), read(), { whole, tell: (verdict) => appendFileSync(out, `${JSON.stringify(verdict)}\n`) });
  const all = read().filter((verdict) => verdict.whole === whole);
  for (const { id, transport, found, ids } of all) if (!found) console.log(`missed ${id} over ${transport}; found ${ids.join(' ')}`);
  console.log(scoreOf(all));
}
