/** Runs the suite inside the extension host and reads its results file: an exit code alone proves nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSuite, SUITE_OUT } from './bundle.ts';
import { type HostPieces, runInHost } from './host.ts';
import { makeScratch, ROOT } from './scratch.ts';
import type { SuiteResult, SuiteResults } from './suite/index.ts';

const LIMIT_MS = 240_000;

/** Runs it; what never ran counts as one failure. */
export async function runHostSuite(host: HostPieces): Promise<readonly SuiteResult[]> {
  await buildSuite();
  const scratch = makeScratch();
  const file = join(scratch.dir, 'results.json');
  let failure: string | undefined;
  try {
    const code = await runInHost(host, {
      extension: ROOT,
      tests: join(SUITE_OUT, 'index.cjs'),
      folder: scratch.project,
      env: { ...scratch.env, SIGNALBOX_TEST_RESULTS: file },
      artifacts: join(ROOT, 'artifacts', 'editor'),
      limitMs: LIMIT_MS,
    }).catch((error: unknown) => {
      failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return -1;
    });
    const { complete, results }: SuiteResults = existsSync(file)
      ? (JSON.parse(readFileSync(file, 'utf8')) as SuiteResults)
      : { complete: false, results: [] };
    const failed = results.some((result) => result.state === 'failed');
    if (!complete || results.length === 0) failure ??= `the suite did not finish: ${results.length} tests ran`;
    else if (code !== 0 && !failed) failure ??= `the extension host ended with ${code}`;
    return failure === undefined ? results : [...results, { name: 'the suite inside the extension host', state: 'failed', error: failure }];
  } finally {
    await scratch.dispose();
  }
}
