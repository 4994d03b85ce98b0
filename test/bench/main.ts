/**
 * `npm run bench [-- --quick] [--only calls,list,…] [--rounds N] [--no-peers] [--root DIR] [--write]`: what the daemon costs, against a
 * direct connection, a bare pass-through, a pipe and the gateways of others. A whole run writes docs/performance.md.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle, Daemon, untapped } from './daemon.ts';
import { endAll, Generator, serve } from './processes.ts';
import { report, type Section } from './report.ts';
import { bareRoutes, daemonRoutes, daemonServers, peerRoutes, type Route, tried } from './routes.ts';
import { activation } from './sections/activation.ts';
import { calls } from './sections/calls.ts';
import type { Context } from './sections/context.ts';
import { hung } from './sections/hung.ts';
import { list } from './sections/list.ts';
import { memory } from './sections/memory.ts';
import { progress } from './sections/progress.ts';
import { start } from './sections/start.ts';
import { tap } from './sections/tap.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SECTIONS = { calls, list, start, memory, hung, progress, tap, activation };
type Name = keyof typeof SECTIONS;

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    peers: { type: 'boolean', default: true },
    root: { type: 'string', default: ROOT },
    write: { type: 'boolean', default: false },
  },
  allowNegative: true,
});
const wanted = flags.only === undefined ? (Object.keys(SECTIONS) as Name[]) : (flags.only.split(',') as Name[]);
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const dir = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
const daemons: Daemon[] = [];

async function main(): Promise<string> {
  say('bundling the daemon');
  const script = await bundle(resolve(flags.root), join(dir, 'dist'));
  const daemonOf = (program: string, servers: object): Daemon => {
    const made = new Daemon(join(dir, `daemon-${daemons.length}`), program, servers);
    daemons.push(made);
    return made;
  };
  const daemon = (servers: object): Daemon => daemonOf(script, servers);
  let routes: Promise<readonly Route[]> | undefined;
  const context: Context = {
    generator: new Generator(),
    dir,
    rounds: Number(flags.rounds ?? (flags.quick ? 3 : 5)),
    quick: flags.quick,
    routes: () => {
      routes ??= startRoutes(daemon);
      return routes;
    },
    daemon,
    untapped: async (servers) => daemonOf(await bundle(resolve(flags.root), join(dir, 'untapped'), [untapped]), servers),
    say,
  };
  const sections: Section[] = [];
  const load = loadavg()[0] ?? 0;
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
  for (const name of wanted) {
    if (!Object.hasOwn(SECTIONS, name)) throw new Error(`There is no section ${name}; there are ${Object.keys(SECTIONS).join(', ')}.`);
    sections.push(await SECTIONS[name](context));
  }
  const cores = cpus();
  const about = [
    `${new Date().toISOString().slice(0, 10)}, commit ${commit}, Node ${process.versions.node}, ${cores.length} × ${cores[0]?.model.trim()}.`,
    `${context.rounds} rounds${flags.quick ? ', `--quick`' : ''}; load average before the run ${load.toFixed(1)}, after it ${(loadavg()[0] ?? 0).toFixed(1)}.`,
  ];
  return report(sections, about, readFileSync(join(import.meta.dirname, 'notes.md'), 'utf8'));
}

async function startRoutes(daemon: (servers: object) => Daemon): Promise<readonly Route[]> {
  say('starting the ways');
  const echo = await serve('echo.ts', 'http');
  const old = await serve('echo.ts', 'http', '--era', 'legacy');
  const ours = daemon(daemonServers(echo.port, old.port));
  await ours.start();
  const own = await daemonRoutes(ours);
  for (const route of own) await tried(route);
  const peers = flags.peers ? await peerRoutes(peerModules(), echo.port, dir, say) : [];
  const all = [...(await bareRoutes(echo.port)), ...own, ...peers];
  say(`ways: ${all.map(({ name, upstream }) => `${name} (${upstream})`).join(', ')}`);
  return all;
}

/** Installs the peers where needed; the folder they are in. */
function peerModules(): string {
  return execFileSync('sh', [join(import.meta.dirname, 'peers', 'install.sh')], { encoding: 'utf8' }).trim();
}

let failed = false;
try {
  const text = await main();
  process.stdout.write(text);
  if (flags.write || (!flags.quick && flags.only === undefined)) writeFileSync(join(ROOT, 'docs', 'performance.md'), text);
} catch (error) {
  failed = true;
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
} finally {
  for (const daemon of daemons) await daemon.remove();
  await endAll();
  rmSync(dir, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
