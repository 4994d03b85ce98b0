/**
 * The official conformance suite against a server of our own, directly and through the daemon: what passes directly passes through. In
 * `npm test` the server speaks both eras and is asked in the client's, by the newest suite; `npm run test:full` adds the stable suite and
 * crosses the eras.
 */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { openRoute, type Route, type Way } from './routes.ts';
import type { Eras } from './server/http.ts';
import { type Check, LEGS, type Leg, runSuite, scenarioCounts } from './suite.ts';
import { judge, worse } from './verdict.ts';

const FULL = process.env['SIGNALBOX_TEST_TIER'] === 'full';
/** The stable suite knows nothing of the legacy era that the alpha does not check as well. */
const PAIRED = FULL ? LEGS : LEGS.filter(({ name }) => name !== 'stable');

/** What the comparison is made with, a run per leg. */
const direct = new Map<string, Promise<readonly Check[]>>();
let straight: Promise<Route> | undefined;
after(async () => (await straight)?.close());

describe('the conformance server', () => {
  for (const leg of LEGS)
    it(`passes the suite: ${leg.name}`, async (t) => {
      const checks = await directly(leg);
      t.diagnostic(summary('direct', leg, 'both', checks));
      assertVerdict(worse(checks, undefined), 'direct', leg, 'both');
    });
});

// What the daemon's figures rest on: the proxy in between changes nothing by itself.
through('proxy', 'both', PAIRED, 'passes through the bare proxy');
through('daemon-http', 'both', PAIRED, 'passes through the daemon, upstream Streamable HTTP');
through('daemon-stdio', 'both', PAIRED, 'passes through the daemon, upstream stdio');

if (FULL)
  for (const way of ['daemon-http', 'daemon-stdio'] as const) {
    through(way, 'legacy', LEGS.filter(isModern), `reaches a server of the legacy era only (${way})`);
    through(
      way,
      'modern',
      LEGS.filter((leg) => !isModern(leg)),
      `reaches a server of the modern era only (${way})`,
    );
  }

function through(way: Way, eras: Eras, legs: readonly Leg[], title: string): void {
  describe(title, () => {
    let route: Promise<Route> | undefined;
    after(async () => (await route)?.close());
    for (const leg of legs)
      it(leg.name, async (t) => {
        const before = await directly(leg);
        route ??= openRoute(way, eras);
        const { url } = await route;
        // The bare proxy is held to what the server itself is held to.
        const found = (run: readonly Check[]): readonly Check[] => worse(run, way === 'proxy' ? undefined : before);
        let checks = await runSuite(leg, url);
        const failed = scenariosOf(judge(found(checks), { way, eras, leg: leg.name }).unexpected);
        if (failed.length > 0) {
          // Some scenarios wait half a second and no longer; on a busy machine that says nothing of what came, so each has a second run.
          t.diagnostic(`run again: ${failed.join(', ')}`);
          const again: Check[] = [];
          for (const scenario of failed) again.push(...(await runSuite(leg, url, scenario)));
          checks = [...checks.filter(({ scenario }) => !failed.includes(scenario)), ...again];
        }
        t.diagnostic(summary(way, leg, eras, checks));
        assertVerdict(found(checks), way, leg, eras);
      });
  });
}

function directly(leg: Leg): Promise<readonly Check[]> {
  const known = direct.get(leg.name);
  if (known !== undefined) return known;
  straight ??= openRoute('direct', 'both');
  const run = straight.then(({ url }) => runSuite(leg, url));
  direct.set(leg.name, run);
  return run;
}

function assertVerdict(found: readonly Check[], way: Way, leg: Leg, eras: Eras): void {
  const { unexpected, stale } = judge(found, { way, eras, leg: leg.name });
  const words = unexpected.map(({ status, scenario, id, message }) => `${status} ${scenario} ${id}: ${message}`);
  assert.deepEqual(words, [], `failures nobody argued for:\n${words.join('\n')}`);
  assert.deepEqual(stale, [], `expected-failures.json argues for what passes:\n${stale.join('\n')}`);
}

function summary(way: Way, leg: Leg, eras: Eras, checks: readonly Check[]): string {
  const { passed, total } = scenarioCounts(checks);
  const server = eras === 'both' ? '' : `, server ${eras} only`;
  return `result: ${way}${server}, suite ${leg.name}: ${passed} of ${total} scenarios without failure or warning`;
}

function scenariosOf(checks: readonly Check[]): readonly string[] {
  return [...new Set(checks.map(({ scenario }) => scenario))];
}

function isModern(leg: Leg): boolean {
  return leg.name === 'modern';
}
