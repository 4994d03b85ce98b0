/** The full list of 50 servers × 24 tools against the same bytes served from memory. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, META } from '../daemon.ts';
import { ID } from '../load.ts';
import { type Entry, ratio, rounds } from '../measure.ts';
import { serve, settled } from '../processes.ts';
import type { Target } from '../raw-client.ts';
import { figure, type Goal, type Section, within } from '../report.ts';
import { everyTool, manyServers } from '../servers.ts';
import type { Context } from './context.ts';

const SERVERS = 50;

/** The section. */
export async function list(context: Context): Promise<Section> {
  context.say(`list: starting ${SERVERS} servers`);
  const daemon = context.daemon(manyServers(SERVERS));
  try {
    await daemon.start();
    const legacy = await daemon.session();
    await everyTool(legacy, SERVERS);
    const rows: string[][] = [];
    const goals: Goal[] = [];
    for (const era of ['legacy', 'modern'] as const) {
      const target: Target = era === 'legacy' ? legacy : await daemon.modern('tools/list');
      const params = era === 'legacy' ? {} : { _meta: META };
      const body = JSON.stringify({ jsonrpc: '2.0', id: ID, method: 'tools/list', params });
      // A modern client's first list may start a modern process of every server; what is measured comes after that.
      await ask(target, body);
      await settled(daemon.pid);
      const { text } = await ask(target, body);
      const file = join(context.dir, `list-${era}.json`);
      writeFileSync(file, text);
      const { port, pid } = await serve('still.ts', file);
      const whole = !text.includes('"nextCursor"');
      for (const clients of [1, 16]) {
        const job = { body, clients, calls: context.quick ? 60 : 300, bytes: text.length * 0.99 };
        const entries: readonly Entry[] = [
          { pid: daemon.pid, job: { ...job, via: { kind: 'http', ...target } } },
          { pid, job: { ...job, via: { kind: 'http', port, path: '/', headers: {} } } },
        ];
        for (const entry of entries) await context.generator.run(entry.job);
        const [own, still] = await rounds(context.generator, entries, context.rounds);
        if (own === undefined || still === undefined) continue;
        const times = ratio(own, still, 'p50');
        rows.push([
          era,
          String(clients),
          `${Math.round(text.length / 1024)} kB${whole ? '' : ' (first page)'}`,
          figure(own.p50),
          figure(still.p50),
          figure(times),
          figure(own.cpu / still.cpu),
        ]);
        if (clients === 1) goals.push(within(`full list of ${SERVERS} servers, 1 200 tools, p50 ÷ static body (${era})`, times, 1.5));
      }
    }
    return {
      title: 'Lists',
      text: `\`tools/list\` of ${SERVERS} servers × 24 tools, against a Node server that sends the very same bytes from memory.`,
      head: ['era', 'callers', 'answer', 'p50 ms', 'static p50 ms', 'p50 ×', 'CPU ×'],
      rows,
      goals,
    };
  } finally {
    await daemon.remove();
  }
}
