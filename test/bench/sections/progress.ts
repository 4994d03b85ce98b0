/** Progress that must not be lost: every call reports ten steps. */
import { META } from '../daemon.ts';
import { ID, type Job } from '../load.ts';
import type { Section } from '../report.ts';
import type { Route } from '../routes.ts';
import type { Context } from './context.ts';

const STEPS = 10;
const CLIENTS = 16;

/** The section. */
export async function progress(context: Context): Promise<Section> {
  const calls = context.quick ? 200 : 1000;
  const rows: string[][] = [];
  let lost = 0;
  for (const route of await context.routes()) {
    if (route.name === 'pass-through' || route.name === 'pipe') continue; // they carry answers only
    context.say(`progress: ${route.upstream}, ${route.name}`);
    const expected = calls * STEPS;
    let counted = 0;
    try {
      counted = (await context.generator.run(jobOf(route, calls))).counted;
    } catch (error) {
      rows.push([route.upstream, route.name, String(expected), String(error).slice(0, 80)]);
      continue;
    }
    if (route.name.startsWith('daemon')) lost += Math.abs(expected - counted);
    rows.push([route.upstream, route.name, String(expected), String(expected - counted)]);
  }
  return {
    title: 'Progress',
    text: `Calls that each report ${STEPS} steps, ${CLIENTS} at once.`,
    head: ['upstream', 'way', 'sent', 'lost'],
    rows,
    goals: [{ what: 'progress notifications lost by the daemon, all pairings', goal: '0', measured: String(lost), met: lost === 0 }],
  };
}

function jobOf(route: Route, calls: number): Job {
  const name = `${route.prefix}progress`;
  const params = { name, arguments: { steps: STEPS }, _meta: { ...(route.modern ? META : {}), progressToken: ID } };
  const via = route.via.kind === 'http' && route.modern ? { ...route.via, headers: { ...route.via.headers, 'mcp-name': name } } : route.via;
  return {
    via,
    body: JSON.stringify({ jsonrpc: '2.0', id: ID, method: 'tools/call', params }),
    clients: CLIENTS,
    calls,
    bytes: 900,
    count: '"notifications/progress"',
  };
}
