/**
 * `npm test [-- PATTERN…]`: every test file under test/{unit,wire,plugin,clients}, then the extension in a real VS Code.
 * A pattern is a part of a path. Ends with the plain line `N passed, N failed[, N skipped]`.
 */
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { inspect, stripVTControlCharacters } from 'node:util';

const ROOT = resolve(import.meta.dirname, '..');
const EDITOR = 'test/editor/main.ts';
const FILE_LIMIT_MS = 240_000;
const TOTAL_LIMIT_MS = 12 * 60_000;
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
  const files = globSync('test/{unit,wire,plugin,clients}/**/*.test.ts', { cwd: ROOT })
    .map((file) => file.replaceAll('\\', '/'))
    .sort();
  return { files: files.filter(wanted), editor: existsSync(join(ROOT, EDITOR)) && wanted(EDITOR) };
}

/** Runs the files with node:test, a process each, and adds to the totals. */
async function runFiles(files: readonly string[], signal: AbortSignal): Promise<void> {
  const output = new Map<string, string>();
  const stream = run({
    files: files.map((file) => join(ROOT, file)),
    concurrency: Math.max(2, availableParallelism()),
    timeout: FILE_LIMIT_MS,
    signal,
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
  stream.on('test:summary', ({ file, counts, success, duration_ms: ms }) => {
    if (file === undefined) return;
    const counted = `${counts.passed} passed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`;
    say(`${seconds()}  ${success ? 'ok  ' : 'FAIL'} ${relative(ROOT, file)}  ${counted}  ${(ms / 1000).toFixed(1)}s`);
    const text = output.get(file);
    if (!success && text !== undefined) failures.push(`output of ${relative(ROOT, file)}\n${text}`);
  });
  await new Promise<void>((done, failed) => {
    stream.on('end', done);
    stream.on('error', failed);
    stream.resume();
  });
}

/** Runs the editor suite, which prints its own progress and ends with a `N passed, N failed` line of its own. */
async function runEditor(signal: AbortSignal): Promise<void> {
  say(`${seconds()}  ${EDITOR} …`);
  let tail = '';
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(ROOT, EDITOR)], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
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

const patterns = process.argv.slice(2);
const { files, editor } = discover(patterns);
if (files.length === 0 && !editor) {
  say(`No test file matches ${patterns.join(' ')}.`);
  process.exit(2);
}
// No test may read or write what belongs to the person who runs them, even one that forgets to say where its state lives.
const home = mkdtempSync(join(tmpdir(), 'signalbox-test-'));
process.env['SIGNALBOX_STATE_DIR'] = join(home, 'state');
process.env['SIGNALBOX_CONFIG_DIR'] = join(home, 'config');
const limit = AbortSignal.timeout(TOTAL_LIMIT_MS);
try {
  if (files.length > 0) await runFiles(files, limit);
  if (editor && !limit.aborted) await runEditor(limit);
} catch (error) {
  totals.failed++;
  failures.push(inspect(error, { colors: false }));
}
rmSync(home, { recursive: true, force: true });
if (limit.aborted) {
  totals.failed++;
  failures.push(`The whole run was ended after ${TOTAL_LIMIT_MS / 60_000} minutes.`);
}
for (const failure of failures) say(`\n--- FAILED: ${failure}`);
for (const { name, reason } of skips) say(`skipped: ${name}: ${reason}`);
say(`\n${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''}`);
process.exit(totals.failed === 0 ? 0 : 1);
