/** What it costs that everything is seen: the ring alone, and a recording to disk, against the same daemon without either. */
import type { Daemon } from '../daemon.ts';
import type { Job } from '../load.ts';
import { type Entry, type Figure, ratio, rounds } from '../measure.ts';
import { serve } from '../processes.ts';
import { figure, type Goal, type Section, within } from '../report.ts';
import { callOf, daemonServers } from '../routes.ts';
import type { Context } from './context.ts';

const BYTES = 1024;
const CLIENTS = [1, 16];
const KINDS = ['nothing', 'ring', 'recording'] as const;
type Kind = (typeof KINDS)[number];
interface Way {
  readonly name: string;
  readonly upstream: 'stdio' | 'http';
  readonly modern: boolean;
}
const WAYS: readonly Way[] = [
  { name: 'legacy', upstream: 'stdio', modern: false },
  { name: 'modern', upstream: 'stdio', modern: true },
  { name: 'legacy', upstream: 'http', modern: false },
  { name: 'modern', upstream: 'http', modern: true },
];

/** The section. */
export async function tap(context: Context): Promise<Section> {
  const echo = await serve('echo.ts', 'http');
  const old = await serve('echo.ts', 'http', '--era', 'legacy');
  const servers = daemonServers(echo.port, old.port);
  const daemons: Record<Kind, Daemon> = {
    nothing: await context.untapped(servers),
    ring: context.daemon(servers),
    recording: context.daemon(servers),
  };
  for (const kind of KINDS) await daemons[kind].start();
  await daemons.recording.command('record', 'start', '--name', 'bench');
  const rows: string[][] = [];
  const goals: Goal[] = [];
  for (const way of WAYS) {
    const entries = new Map<Kind, Entry>();
    for (const kind of KINDS) entries.set(kind, await entryOf(daemons[kind], way));
    for (const { job } of entries.values()) await context.generator.run({ ...job, clients: 16, calls: context.quick ? 3000 : 8000 });
    for (const clients of CLIENTS) {
      context.say(`tap: ${way.upstream}, ${way.name}, ${clients} at once`);
      const calls = (clients === 1 ? 800 : 4000) / (context.quick ? 2 : 1);
      const figures = await rounds(
        context.generator,
        KINDS.map((kind) => scaled(entries.get(kind) as Entry, clients, calls)),
        context.rounds * 2,
      );
      const [base] = figures;
      if (base === undefined) continue;
      KINDS.forEach((kind, index) => {
        const own = figures[index];
        if (own === undefined) return;
        rows.push([way.upstream, way.name, String(clients), kind, ...cells(own, base)]);
        const label = `${way.name}, ${way.upstream}`;
        if (kind === 'ring')
          goals.push(within(`calls/s with the ring ÷ without, ${clients} callers (${label})`, ratio(own, base, 'rate'), 0.95, 'least'));
        if (kind === 'recording' && clients === 1)
          goals.push(within(`p50 while recording ÷ without the tap (${label})`, ratio(own, base, 'p50'), 1.1));
        if (kind === 'recording' && clients === 16)
          goals.push(within(`calls/s while recording ÷ without the tap, 16 callers (${label})`, ratio(own, base, 'rate'), 0.8, 'least'));
      });
    }
  }
  for (const kind of KINDS) await daemons[kind].stop();
  return {
    title: 'Seen and recorded',
    text: [
      '`tools/call` answered with 1 kB, by one daemon whose traffic nobody sees (built so for this measurement; there is no such setting), one',
      'that keeps the last of it in memory, as every daemon does, and one that also records everything to disk. × is this one ÷ the first.',
      'CPU is that of the whole process: redacting and writing run in a thread beside the calls.',
    ].join('\n'),
    head: ['upstream', 'client', 'callers', 'what', 'p50 ms', 'p99 ms', 'calls/s', 'CPU ms/call', 'p50 ×', 'calls/s ×', 'CPU ×'],
    rows,
    goals,
  };
}

async function entryOf(daemon: Daemon, { upstream, modern }: Way): Promise<Entry> {
  const prefix = `${upstream}__`;
  const target = modern ? await daemon.modern('tools/call', `${prefix}echo`) : await daemon.session();
  const job: Job = {
    via: { kind: 'http', ...target },
    body: callOf({ prefix, modern }, 'echo', { bytes: BYTES }),
    clients: 1,
    calls: 1,
    bytes: BYTES * 0.99,
  };
  return { job, pid: daemon.pid };
}

function scaled({ job, pid }: Entry, clients: number, calls: number): Entry {
  return { job: { ...job, clients, calls }, pid };
}

function cells(own: Figure, base: Figure): readonly string[] {
  const ratios = [ratio(own, base, 'p50'), ratio(own, base, 'rate'), own.cpu / base.cpu];
  return [own.p50, own.p99, own.rate, own.cpu, ...ratios].map(figure);
}
