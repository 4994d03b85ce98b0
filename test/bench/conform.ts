/**
 * `node scripts/run.cjs test/bench/conform.ts [--quick]`: cases per second of the conformance engine on each transport, and the time of a whole
 * run with the default budget on `server-everything`. Prints the tables of docs/conformance.md.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Summary, Target } from '../../daemon/api/conformance.ts';
import { conform } from '../../daemon/conformance/conform.ts';
import type { Era } from '../../daemon/protocol/eras.ts';

const QUICK = process.argv.includes('--quick');
const QUIET = '--disable-warning=ExperimentalWarning';
const REFERENCE = fileURLToPath(new URL('../conformance-engine/reference/main.ts', import.meta.url));
const EVERYTHING = fileURLToPath(new URL('../../node_modules/@modelcontextprotocol/server-everything/dist/index.js', import.meta.url));
const CASES = QUICK ? 100 : 1000;
const children: ChildProcess[] = [];

async function run(
  target: Target,
  runs: number,
  eras?: readonly Era[],
  only?: readonly string[],
): Promise<{ summary: Summary; perSecond: number }> {
  let [cases, ms] = [0, 0];
  let last = { cases: 0, at: performance.now() };
  const { summary } = await conform({
    target,
    runs,
    seed: 42,
    limitMs: 5000,
    safety: {},
    signal: new AbortController().signal,
    ...(eras === undefined ? {} : { eras }),
    ...(only === undefined ? {} : { only }),
    emit: (event) => {
      // what came before the first property is discovery
      if (event.type === 'tools') last = { cases: 0, at: performance.now() };
      if (event.type !== 'progress') return;
      const now = performance.now();
      cases += event.cases - last.cases;
      ms += event.cases > last.cases ? now - last.at : 0;
      last = { cases: event.cases, at: now };
    },
  });
  return { summary, perSecond: (1000 * cases) / ms };
}

/** Starts a program and resolves with the first URL it prints. */
function listening(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const child = spawn(process.execPath, [QUIET, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return new Promise((done) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        const url = /https?:\/\/\S+/.exec(line)?.[0];
        const port = /port (\d+)/.exec(line)?.[1];
        if (url !== undefined) done(url);
        else if (port !== undefined) done(`http://127.0.0.1:${port}/mcp`);
      });
  });
}

try {
  const pipe: Target = { kind: 'stdio', command: process.execPath, args: [QUIET, REFERENCE] };
  const http: Target = { kind: 'http', url: await listening([REFERENCE, '--http']) };
  console.log('| transport | connection | cases | cases a second |\n| --- | --- | --- | --- |');
  for (const [name, target] of [
    ['stdio', pipe],
    ['HTTP', http],
  ] as const) {
    const kept = await run(target, CASES, ['modern'], ['tools/valid-arguments']);
    console.log(`| ${name} | kept | ${kept.summary.cases} | ${kept.perSecond.toFixed(0)} |`);
    const fresh = await run(target, 20, ['legacy'], ['lifecycle/versions', 'lifecycle/handshake']);
    console.log(`| ${name} | a fresh one for each case | ${fresh.summary.cases} | ${fresh.perSecond.toFixed(1)} |`);
  }
  console.log('\n| server-everything | cases | seconds | passed | failed | warnings |\n| --- | --- | --- | --- | --- | --- |');
  const port = String(20_000 + (process.pid % 10_000));
  const targets: readonly (readonly [string, Target])[] = [
    ['stdio', { kind: 'stdio', command: process.execPath, args: [EVERYTHING, 'stdio'] }],
    ['HTTP', { kind: 'http', url: await listening([EVERYTHING, 'streamableHttp'], { PORT: port }) }],
  ];
  for (const [name, target] of targets) {
    const { cases, ms, counts } = (await run(target, QUICK ? 2 : 20)).summary;
    console.log(`| ${name} | ${cases} | ${(ms / 1000).toFixed(1)} | ${counts.passed} | ${counts.failed} | ${counts.warning} |`);
  }
} finally {
  for (const child of children) child.kill();
}
