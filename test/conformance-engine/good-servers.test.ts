/** No errors on correct servers. Here two of them with one seed; `npm run test:full` takes all of them with five. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conform } from '../../daemon/conformance/conform.ts';
import { GOOD_SERVERS } from './good/servers.ts';

const full = process.env['SIGNALBOX_TEST_TIER'] === 'full';
const SEEDS = full ? [1, 2, 3, 4, 5] : [11];
const CHOSEN = full ? GOOD_SERVERS : GOOD_SERVERS.filter(({ name }) => name === 'minimal, by hand' || name === 'v2 SDK, both eras');

describe('correct servers have no errors', { concurrency: full ? 2 : 1 }, () => {
  for (const server of CHOSEN)
    it(server.name, { timeout: 1_800_000 }, async (t) => {
      const running = await server.start();
      try {
        for (const seed of SEEDS) {
          const { findings, summary } = await conform({
            target: running.target,
            seed,
            runs: full ? 20 : 3,
            limitMs: 10_000,
            safety: { allow: server.allow },
            // the quick part of each area
            ...(full ? {} : { only: ['jsonrpc/', 'tools/', 'modern/', 'lists/', 'stdio/', 'lifecycle/handshake', 'asking/'] }),
            signal: AbortSignal.timeout(400_000),
            emit: () => {},
          });
          const errors = findings.filter(({ severity, requirement }) => severity === 'error' && !server.breaks.includes(requirement));
          assert.deepEqual(
            errors.map(({ requirement, property, input, expected, got }) => ({ requirement, property, input, expected, got })),
            [],
          );
          assert.ok(summary.counts.passed > 20, JSON.stringify(summary.counts));
          const [warnings, notes] = [summary.counts.warning, summary.counts.note];
          t.diagnostic(
            `result: ${server.name}, seed ${seed}: ${summary.eras.join(' and ')}, ${summary.cases} cases, ${warnings} warnings, ${notes} notes`,
          );
        }
      } finally {
        await running.close();
      }
    });
});
