/**
 * The filesystem plugin beside the reference server (@modelcontextprotocol/server-filesystem), in one run, over MCP on stdio with the same
 * client; content search beside grep and ripgrep. Alone: `node scripts/run.cjs test/bench/filesystem.ts`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const HERE = import.meta.dirname;
const HOST = process.env['SBX_BENCH_DIST'] === '1' ? '../../dist/servers/plugin/host.mjs' : '../../servers/plugin/host.ts';
const PLUGIN = process.env['SBX_BENCH_DIST'] === '1' ? '../../dist/servers/filesystem' : '../../servers/filesystem';
const REFERENCE = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-filesystem/dist/index.js'));

interface Server {
  readonly name: string;
  readonly client: Client;
  readonly pid: number;
}
type Call = readonly [tool: string, args: Record<string, unknown>];

async function start(name: string, args: readonly string[]): Promise<Server> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', ...args],
    stderr: 'ignore',
    maxBufferSize: 256 * 1024 ** 2,
  });
  const client = new Client({ name: 'bench', version: '1.0.0' }, { versionNegotiation: { mode: 'legacy' } });
  await client.connect(transport);
  return { name, client, pid: transport.pid ?? 0 };
}

/** Median, 90th percentile and best of a call, in milliseconds; on a machine with other work the best says most. */
async function measure(server: Server, [name, args]: Call, runs: number): Promise<{ p50: number; p90: number; best: number }> {
  const times: number[] = [];
  for (let run = -Math.ceil(runs / 5); run < runs; run++) {
    const begin = performance.now();
    const result = await server.client.callTool({ name, arguments: args }, { timeout: 120_000 });
    if (result.isError === true) throw new Error(`${server.name} ${name}: ${JSON.stringify(result.content).slice(0, 300)}`);
    if (run >= 0) times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  return { p50: times[Math.floor(times.length / 2)] ?? 0, p90: times[Math.floor(times.length * 0.9)] ?? 0, best: times[0] ?? 0 };
}

/** Resident memory in MB: now, and at its highest. */
function memory(pid: number): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const value = (key: string): string => (Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024).toFixed(0);
  return `${value('VmRSS')} MB now, ${value('VmHWM')} MB at most`;
}

