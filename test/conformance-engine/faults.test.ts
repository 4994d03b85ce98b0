/**
 * Faults before servers that were not made for them are found and named. Here before the smallest server; `npm run test:full` takes all of
 * them, before servers of the v1 SDK and of this folder, in both eras.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Target } from '../../daemon/api/conformance.ts';
import { conform } from '../../daemon/conformance/conform.ts';
import type { Era } from '../../daemon/protocol/eras.ts';
import { FAULTS } from './faults.ts';
import { GOOD_SERVERS } from './good/servers.ts';
import { throughHttp } from './transformer.ts';

const full = process.env['SIGNALBOX_TEST_TIER'] === 'full';
const TRANSFORMER = fileURLToPath(new URL('./transformer.ts', import.meta.url));
/** What the smallest server can show. */
const SMALL = [
  'a list is answered twice, later',
  'unknown methods are an invalid request',
  'astral characters are replaced',
  'texts are normalised',
  'unknown _meta is refused',
  'structured content is missing at zero',
  'errors tell where they were thrown',
];

/** The ids that are found with a fault before a server. */
async function found(server: string, era: Era, name: string): Promise<readonly string[]> {
  const good = GOOD_SERVERS.find((one) => one.name === server);
  const fault = FAULTS[name];
  assert.ok(good !== undefined && fault !== undefined, name);
  const running = await good.start();
  const own = running.target;
  const before = own.kind === 'http' ? await throughHttp(fault, own.url) : undefined;
  const target: Target =
    own.kind === 'http'
      ? { kind: 'http', url: before?.url ?? own.url }
      : { ...own, args: ['--disable-warning=ExperimentalWarning', TRANSFORMER, name, own.command, ...own.args] };
  try {
    const { findings } = await conform({
      target,
      eras: [era],
      seed: 1,
      runs: 20,
      limitMs: 5000,
      safety: { allow: good.allow },
      ...(full ? {} : { only: fault.breaks }),
      signal: AbortSignal.timeout(300_000),
      emit: () => {},
    });
    return findings.map(({ requirement }) => requirement.slice(2));
  } finally {
    before?.close();
    await running.close();
  }
}

/** Whether one of the requirements a fault breaks is among those found. */
async function isNamed(server: string, era: Era, name: string): Promise<boolean> {
  const ids = await found(server, era, name);
  return FAULTS[name]?.breaks.some((stem) => ids.includes(stem)) === true;
}

describe('faults before a server that does not know of them', { concurrency: 1 }, () => {
  for (const name of SMALL) it(name, { timeout: 300_000 }, async () => assert.ok(await isNamed('minimal, by hand', 'legacy', name)));

  it('of all of them, 85 % are found and named', { timeout: 36_000_000, skip: full ? false : 'npm run test:full' }, async (t) => {
    let [hits, all] = [0, 0];
    for (const name of Object.keys(FAULTS)) {
      const places = await Promise.all(
        (
          [
            ['v1 SDK', 'legacy'],
            ['streaming, by hand, over HTTP', 'modern'],
            ['v2 SDK', 'modern'],
          ] as const
        ).map(([server, era]) => isNamed(server, era, name)),
      );
      all++;
      if (places.includes(true)) hits++;
      else t.diagnostic(`result: missed ${name}`);
    }
    t.diagnostic(`result: ${hits} of ${all}`);
    assert.ok(hits / all >= 0.85);
  });
});
