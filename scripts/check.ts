/** `npm run check`: format and lint, types, import boundaries, unused code. Runs all of them, says what each found, fails if any did. */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { boundaryProblems, readImports } from './boundaries.ts';

const ROOT = resolve(import.meta.dirname, '..');
type Outcome = { readonly ok: boolean; readonly output: string };

/** Runs a tool of node_modules; its output is kept for the end. */
function tool(script: string, ...args: string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [join(ROOT, 'node_modules', script), ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', (code) => done({ ok: code === 0, output }));
  });
}

async function boundaries(): Promise<Outcome> {
  const files = globSync('{daemon,servers,extension,scripts,test}/**/*.ts', { cwd: ROOT }).map((file) => file.replaceAll('\\', '/'));
  const problems = boundaryProblems(readImports(ROOT, files));
  return { ok: problems.length === 0, output: problems.join('\n') };
}

const checks: Readonly<Record<string, () => Promise<Outcome>>> = {
  'format and lint': () => tool('@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'),
  types: () => tool('typescript/bin/tsc', '-p', '.'),
  'types of the traffic page': () => tool('typescript/bin/tsc', '-p', 'extension/traffic/webview'),
  'import boundaries': boundaries,
  'unused code': () => tool('knip/bin/knip.js', '--no-progress', '--treat-config-hints-as-errors'),
};

const results = await Promise.all(Object.entries(checks).map(async ([name, check]) => ({ name, ...(await check()) })));
for (const { name, ok, output } of results) if (!ok) console.log(`--- ${name}\n${output.trim()}\n`);
for (const { name, ok } of results) console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`);
process.exit(results.every(({ ok }) => ok) ? 0 : 1);
