/**
 * `npm run bench [-- CALLS]`: tools/call through the daemon against a direct connection and a bare pass-through. All routes take turns
 * within one run, so that a busy machine disturbs them alike; what counts are the ratios. Writes docs/performance.md.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(import.meta.dirname, '../..');
const HERE = import.meta.dirname;
const CLI = join(ROOT, 'daemon', 'cli', 'main.ts');
const CLIENTS = [1, 16, 64];
const ROUNDS = 4;
const CALLS = Number(process.argv[2] ?? 1000);
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

type Call = (id: number) => Promise<unknown>;
type Route = { readonly name: string; readonly upstream: 'http' | 'stdio'; readonly call: Call };
type Sample = { latencies: number[]; ms: number };

const home = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
const env = { ...process.env, SIGNALBOX_STATE_DIR: join(home, 'state'), SIGNALBOX_CONFIG_DIR: join(home, 'config') };
const children: ChildProcess[] = [];

/** Starts a script of ours that prints its port first. */
async function start(...args: string[]): Promise<number> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout })) return Number(line);
  throw new Error(`${args.join(' ')} ended before it listened`);
}

/** Runs the command line; its `--json` answer. */
async function signalbox(...args: string[]): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, ...args, '--json'], { env, cwd: home });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.pipe(process.stderr);
  await new Promise((done) => child.on('close', done));
  return JSON.parse(text) as Record<string, unknown>;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
/** One POST; the body's text and the session id if one was given. */
function post(url: URL, message: object, headers: Record<string, string>): Promise<{ text: string; session: string | undefined }> {
  const body = JSON.stringify(message);
  return new Promise((done, failed) => {
    const outgoing = request(
      url,
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'content-length': Buffer.byteLength(body),
          ...headers,
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', failed);
        incoming.on('end', () => {
          const session = incoming.headers['mcp-session-id'];
          done({ text: Buffer.concat(chunks).toString(), session: Array.isArray(session) ? session[0] : session });
        });
      },
    );
    outgoing.on('error', failed);
    outgoing.end(body);
  });
}

function httpCall(url: URL, tool: string, headers: Record<string, string> = {}, meta?: object): Call {
  const params = { name: tool, arguments: {}, ...(meta === undefined ? {} : { _meta: meta }) };
  return async (id) => {
    const { text } = await post(url, { jsonrpc: '2.0', id, method: 'tools/call', params }, headers);
    if (!text.includes('xxxx')) throw new Error(`wrong answer: ${text.slice(0, 300)}`);
  };
}

function stdioCall(): Call {
  const child = spawn(process.execPath, [join(HERE, 'echo.ts'), 'stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const waiting = new Map<number, () => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id } = JSON.parse(line) as { id: number };
    waiting.get(id)?.();
    waiting.delete(id);
  });
  return (id) =>
    new Promise<void>((done) => {
      waiting.set(id, done);
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo', arguments: {} } })}\n`);
    });
}

let nextId = 1;
/** `calls` calls by `clients` callers at once. */
async function load(call: Call, clients: number, calls: number): Promise<Sample> {
  const latencies: number[] = [];
  let left = calls;
  const begun = performance.now();
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      const sent = performance.now();
      await call(nextId++);
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: clients }, caller));
  return { latencies, ms: performance.now() - begun };
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

async function daemonRoutes(url: URL, token: string): Promise<readonly Route[]> {
  const authorization = `Bearer ${token}`;
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } };
  const { session } = await post(url, { jsonrpc: '2.0', id: 0, method: 'initialize', params: hello }, { authorization });
  const legacy = { authorization, 'mcp-protocol-version': '2025-11-25', ...(session === undefined ? {} : { 'mcp-session-id': session }) };
  await post(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, legacy);
  return (['http', 'stdio'] as const).flatMap((upstream) => {
    const tool = `${upstream}__echo`;
    const modern = { authorization, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': tool };
    return [
      { name: 'daemon, legacy', upstream, call: httpCall(url, tool, legacy) },
      { name: 'daemon, modern', upstream, call: httpCall(url, tool, modern, META) },
    ];
  });
}

