/** One hung server of three: whom does it delay? */
import { ask, type Daemon, META, openSession } from '../daemon.ts';
import { ID } from '../load.ts';
import { type Entry, ratio, rounds } from '../measure.ts';
import { figure, type Goal, type Section, within } from '../report.ts';
import { callOf, ECHO } from '../routes.ts';
import type { Context } from './context.ts';

/** The section. */
export async function hung(context: Context): Promise<Section> {
  context.say('hung: one of three');
  const healthy = { command: process.execPath, args: [ECHO, 'stdio'] };
  const stuck = { command: process.execPath, args: [ECHO, 'stdio', '--hang'] };
  const with3 = context.daemon({ a: healthy, b: healthy, c: stuck });
  const without = context.daemon({ a: healthy, b: healthy, c: healthy });
  try {
    const first = [await firstList(without), await firstList(with3)] as const;
    const again = [await firstList(without), await firstList(with3)] as const;
    const route = { prefix: 'a__', modern: true };
    const kinds = [
      {
        what: 'tools/call of a healthy server',
        method: 'tools/call',
        name: 'a__echo',
        body: callOf(route, 'echo', { bytes: 1024 }),
        bytes: 1000,
      },
      {
        what: 'tools/list',
        method: 'tools/list',
        name: undefined,
        body: JSON.stringify({ jsonrpc: '2.0', id: ID, method: 'tools/list', params: { _meta: META } }),
        bytes: 200,
      },
    ];
    const rows = [
      ['first tools/list ever', figure(first[0]), figure(first[1]), figure(first[1] / first[0])],
      ['first tools/list after a restart', figure(again[0]), figure(again[1]), figure(again[1] / again[0])],
    ];
    const goals: Goal[] = [];
    for (const { what, method, name, body, bytes } of kinds) {
      const entries: Entry[] = [];
      for (const daemon of [without, with3]) {
        const via = { kind: 'http' as const, ...(await daemon.modern(method, name)) };
        entries.push({ pid: daemon.pid, job: { via, body, bytes, clients: 4, calls: context.quick ? 200 : 800 } });
      }
      const [base, own] = await rounds(context.generator, entries, context.rounds);
      if (own === undefined || base === undefined) continue;
      const times = ratio(own, base, 'p50');
      rows.push([what, figure(base.p50), figure(own.p50), figure(times)]);
      goals.push(within(`${what} with one hung server of three, p50 ÷ without`, times, 1.3));
    }
    for (const [what, [base, own]] of [['ever', first] as const, ['after a restart', again] as const])
      goals.push({
        what: `first tools/list ${what} with one hung server of three`,
        goal: 'the healthy ones’ time',
        measured: `${figure(own)} ms, without it ${figure(base)} ms`,
        met: own <= 1.5 * base + 100,
      });
    return {
      title: 'A hung server',
      text: 'Three stdio servers, all healthy or one that never says a word. Milliseconds, p50; 4 callers.',
      head: ['what', 'all healthy', 'one hung', '×'],
      rows,
      goals,
    };
  } finally {
    await with3.remove();
    await without.remove();
  }
}

/** Starts a daemon (again) and lists its tools; milliseconds from its handshake to the answer. */
async function firstList(daemon: Daemon): Promise<number> {
  await daemon.stop();
  await daemon.start();
  const target = await daemon.target();
  const begun = performance.now();
  const { text } = await ask(await openSession(target), '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}');
  if (!text.includes('a__echo') || !text.includes('b__echo')) throw new Error(`healthy tools are missing: ${text.slice(0, 200)}`);
  return performance.now() - begun;
}
