/** `node test/conformance-engine/score.ts [TRANSPORT] [PART/PARTS]`: the detection score over every mutant, one line each that was missed. */
import { allMutants, findingsOf } from './mutants.ts';

const [transport, part = '1/1'] = process.argv.slice(2);
const [mine = 1, parts = 1] = part.split('/').map(Number);
const mutants = allMutants().filter(
  (mutant, index) => (transport === undefined || mutant.transport === transport) && index % parts === mine - 1,
);
let found = 0;
let done = 0;
const areas = new Map<string, [found: number, all: number]>();
for (const mutant of mutants) {
  const ids = await findingsOf(mutant).catch((error: unknown) => [String(error)]);
  const hit = ids.includes(mutant.id);
  if (hit) found++;
  done++;
  const area = areas.get(mutant.area) ?? [0, 0];
  areas.set(mutant.area, [area[0] + (hit ? 1 : 0), area[1] + 1]);
  if (!hit) console.log(`missed ${mutant.id} ${mutant.transport}: ${ids.join(' ') || 'nothing found'}`);
  if (done % 20 === 0) console.log(`${found} of ${done}`);
}
console.log(`${found} of ${done} found`);
console.log(JSON.stringify(Object.fromEntries(areas)));
