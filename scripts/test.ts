/**
 * `npm test [-- PATTERN…]`: every test file under test/{unit,wire,plugin,clients,conformance}, then the extension in a real VS Code.
 * A pattern is a part of a path. Ends with the plain line `N passed, N failed[, N skipped]`.
 *
 * `npm run test:full [-- --shard N/M] [PATTERN…]`: the same and the whole matrices (`SIGNALBOX_TEST_TIER=full`), without a limit of time.
 * Writes docs/results/<date>-<commit>.json file by file; run again, it goes on with what has not passed at this commit.
 */
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { inspect, parseArgs, stripVTControlCharacters } from 'node:util';
import { type FileResult, openResults } from './results.ts';

const ROOT = resolve(import.meta.dirname, '..');
const EDITOR = 'test/editor/main.ts';
const FILE_LIMIT_MS = 240_000;
/** Ends a run that hangs; a quiet machine with two cores needs a third of it. */
const TOTAL_LIMIT_MS = 30 * 60_000;
/** Of the full tier: one file may be a soak. */
const FULL_FILE_LIMIT_MS = 2 * 60 * 60_000;
/** How a test says what belongs into the record: a diagnostic with this beginning. */
const NOTE = 'result: ';
/** What test/editor/main.ts ends with when this machine cannot run a VS Code. */
const SKIP_EXIT_CODE = 3;

type Totals = { passed: number; failed: number; skipped: number };
type Skip = { readonly name: string; readonly reason: string };

const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
const skips: Skip[] = [];
const failures: string[] = [];
const started = performance.now();

function seconds(): string {
  return `${((performance.now() - started) / 1000).toFixed(0).padStart(4)}s`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The files whose path contains one of the patterns; all without patterns. */
function discover(patterns: readonly string[]): { files: readonly string[]; editor: boolean } {
  const wanted = (file: string): boolean => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern));
  const files = globSync('test/{unit,wire,plugin,clients,conformance,conformance-engine}/**/*.test.ts', { cwd: ROOT })
    .map((file) => file.replaceAll('\\', '/'))
    .sort();
  return { files: files.filter(wanted), editor: existsSync(join(ROOT, EDITOR)) && wanted(EDITOR) };
}

/**
 * Runs the files with node:test, a process each, and adds to the totals.
 * @param signal ends the run; absent: no limit
 * @param put gets each file's result as it ends
 */
async function runFiles(
  files: readonly string[],
  signal: AbortSignal | undefined,
  put: (file: string, result: FileResult) => void,
): Promise<void> {
  const output = new Map<string, string>();
  const notes = new Map<string, string[]>();
  const stream = run({
    files: files.map((file) => join(ROOT, file)),
    concurrency: Math.max(2, availableParallelism()),
    timeout: full ? FULL_FILE_LIMIT_MS : FILE_LIMIT_MS,
    ...(signal === undefined ? {} : { signal }),
    cwd: ROOT,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  stream.on('test:pass', ({ name, skip, todo, details }) => {
    if (details.type === 'suite') return;
    if (skip === undefined && todo === undefined) totals.passed++;
    else {
      totals.skipped++;
      skips.push({ name, reason: String(skip || todo || 'no reason given') });
    }
  });
  stream.on('test:fail', ({ name, file, line, details }) => {
    const error = details.error as Error & { failureType?: string };
    if (error.failureType === 'subtestsFailed') return;
    totals.failed++;
    const place = file === undefined ? '' : ` (${relative(ROOT, file)}${line === undefined ? '' : `:${line}`})`;
    failures.push(`${name}${place}\n${inspect(error.cause ?? error, { colors: false })}`);
  });
  const keep = ({ file, message }: { file: string; message: string }): void => {
    output.set(file, ((output.get(file) ?? '') + message).slice(-20_000));
  };
  stream.on('test:stdout', keep);
  stream.on('test:stderr', keep);
  stream.on('test:diagnostic', ({ file, message }) => {
    if (file !== undefined && message.startsWith(NOTE)) notes.set(file, [...(notes.get(file) ?? []), message.slice(NOTE.length)]);
  });
  stream.on('test:summary', ({ file, counts, success, duration_ms: ms }) => {
    if (file === undefined) return;
    const counted = `${counts.passed} passed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`;
    say(`${seconds()}  ${success ? 'ok  ' : 'FAIL'} ${relative(ROOT, file)}  ${counted}  ${(ms / 1000).toFixed(1)}s`);
    const text = output.get(file);
    if (!success && text !== undefined) failures.push(`output of ${relative(ROOT, file)}\n${text}`);
    put(relative(ROOT, file).replaceAll('\\', '/'), {
      passed: counts.passed,
      // A file that ends without a failed test but with an exit code has failed as well.
      failed: Math.max(counts.tests - counts.passed - counts.skipped - counts.todo, success ? 0 : 1),
      skipped: counts.skipped + counts.todo,
      seconds: Math.round(ms / 1000),
      finished: new Date().toISOString(),
      notes: notes.get(file) ?? [],
    });
  });
  await new Promise<void>((done, failed) => {
    stream.on('end', done);
    stream.on('error', failed);
    stream.resume();
  });
}

/** Runs the editor suite, which prints its own progress and ends with a `N passed, N failed` line of its own. */
async function runEditor(signal: AbortSignal | undefined): Promise<void> {
  say(`${seconds()}  ${EDITOR} …`);
  let tail = '';
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(ROOT, EDITOR)], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal === undefined ? {} : { signal }),
    killSignal: 'SIGTERM',
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-20_000);
      process.stdout.write(text);
    });
  }
  const code = await new Promise<number | null>((done) => {
    child.on('error', () => done(null));
    child.on('close', done);
  });
  const text = stripVTControlCharacters(tail);
  const counted = [...text.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?/gm)].at(-1);
  if (code === SKIP_EXIT_CODE) {
    totals.skipped++;
    skips.push({ name: EDITOR, reason: text.trim().split('\n').at(-1) ?? 'no VS Code host here' });
    return;
  }
  const [passed, failed, skipped] = [Number(counted?.[1] ?? 0), Number(counted?.[2] ?? 0), Number(counted?.[3] ?? 0)];
  totals.passed += passed;
  totals.skipped += skipped;
  totals.failed += failed;
  if (skipped > 0) skips.push({ name: EDITOR, reason: `${skipped} skipped, see its output above` });
  if ((code !== 0 && failed === 0) || counted === undefined) {
    totals.failed++;
    failures.push(`${EDITOR} ended with ${code ?? 'a signal'} and ${counted === undefined ? 'no summary line' : counted[0]}`);
  }
}