function rss(pid: number): string {
  try {
    const kib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    return `${(kib / 1024).toFixed(0)} MiB`;
  } catch {
    return 'not measured (no /proc on this system)';
  }
}

async function bench(): Promise<string> {
  const echoPort = await start(join(HERE, 'echo.ts'), 'http');
  const bareHttp = await start(join(HERE, 'pass-through.ts'), 'http', String(echoPort));
  const bareStdio = await start(join(HERE, 'pass-through.ts'), 'stdio', process.execPath, join(HERE, 'echo.ts'), 'stdio');
  mkdirSync(env.SIGNALBOX_CONFIG_DIR, { recursive: true });
  const servers = {
    http: { url: `http://127.0.0.1:${echoPort}/mcp` },
    stdio: { command: process.execPath, args: [join(HERE, 'echo.ts'), 'stdio'] },
  };
  writeFileSync(join(env.SIGNALBOX_CONFIG_DIR, 'config.jsonc'), JSON.stringify({ servers }));
  const { pid } = await signalbox('up');
  const { url, token } = await signalbox('clients', 'token', 'bench');
  const at = (port: number): URL => new URL(`http://127.0.0.1:${port}/mcp`);
  const routes: readonly Route[] = [
    { name: 'direct', upstream: 'http', call: httpCall(at(echoPort), 'echo') },
    { name: 'pass-through', upstream: 'http', call: httpCall(at(bareHttp), 'echo') },
    { name: 'direct', upstream: 'stdio', call: stdioCall() },
    { name: 'pass-through', upstream: 'stdio', call: httpCall(at(bareStdio), 'echo') },
    ...(await daemonRoutes(new URL(String(url)), String(token))),
  ];
  for (const { call } of routes) await load(call, 16, Math.min(CALLS, 500)); // warm-up: compiled, connected
  const samples = new Map<string, Sample>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const clients of CLIENTS) {
      for (const { name, upstream, call } of routes) {
        const { latencies, ms } = await load(call, clients, CALLS);
        const key = `${upstream} ${name} ${clients}`;
        const sum = samples.get(key) ?? { latencies: [], ms: 0 };
        samples.set(key, { latencies: sum.latencies.concat(latencies), ms: sum.ms + ms });
      }
    }
  }
  const rows = CLIENTS.flatMap((clients) =>
    routes
      .toSorted((a, b) => a.upstream.localeCompare(b.upstream))
      .map((route) => {
        const of = (name: string): Sample => samples.get(`${route.upstream} ${name} ${clients}`) ?? { latencies: [], ms: Number.NaN };
        const own = of(route.name);
        const p50 = quantile(own.latencies, 0.5);
        const rate = (sample: Sample): number => (sample.latencies.length / sample.ms) * 1000;
        const cells = [
          route.upstream,
          clients,
          route.name,
          p50.toFixed(2),
          quantile(own.latencies, 0.99).toFixed(2),
          rate(own).toFixed(0),
          (p50 / quantile(of('pass-through').latencies, 0.5)).toFixed(2),
          (rate(own) / rate(of('pass-through'))).toFixed(2),
          (rate(own) / rate(of('direct'))).toFixed(2),
        ];
        return `| ${cells.join(' | ')} |`;
      }),
  );
  return [
    '# Performance',
    '',
    'Written by `npm run bench`: `tools/call` with a 200-byte answer, through the daemon, directly, and through a bare pass-through (Node',
    '`http` in, HTTP or stdio out, ids re-mapped, nothing else). All routes take turns in one run. Look at the ratios: the absolute numbers',
    'belong to one machine. × is this route ÷ pass-through (or direct) with the same upstream and as many clients.',
    '',
    `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} CPUs, ${ROUNDS} × ${CALLS} calls each.`,
    `Memory of the daemon after the run: ${rss(Number(pid))}.`,
    '',
    '| upstream | clients | route | p50 ms | p99 ms | calls/s | p50 × pass-through | calls/s × pass-through | calls/s × direct |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

try {
  const report = await bench();
  writeFileSync(join(ROOT, 'docs', 'performance.md'), report);
  process.stdout.write(report);
} finally {
  await signalbox('stop');
  for (const child of children) child.kill();
  agent.destroy();
  rmSync(home, { recursive: true, force: true });
}
