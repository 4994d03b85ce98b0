/**
 * The extension in a real VS Code: `node test/editor/main.ts [host|page|ui]`. Ends with `N passed, N failed`.
 * Where setup.sh has not run (and SIGNALBOX_TEST_EDITOR is not set) it says so and exits with 3.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { buildExtension } from './bundle.ts';
import { findHost } from './host.ts';
import { runPage } from './page.ts';
import { runHostSuite } from './run-host.ts';
import type { SuiteResult } from './suite/index.ts';
import { runUi } from './ui.ts';

const SKIP_EXIT_CODE = 3;

if (process.env['SIGNALBOX_TEST_EDITOR'] !== undefined && findHost() === undefined) {
  execFileSync('bash', [join(import.meta.dirname, 'setup.sh')], { stdio: 'inherit' });
}
const host = findHost();
if (host === undefined) {
  console.log('skipped: Chromium or code-server is not installed; run test/editor/setup.sh, or set SIGNALBOX_TEST_EDITOR=1');
  process.exit(SKIP_EXIT_CODE);
}
const part = process.argv[2];
if (part !== 'ui') buildExtension();
const results: SuiteResult[] = [];
const parts = { host: runHostSuite, page: runPage, ui: runUi };
for (const [name, run] of Object.entries(parts)) if (part === undefined || part === name) results.push(...(await run(host)));
for (const { name, state, error } of results)
  console.log(`${state === 'passed' ? 'ok  ' : state === 'skipped' ? 'skip' : 'FAIL'} ${name}${error === undefined ? '' : `\n${error}`}`);
const count = (state: SuiteResult['state']): number => results.filter((result) => result.state === state).length;
console.log(`${count('passed')} passed, ${count('failed')} failed${count('skipped') > 0 ? `, ${count('skipped')} skipped` : ''}`);
process.exit(count('failed') === 0 && count('passed') > 0 ? 0 : 1);
