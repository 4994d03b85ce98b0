/** A fixed sample of faults is found and attributed, and the correct server has none: what `npm test` runs of the matrix. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conform } from '../../daemon/conformance/conform.ts';
import { FAULTS, findingsOf, type Mutant } from './mutants.ts';
import { serveHttp } from './reference/main.ts';

/** Stems with the eras they are planted in, over HTTP: one process, no waiting. */
const LEGACY = [
  'RPC-VERSION',
  'RPC-ID-ECHO',
  'RPC-ERR-SHAPE',
  'RPC-NO-BATCH',
  'RPC-METHOD-NOT-FOUND',
  'TOOL-INPUT-VALIDATE',
  'TOOL-STRUCTURED-CONFORMS',
  'TOOL-NAME-UNIQUE',
  'RES-NOT-FOUND-EMPTY',
  'RES-TRAVERSAL',
  'PRM-MISSING-ARG',
  'CMP-MAX100',
  'PAG-PARTITION',
  'LOG-FILTER',
  'HTTP-ORIGIN',
  'HTTP-SESSION-404',
];
const MODERN = [
  'RT-PRESENT',
  'CCH-TTL',
  'META-REQUIRED',
  'VER-UNSUPPORTED',
  'HDR-NAME-MATCH',
  'HDR-BASE64-INVALID',
  'LOG-OPT-IN',
  'TOOL-ORDER',
  'CNT-BASE64',
  'PROG-INCREASE',
  'RPC-CONCURRENT-MATCH',
  'RPC-META-TOLERATE',
];

describe('planted faults', { concurrency: 2 }, () => {
  const mutant = (stem: string, era: Mutant['era']): Pick<Mutant, 'stem' | 'era' | 'transport'> => ({ stem, era, transport: 'http' });
  for (const stem of LEGACY)
    it(`L-${stem} is found`, async () => assert.ok((await findingsOf(mutant(stem, 'legacy'))).includes(`L-${stem}`)));
  for (const stem of MODERN)
    it(`M-${stem} is found`, async () => assert.ok((await findingsOf(mutant(stem, 'modern'))).includes(`M-${stem}`)));
  for (const [stem, era] of [
    ['STD-STDOUT-PURE', 'legacy'],
    ['ROB-NO-CRASH', 'modern'],
  ] as const)
    it(`${stem} is found on a pipe`, async () =>
      assert.ok((await findingsOf({ stem, era, transport: 'stdio' })).some((id) => id.endsWith(stem))));
  it('are all switches that the reference server really has', () =>
    assert.deepEqual(
      [...LEGACY, ...MODERN].filter((stem) => !FAULTS.includes(stem)),
      [],
    ));
});

describe('the correct server', () => {
  for (const era of ['legacy', 'modern'] as const)
    it(`has no errors in the ${era} era, and the same seed gives the same cases`, async () => {
      const server = await serveHttp([]);
      try {
        const run = async (): ReturnType<typeof conform> =>
          conform({
            target: { kind: 'http', url: server.url },
            eras: [era],
            seed: 5,
            runs: 3,
            limitMs: 3000,
            safety: { allow: [] },
            only: 'jsonrpc/',
            signal: AbortSignal.timeout(50_000),
            emit: () => {},
          });
        const [one, two] = [await run(), await run()];
        assert.deepEqual(
          one.findings.filter(({ severity }) => severity === 'error'),
          [],
        );
        assert.equal(one.summary.cases, two.summary.cases);
        assert.deepEqual(one.summary.outcomes, two.summary.outcomes);
        assert.ok(one.summary.counts.passed > 10);
      } finally {
        server.close();
      }
    });
});
