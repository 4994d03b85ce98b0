/** Entry inside the extension host, the same for code-server and for desktop VS Code: runs every compiled `*.test.cjs` beside it. */
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Mocha from 'mocha';

/** One test, as the runner outside reads it. */
export interface SuiteResult {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly error?: string;
}

/** What `SIGNALBOX_TEST_RESULTS` holds. `complete` is false until the last test has ended. */
export interface SuiteResults {
  readonly complete: boolean;
  readonly results: readonly SuiteResult[];
}

/** Called by VS Code. Rejects when a test failed or none ran. */
export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', timeout: 30_000, color: false });
  for (const file of readdirSync(__dirname)) if (file.endsWith('.test.cjs')) mocha.addFile(join(__dirname, file));
  const results: SuiteResult[] = [];
  const write = (complete: boolean): void => {
    const file = process.env['SIGNALBOX_TEST_RESULTS'];
    if (file === undefined) return;
    writeFileSync(`${file}.tmp`, JSON.stringify({ complete, results } satisfies SuiteResults));
    renameSync(`${file}.tmp`, file);
  };
  write(false);
  const failures = await new Promise<number>((resolve) => {
    const runner = mocha.run(resolve);
    runner.on('pass', (test) => results.push({ name: test.fullTitle(), state: 'passed' }));
    runner.on('pending', (test) => results.push({ name: test.fullTitle(), state: 'skipped' }));
    runner.on('fail', (test, error: Error) =>
      results.push({
        name: test.fullTitle(),
        state: 'failed',
        error: `${error.stack ?? String(error)}${'why' in error ? `\nwhy: ${String(error.why)}` : ''}`,
      }),
    );
  });
  write(true);
  if (failures > 0) throw new Error(`${failures} tests failed`);
  if (results.length === 0) throw new Error('no tests ran');
}
