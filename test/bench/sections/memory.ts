/** Resident memory: idle, after load, and with 50 servers and 1 200 tools. */

import { memoryOf, serve, treeMemoryOf } from '../processes.ts';
import { figure, type Section, within } from '../report.ts';
import { callOf, ECHO, type Route } from '../routes.ts';
import { everyTool, manyServers } from '../servers.ts';
import type { Context } from './context.ts';

const CLIENTS = 16;
/** Bytes, milliseconds and calls of the load after which memory is looked at. */
const BYTES = 1024;
const SETTLED_MS = 2000;

/** The section. */
export async function memory(context: Context): Promise<Section> {
  const calls = context.quick ? 5000 : 40_000;
  const rows: string[][] = [];
  const look = async (what: string, pid: number): Promise<number> => {
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    const tree = treeMemoryOf(pid);
    const own = memoryOf(pid);
    rows.push([what, figure(own), figure(tree.mib), String(tree.processes)]);
    return own;
  };
  const load = async (pid: number, route: Pick<Route, 'via' | 'prefix' | 'modern'>): Promise<number> => {
    const job = { via: route.via, body: callOf(route, 'echo', { bytes: BYTES }), clients: CLIENTS, calls, bytes: BYTES };
    await context.generator.run(job);
    return pid;
  };
  context.say('memory: pass-through');
  const bare = await serve('pass-through.ts', 'stdio', process.execPath, ECHO, 'stdio');
  const bareRoute = { via: { kind: 'http', port: bare.port, path: '/mcp', headers: {} }, prefix: '', modern: false } as const;
  const bareIdle = await look('pass-through, just started', bare.pid);
  const bareLoaded = await look(`pass-through, after ${calls} calls`, await load(bare.pid, bareRoute));
  context.say('memory: daemon with one server');
  const small = context.daemon({ stdio: { command: process.execPath, args: [ECHO, 'stdio'] } });
  let idle: number;
  let loaded: number;
  try {
    await small.start();
    const route = { via: { kind: 'http', ...(await small.session()) }, prefix: 'stdio__', modern: false } as const;
    idle = await look('daemon, one server, just started', small.pid);
    loaded = await look(`daemon, one server, after ${calls} calls`, await load(small.pid, route));
  } finally {
    await small.remove();
  }
  context.say('memory: daemon with 50 servers');
  const large = context.daemon(manyServers(50));
  let many: number;
  try {
    await large.start();
    await everyTool(await large.session(), 50);
    many = await look('daemon, 50 servers, 1 200 tools listed', large.pid);
  } finally {
    await large.remove();
  }
  return {
    title: 'Memory',
    text: 'Resident memory, MiB: of the process in the middle, and of it and everything it started.',
    head: ['what', 'process', 'whole tree', 'processes'],
    rows,
    goals: [
      within('resident memory ÷ pass-through, just started', idle / bareIdle, 2),
      within('resident memory ÷ pass-through, both after load', loaded / bareLoaded, 2),
      within('resident memory with 50 servers ÷ pass-through just started', many / bareIdle, 2),
    ],
  };
}
