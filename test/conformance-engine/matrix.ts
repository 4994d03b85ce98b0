/**
 * The matrix of planted faults in parts, going on where it was left:
 * `node matrix.ts --out results.jsonl [--shard 2/8] [--whole]`. `--whole`: every property with the default budget for each fault, instead of
 * those that name its requirement. A line for each fault: what was planted, what was found.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { allMutants, findingsOf, type Mutant } from './mutants.ts';

/** One line of the results. */
export interface Verdict {
  readonly id: string;
  readonly transport: 'stdio' | 'http';
  readonly area: string;
  readonly whole: boolean;
  readonly found: boolean;
  readonly ids: readonly string[];
  readonly ms: number;
}

/** Runs the mutants of one shard (`part` of `parts`, from 1) that `done` does not have yet. */
export async function runMatrix(
  mutants: readonly Mutant[],
  done: readonly Verdict[],
  { whole, tell }: { readonly whole: boolean; readonly tell: (verdict: Verdict) => void },
): Promise<void> {
  for (const mutant of mutants) {
    const { id, transport, area } = mutant;
    if (done.some((one) => one.id === id && one.transport === transport && one.whole === whole)) continue;
    const began = performance.now();
    const ids = await findingsOf(mutant, { whole });
    tell({ id, transport, area, whole, found: ids.includes(id), ids, ms: Math.round(performance.now() - began) });
  }
}

/** The share of a shard. */
export function shardOf<T>(list: readonly T[], shard: string): readonly T[] {
  const [part = 1, parts = 1] = shard.split('/').map(Number);
  return list.filter((_, index) => index % parts === part - 1);
}

/** What came out, by area. */
export function scoreOf(verdicts: readonly Verdict[]): string {
  const areas = new Map<string, [found: number, all: number]>();
  for (const { area, found } of verdicts) {
    const [one, all] = areas.get(area) ?? [0, 0];
    areas.set(area, [one + (found ? 1 : 0), all + 1]);
  }
  const found = verdicts.filter((one) => one.found).length;
  const rows = [...areas].sort(([one], [other]) => (one < other ? -1 : 1)).map(([area, [one, all]]) => `${area} ${one}/${all}`);
  return `${found} of ${verdicts.length} found (${Math.round((found / verdicts.length) * 100)} %); by area: ${rows.join(', ')}`;
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
