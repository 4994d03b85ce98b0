/**
 * The whole matrix of planted faults: every switch of the reference servers, in each era, over each transport. `npm run test:full` only;
 * `SIGNALBOX_MATRIX=3/8` takes a part of it, `matrix.ts` goes on where it was left.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runMatrix, scoreOf, shardOf, type Verdict } from './matrix.ts';
import { allMutants } from './mutants.ts';
import { needOf } from './needs.ts';

/** Share of the mutants that must be found and attributed to the right requirement, and of those that more than a look is needed for. */
const [TARGET, TARGET_HARD] = [0.85, 0.7];
const full = process.env['SIGNALBOX_TEST_TIER'] === 'full';
const { SIGNALBOX_MATRIX: shard = '1/1' } = process.env;

it('finds the planted faults', {
  timeout: 36_000_000,
  skip: full ? false : 'the whole matrix takes hours: npm run test:full',
}, async (t) => {
  const verdicts: Verdict[] = [];
  await runMatrix(shardOf(allMutants(), shard), [], {
    whole: true,
    tell: (verdict) => {
      verdicts.push(verdict);
      if (!verdict.found)
        t.diagnostic(`result: missed ${verdict.id} over ${verdict.transport}; found ${verdict.ids.join(' ') || 'nothing'}`);
    },
  });
  for (const line of scoreOf(verdicts).split('\n')) t.diagnostic(`result: ${line}`);
  const share = (some: readonly Verdict[]): number => some.filter(({ found }) => found).length / some.length;
  assert.ok(share(verdicts) >= TARGET);
  assert.ok(share(verdicts.filter(({ id }) => needOf(id.slice(2)) !== 'look')) >= TARGET_HARD);
});
