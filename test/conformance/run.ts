/**
 * `node test/conformance/run.ts [--way …] [--leg …] [--eras both|legacy|modern] [--scenario …] [--url URL] [--verbose]`: runs the official
 * suite and prints what is not a success. `--way`: direct, proxy, daemon-http, daemon-stdio (several, separated by commas). `--leg`:
 * stable, legacy, modern. With `--url` the endpoint already runs.
 */
import { parseArgs } from 'node:util';
import { openRoute, type Way } from './routes.ts';
import type { Eras } from './server/http.ts';
import { LEGS, runSuite, scenarioCounts } from './suite.ts';

const { values } = parseArgs({
  options: {
    way: { type: 'string', default: 'direct,proxy,daemon-http,daemon-stdio' },
    leg: { type: 'string', default: LEGS.map(({ name }) => name).join() },
    eras: { type: 'string', default: 'both' },
    scenario: { type: 'string' },
    url: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const legs = values.leg.split(',');
const wanted = LEGS.filter(({ name }) => legs.includes(name));

async function suite(title: string, url: string): Promise<void> {
  for (const leg of wanted) {
    const checks = await runSuite(leg, url, values.scenario);
    const { passed, total } = scenarioCounts(checks);
    say(`${title}  ${leg.name}  ${passed} of ${total} scenarios`);
    for (const { scenario, id, status, message } of checks)
      if (values.verbose || status === 'FAILURE' || status === 'WARNING') say(`  ${status} ${scenario} ${id} ${message}`);
  }
}

if (values.url !== undefined) await suite(values.url, values.url);
else
  for (const way of values.way.split(',') as Way[]) {
    const route = await openRoute(way, values.eras as Eras);
    try {
      await suite(way, route.url);
    } finally {
      if (values.verbose) say(route.stderr());
      await route.close();
    }
  }
