/** Tasks and protected servers: the correct server has no errors, and each fault is found under its id. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Finding, Target } from '../../daemon/api/conformance.ts';
import { conform } from '../../daemon/conformance/conform.ts';
import type { Era } from '../../daemon/protocol/eras.ts';
import { AUTH_FAULTS, TASK_FAULTS, tasked } from './extended.ts';
import { serveProtected } from './reference/protected.ts';

const FULL = process.env['SIGNALBOX_TEST_TIER'] === 'full';

async function findings(target: Target, era: Era, only: readonly string[]): Promise<readonly Finding[]> {
  const { findings, summary } = await conform({
    target,
    eras: [era],
    seed: 1,
    runs: 4,
    limitMs: 4000,
    safety: { allow: [] },
    only,
    signal: AbortSignal.timeout(50_000),
    emit: () => {},
  });
  assert.deepEqual(summary.eras, [era]);
  return findings.filter(({ flaky }) => !flaky);
}

describe('tasks', { concurrency: 6 }, () => {
  it('of the correct server break nothing', async () => {
    const found = await findings(tasked([]), 'legacy', ['tasks/']);
    assert.deepEqual(
      found.map(({ requirement, property, got }) => `${requirement} ${property} ${got}`),
      [],
    );
  });
  // every second one; all of them belong to the full tier
  for (const [stem, property] of Object.entries(TASK_FAULTS).filter((_one, index) => FULL || index % 2 === 0))
    it(`L-${stem} is found`, async () => {
      const found = (await findings(tasked([stem]), 'legacy', [property])).map(({ requirement }) => requirement);
      assert.ok(found.includes(`L-${stem}`), found.join(' '));
    });
});

describe('a protected server', { concurrency: 6 }, () => {
  const run = async (faults: readonly string[], era: Era, only: readonly string[]): Promise<readonly Finding[]> => {
    const server = await serveProtected(faults);
    try {
      return await findings({ kind: 'http', url: server.url, tokens: server.tokens }, era, only);
    } finally {
      server.close();
    }
  };
  for (const era of ['legacy', 'modern'] as const)
    it(`that is correct breaks nothing in the ${era} era`, async () => {
      const found = (await run([], era, ['auth/'])).filter(({ severity }) => severity !== 'note');
      assert.deepEqual(
        found.map(({ requirement, property, got }) => `${requirement} ${property} ${got}`),
        [],
      );
    });
  for (const [fault, stem, property, eras] of AUTH_FAULTS)
    for (const era of FULL ? eras : eras.slice(0, 1)) {
      const id = `${era === 'legacy' ? 'L' : 'M'}-${stem}`;
      it(`${id} is found by ${property} (${fault})`, async () => {
        const found = await run([fault], era, [property]);
        assert.ok(
          found.some(({ requirement }) => requirement === id),
          found.map(({ requirement }) => requirement).join(' '),
        );
        // a token is a secret: it is in no finding, with everything that was seen
        assert.doesNotMatch(JSON.stringify(found), /eyJ[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}/);
      });
    }
});
