/** The whole matrix of planted faults: every switch of the reference server, in each era, over each transport. `npm run test:full` only. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { allMutants, findingsOf } from './mutants.ts';

/** Share of the mutants that must be found and attributed to the right requirement (issue 8). */
const TARGET = 0.85;
const full = process.env['SIGNALBOX_TEST_TIER'] === 'full';

it('finds the planted faults', {
  timeout: 3_600_000,
  skip: full ? false : 'the whole matrix takes half an hour: npm run test:full',
}, async (t) => {
  const mutants = allMutants();
  const areas = new Map<string, [found: number, all: number]>();
  let found = 0;
  for (const mutant of mutants) {
    const ids = await findingsOf(mutant);
    const hit = ids.includes(mutant.id);
    if (hit) found++;
    else t.diagnostic(`missed ${mutant.id} over ${mutant.transport}; found ${ids.join(' ') || 'nothing'}`);
    const [one, all] = areas.get(mutant.area) ?? [0, 0];
    areas.set(mutant.area, [one + (hit ? 1 : 0), all + 1]);
  }
  t.diagnostic(
    `${found} of ${mutants.length} found; by area ${[...areas].map(([area, [one, all]]) => `${area} ${one}/${all}`).join(', ')}`,
  );
  assert.ok(found / mutants.length >= TARGET);
});
