/** `tools/call` on every way: sizes × callers at once. */
import { type Entry, type Figure, ratio, rounds } from '../measure.ts';
import { figure, type Goal, type Section, within } from '../report.ts';
import { callOf, type Kind, type Route } from '../routes.ts';
import type { Context } from './context.ts';

const KIB = 1024;
const SIZES = [KIB, 10 * KIB, KIB * KIB];
const CLIENTS = [1, 16, 64];
const OURS = ['daemon, legacy', 'daemon, modern', 'daemon, modern → legacy'];

/** Measured figures by route, size and clients. */
type Figures = (route: string, upstream: Kind, bytes: number, clients: number) => Figure | undefined;

/** The section. */
export async function calls(context: Context): Promise<Section> {
  const routes = await context.routes();
  const found = new Map<string, Figure>();
  const rows: string[][] = [];
  let cost = 0;
  context.say('calls: warming up');
  for (const route of routes) {
    // compiled and connected: the daemon has more code than the pass-through, and what is measured is how it runs, not how it warms up
    const { job } = entryOf(route, KIB, Math.min(16, route.clients), context.quick);
    await context.generator.run({ ...job, calls: isPeer(route.name) ? 1000 : 8000 });
  }
  for (const upstream of ['stdio', 'http'] as const) {
    for (const bytes of context.quick ? [KIB, KIB * KIB] : SIZES) {
      for (const clients of context.quick ? [1, 16] : CLIENTS) {
        const able = routes.filter(
          (route) => route.upstream === upstream && clients <= route.clients && (route.name !== 'pipe' || bytes === KIB * KIB),
        );
        context.say(`calls: ${upstream}, ${bytes} bytes, ${clients} at once`);
        const figures = await rounds(
          context.generator,
          able.map((route) => entryOf(route, bytes, clients, context.quick)),
          context.rounds,
        );
        able.forEach((route, index) => {
          const own = figures[index];
          if (own !== undefined) found.set(`${route.name} ${upstream} ${bytes} ${clients}`, own);
        });
        const of = (name: string): Figure | undefined => found.get(`${name} ${upstream} ${bytes} ${clients}`);
        const base = of('pass-through');
        for (const { name } of able) {
          const own = of(name);
          if (own === undefined || base === undefined) continue;
          if (bytes === KIB) cost = Math.max(cost, own.cost);
          rows.push([
            upstream,
            sizeText(bytes),
            String(clients),
            name,
            figure(own.p50),
            figure(own.p99),
            figure(own.rate),
            figure(own.cpu),
            figure(ratio(own, base, 'p50')),
            figure(ratio(own, base, 'rate')),
            figure(own.cpu / base.cpu),
          ]);
        }
      }
    }
  }
  return {
    title: 'Calls',
    text: [
      '`tools/call` answered with text of the given size. × is this way ÷ the pass-through with the same upstream, size and callers. CPU is',
      'that of the process in the middle (all its threads). One HTTP session for all callers of a way; the peers get the calls they can',
      `carry. The load generator is a process of its own on bare sockets; it costs up to ${figure(cost)} ms CPU per call of 1 kB and shares the`,
      'cores with what it measures.',
    ].join('\n'),
    head: ['upstream', 'answer', 'callers', 'way', 'p50 ms', 'p99 ms', 'calls/s', 'CPU ms/call', 'p50 ×', 'calls/s ×', 'CPU ×'],
    rows,
    goals: goals((route, upstream, bytes, clients) => found.get(`${route} ${upstream} ${bytes} ${clients}`), routes, context.quick),
  };
}

function sizeText(bytes: number): string {
  return bytes >= KIB * KIB ? `${bytes / KIB / KIB} MiB` : `${bytes / KIB} kB`;
}

function entryOf(route: Route, bytes: number, clients: number, quick: boolean): Entry {
  const many = bytes >= KIB * KIB ? [30, 64, 64] : [600, 3000, 4000];
  const calls = (many[CLIENTS.indexOf(clients)] ?? 100) / (quick ? 3 : 1) / (isPeer(route.name) ? 4 : 1);
  const job = {
    via: route.via,
    body: callOf(route, 'echo', { bytes }),
    clients,
    calls: Math.max(10, clients, Math.round(calls)),
    bytes: bytes * 0.99,
  };
  return { job, pid: route.pid };
}

function isPeer(name: string): boolean {
  return !['direct', 'pass-through', 'pipe', ...OURS].includes(name);
}

/** The goals of issue 3 that calls decide. */
function goals(of: Figures, routes: readonly Route[], quick: boolean): readonly Goal[] {
  const made: Goal[] = [];
  const add = (what: string, own: Figure | undefined, base: Figure | undefined, value: 'p50' | 'rate' | 'cpu', limit: number): void => {
    if (own === undefined || base === undefined) return;
    const measured = value === 'cpu' ? own.cpu / base.cpu : ratio(own, base, value);
    made.push(within(what, measured, limit, value === 'rate' ? 'least' : 'most'));
  };
  for (const upstream of ['stdio', 'http'] as const) {
    for (const name of OURS) {
      const label = `${name}, ${upstream}`;
      add(`p50 ÷ pass-through, 1 caller (${label})`, of(name, upstream, KIB, 1), of('pass-through', upstream, KIB, 1), 'p50', 1.3);
      for (const clients of quick ? [16] : [16, 64]) {
        const base = of('pass-through', upstream, KIB, clients);
        add(`calls/s ÷ pass-through, ${clients} callers (${label})`, of(name, upstream, KIB, clients), base, 'rate', 0.7);
      }
      add(
        `CPU per call ÷ pass-through, 16 callers (${label})`,
        of(name, upstream, KIB, 16),
        of('pass-through', upstream, KIB, 16),
        'cpu',
        1.5,
      );
      add(`1 MiB answer ÷ pipe, p50 (${label})`, of(name, upstream, KIB * KIB, 1), of('pipe', upstream, KIB * KIB, 1), 'p50', 1.3);
    }
    const peers = routes.filter((route) => route.upstream === upstream && isPeer(route.name));
    const best = peers
      .map(({ name }) => ({ name, figure: of(name, upstream, KIB, 16) }))
      .filter((peer) => peer.figure !== undefined)
      .sort((a, b) => (b.figure?.rate ?? 0) - (a.figure?.rate ?? 0))[0];
    add(`calls/s ÷ best peer (${best?.name}), 16 callers (${upstream})`, of('daemon, legacy', upstream, KIB, 16), best?.figure, 'rate', 2);
  }
  return made;
}