const { values: flags, positionals: patterns } = parseArgs({
  options: { full: { type: 'boolean', default: false }, shard: { type: 'string', default: '1/1' } },
  allowPositionals: true,
});
const full = flags.full;
const [shard = 1, shards = 1] = flags.shard.split('/').map(Number);
const found = discover(patterns);
const results = full ? openResults(ROOT) : undefined;
if (full) {
  process.env['SIGNALBOX_TEST_TIER'] = 'full';
  say(results === undefined ? 'The tree differs from its commit: nothing is recorded.' : `Recorded in ${results.path}.`);
}
const files = found.files.filter((file, index) => index % shards === shard - 1 && results?.passed.has(file) !== true);
const editor = found.editor && shard === 1 && results?.passed.has(EDITOR) !== true;
const done = results === undefined ? 0 : found.files.filter((file) => results.passed.has(file)).length;
if (done > 0) say(`${done} files have passed at this commit and are not run again.`);
if (found.files.length === 0 && !found.editor) {
  say(`No test file matches ${patterns.join(' ')}.`);
  process.exit(2);
}
// No test may read or write what belongs to the person who runs them, even one that forgets to say where its state lives.
const home = mkdtempSync(join(tmpdir(), 'signalbox-test-'));
process.env['SIGNALBOX_STATE_DIR'] = join(home, 'state');
process.env['SIGNALBOX_CONFIG_DIR'] = join(home, 'config');
// The tests start some thousand processes from TypeScript; what one of them compiled the next one takes.
process.env['NODE_COMPILE_CACHE'] ??= join(home, 'compiled');
const limit = full ? undefined : AbortSignal.timeout(TOTAL_LIMIT_MS);
try {
  if (files.length > 0) await runFiles(files, limit, (file, result) => results?.put(file, result));
  if (editor && limit?.aborted !== true) {
    const before = { ...totals };
    const began = performance.now();
    await runEditor(limit);
    const since = (key: keyof Totals): number => totals[key] - before[key];
    results?.put(EDITOR, {
      passed: since('passed'),
      failed: since('failed'),
      skipped: since('skipped'),
      seconds: Math.round((performance.now() - began) / 1000),
      finished: new Date().toISOString(),
      notes: [],
    });
  }
} catch (error) {
  totals.failed++;
  failures.push(inspect(error, { colors: false }));
}
rmSync(home, { recursive: true, force: true });
if (limit?.aborted === true) {
  totals.failed++;
  failures.push(`The whole run was ended after ${TOTAL_LIMIT_MS / 60_000} minutes.`);
}
for (const failure of failures) say(`\n--- FAILED: ${failure}`);
for (const { name, reason } of skips) say(`skipped: ${name}: ${reason}`);
say(`\n${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''}`);
process.exit(totals.failed === 0 ? 0 : 1);
