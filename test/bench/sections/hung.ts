/** One hung server of three: whom does it delay? */
import { ask, META } from '../daemon.ts';
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
    const first: number[] = [];
    for (const daemon of [without, with3]) {
      await daemon.start();
      const session = await daemon.session();
      const begun = performance.now();
      const { text } = await ask(session, '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}');
      if (!text.includes('a__echo') || !text.includes('b__echo')) throw new Error(`healthy tools are missing: ${text.slice(0, 200)}`);
      first.push(performance.now() - begun);
    }
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
    const rows = [['first tools/list', figure(first[0] ?? Number.NaN), figure(first[1] ?? Number.NaN), '']];
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
    goals.push({
      what: 'first tools/list ever with one hung server of three',
      goal: 'the healthy ones’ time',
      measured: `${figure(first[1] ?? Number.NaN)} ms, without it ${figure(first[0] ?? Number.NaN)} ms`,
      met: (first[1] ?? Number.NaN) <= 1.5 * (first[0] ?? 0) + 100,
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