const root = realpathSync(mkdtempSync(join(tmpdir(), 'sbx-bench-fs-')));
try {
  const line = 'The quick brown fox jumps over the lazy dog; const value = compute(input, 42);\n';
  writeFileSync(join(root, '4k.txt'), line.repeat(52).slice(0, 4096));
  writeFileSync(join(root, '10m.txt'), line.repeat(Math.ceil((10 * 1024 ** 2) / line.length)).slice(0, 10 * 1024 ** 2));
  mkdirSync(join(root, 'flat'));
  for (let at = 0; at < 10_000; at++) writeFileSync(join(root, 'flat', `file-${at}.txt`), '');
  for (let folder = 0; folder < 200; folder++) {
    const path = join(root, 'code', `package-${folder % 20}`, `module-${folder}`);
    mkdirSync(path, { recursive: true });
    for (let at = 0; at < 100; at++) {
      const text = `${line.repeat(20)}export function handler${folder}x${at}(): void {}\n${line.repeat(20)}`;
      writeFileSync(join(path, `source-${at}.ts`), text);
    }
  }
  mkdirSync(join(root, 'tree'));
  for (let folder = 0; folder < 100; folder++) {
    mkdirSync(join(root, 'tree', `d${folder}`));
    for (let at = 0; at < 40; at++) writeFileSync(join(root, 'tree', `d${folder}`, `f${at}`), '');
  }
  const ours = await start('signalbox', [join(HERE, HOST), join(HERE, PLUGIN), '--root', root, '--max-file-bytes', String(64 * 1024 ** 2)]);
  const reference = await start('reference', [REFERENCE, root]);
  console.log(`idle     signalbox ${memory(ours.pid)}; reference ${memory(reference.pid)}`);
  const rows: readonly [string, number, Call, Call][] = [
    ['read 4 kB', 400, ['read_text_file', { path: join(root, '4k.txt') }], ['read_text_file', { path: join(root, '4k.txt') }]],
    ['read 10 MB', 12, ['read_text_file', { path: join(root, '10m.txt') }], ['read_text_file', { path: join(root, '10m.txt') }]],
    [
      'list 10 000',
      30,
      ['list_directory', { path: join(root, 'flat'), limit: 10_000, sizes: false }],
      ['list_directory', { path: join(root, 'flat') }],
    ],
    [
      'list 10 000, sizes',
      10,
      ['list_directory', { path: join(root, 'flat'), limit: 10_000, sortBy: 'size' }],
      ['list_directory_with_sizes', { path: join(root, 'flat'), sortBy: 'size' }],
    ],
    ['tree of 4 100', 20, ['directory_tree', { path: join(root, 'tree') }], ['directory_tree', { path: join(root, 'tree') }]],
    [
      'find by name, 20 000',
      15,
      ['search_files', { path: join(root, 'code'), pattern: '**/source-99.ts' }],
      ['search_files', { path: join(root, 'code'), pattern: '**/source-99.ts' }],
    ],
  ];
  for (const [title, runs, mine, theirs] of rows) {
    const a = await measure(ours, mine, runs);
    const b = await measure(reference, theirs, runs);
    const say = ({ p50, p90, best }: typeof a): string =>
      `${p50.toFixed(2).padStart(8)} ms (best ${best.toFixed(2)}, p90 ${p90.toFixed(2)})`;
    const ratio = `${(b.p50 / a.p50).toFixed(2)}× (best ${(b.best / a.best).toFixed(2)}×)`;
    console.log(`${title.padEnd(22)} signalbox ${say(a)}   reference ${say(b)}   ${ratio}`);
  }
  console.log(`after    signalbox ${memory(ours.pid)}; reference ${memory(reference.pid)}`);
  const ripgrep = spawnSync('rg', ['--version']).status === 0;
  const searches: readonly [string, string, boolean][] = [
    ['literal, 1 match', 'handler77x55', false],
    ['expression, 100 matches', 'handler77x\\d+', false],
    ['expression, no literal', '[a-z]+[0-9]{2}x9[0-9]\\(', false],
    ['no match', 'zebra.*giraffe', false],
    ['without case', 'HANDLER77X55', true],
  ];
  for (const [title, pattern, ignoreCase] of searches) {
    const mine = await measure(ours, ['search_content', { path: join(root, 'code'), pattern, ignoreCase, limit: 1000 }], 8);
    const time = (program: string, args: readonly string[]): { p50: number; best: number } => {
      const times = Array.from({ length: 8 }, () => {
        const begin = performance.now();
        spawnSync(program, [...args, pattern.replaceAll('\\d', '[0-9]'), join(root, 'code')], {
          stdio: ['ignore', 'pipe', 'ignore'],
          maxBuffer: 1e9,
        });
        return performance.now() - begin;
      });
      times.sort((a, b) => a - b);
      return { p50: times[4] ?? 0, best: times[0] ?? 0 };
    };
    const grep = time('grep', ['-rnE', ...(ignoreCase ? ['-i'] : [])]);
    const rg = ripgrep ? `   rg ${time('rg', ['-n', ...(ignoreCase ? ['-i'] : [])]).p50.toFixed(0)} ms` : '   (no ripgrep here)';
    const say = ({ p50, best }: typeof grep): string => `${p50.toFixed(0).padStart(5)} ms (best ${best.toFixed(0)})`;
    const ratio = `${(grep.p50 / mine.p50).toFixed(2)}× grep (best ${(grep.best / mine.best).toFixed(2)}×)`;
    console.log(`search: ${title.padEnd(26)} signalbox ${say(mine)}   grep -rnE ${say(grep)}   ${ratio}${rg}`);
  }
  console.log(`after    signalbox ${memory(ours.pid)} (with its search threads)`);
  console.log(`machine  ${execFileSync('nproc').toString().trim()} cores, Node ${process.version}`);
  await ours.client.close();
  await reference.client.close();
} finally {
  rmSync(root, { recursive: true, force: true });
}
