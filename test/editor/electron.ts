/** The same suite in a desktop VS Code, for people who can download one (or set VSCODE_EXECUTABLE): `node test/editor/electron.ts`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { buildExtension, buildSuite, SUITE_OUT } from './bundle.ts';
import { makeScratch, ROOT } from './scratch.ts';
import type { SuiteResults } from './suite/index.ts';

buildExtension();
await buildSuite();
const scratch = makeScratch();
const file = join(scratch.dir, 'results.json');
const executable = process.env['VSCODE_EXECUTABLE'];
try {
  await runTests({
    ...(executable === undefined ? {} : { vscodeExecutablePath: executable }),
    extensionDevelopmentPath: ROOT,
    extensionTestsPath: join(SUITE_OUT, 'index.cjs'),
    extensionTestsEnv: { ...scratch.env, SIGNALBOX_TEST_RESULTS: file },
    launchArgs: [scratch.project, '--disable-extensions', '--disable-workspace-trust'],
  });
  const { complete, results } = JSON.parse(readFileSync(file, 'utf8')) as SuiteResults;
  if (!complete || results.length === 0) throw new Error('the suite did not finish');
  console.log(`${results.length} passed, 0 failed`);
} finally {
  await scratch.dispose();
}
