/** The ways from a client to the upstream of the bench that are compared. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Daemon, META, openSession } from './daemon.ts';
import { ID, type Job } from './load.ts';
import { end, run, serve } from './processes.ts';
import { post, RawClient, type Target } from './raw-client.ts';

/** How the server behind is reached. */
export type Kind = 'stdio' | 'http';
/** One way. */
export interface Route {
  readonly name: string;
  readonly upstream: Kind;
  /** Process in the middle; undefined for a direct connection. */
  readonly pid: number | undefined;
  readonly via: Job['via'];
  /** The name the tools have on this way, before `echo`. */
  readonly prefix: string;
  readonly modern: boolean;
  /** Calls at once it can carry; more would measure something else. */
  readonly clients: number;
}

/** The upstream. */
export const ECHO = join(import.meta.dirname, 'echo.ts');
const UNLIMITED = 64;
const plain = (port: number): Job['via'] => ({ kind: 'http', port, path: '/mcp', headers: {} });
const http = (target: Target): Job['via'] => ({ kind: 'http', ...target });

/** A call of a tool of the bench on a route. */
export function callOf(route: Pick<Route, 'prefix' | 'modern'>, tool: string, args: object, progress = false): string {
  const meta = { ...(route.modern ? META : {}), ...(progress ? { progressToken: ID } : {}) };
  const params = { name: `${route.prefix}${tool}`, arguments: args, ...(route.modern || progress ? { _meta: meta } : {}) };
  return JSON.stringify({ jsonrpc: '2.0', id: ID, method: 'tools/call', params });
}

/** Direct, the bare pass-through, and the pipe. */
export async function bareRoutes(echoPort: number): Promise<readonly Route[]> {
  const command = [process.execPath, ECHO, 'stdio'];
  const base = { prefix: '', modern: false, clients: UNLIMITED };
  const over = async (script: string, upstream: Kind): Promise<Pick<Route, 'via' | 'pid' | 'upstream'>> => {
    const { port, pid } = await serve(script, upstream, ...(upstream === 'http' ? [String(echoPort)] : command));
    return { upstream, pid, via: plain(port) };
  };
  return [
    { ...base, name: 'direct', upstream: 'stdio', pid: undefined, via: { kind: 'stdio', command } },
    { ...base, name: 'direct', upstream: 'http', pid: undefined, via: plain(echoPort) },
    { ...base, name: 'pass-through', ...(await over('pass-through.ts', 'stdio')) },
    { ...base, name: 'pass-through', ...(await over('pass-through.ts', 'http')) },
    { ...base, name: 'pipe', ...(await over('pipe.ts', 'stdio')), clients: 1 },
    { ...base, name: 'pipe', ...(await over('pipe.ts', 'http')) },
  ];
}

/** The servers {@link daemonRoutes} need in the daemon's configuration. */
export function daemonServers(echoPort: number, legacyPort: number): object {
  return {
    stdio: { command: process.execPath, args: [ECHO, 'stdio'] },
    http: { url: `http://127.0.0.1:${echoPort}/mcp` },
    'old-stdio': { command: process.execPath, args: [ECHO, 'stdio', '--era', 'legacy'] },
    'old-http': { url: `http://127.0.0.1:${legacyPort}/mcp` },
  };
}

/** The daemon: both eras to a server of the same era, and a modern client of a legacy server. */
export async function daemonRoutes(daemon: Daemon): Promise<readonly Route[]> {
  const legacy = http(await daemon.session());
  const routes: Route[] = [];
  for (const upstream of ['stdio', 'http'] as const) {
    const base = { upstream, pid: daemon.pid, clients: UNLIMITED };
    const modern = async (alias: string): Promise<Job['via']> => http(await daemon.modern('tools/call', `${alias}__echo`));
    routes.push(
      { ...base, name: 'daemon, legacy', via: legacy, prefix: `${upstream}__`, modern: false },
      { ...base, name: 'daemon, modern', via: await modern(upstream), prefix: `${upstream}__`, modern: true },
      { ...base, name: 'daemon, modern → legacy', via: await modern(`old-${upstream}`), prefix: `old-${upstream}__`, modern: true },
    );
  }
  return routes;
}

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((listening) => probe.listen(0, '127.0.0.1', listening));
  const address = probe.address();
  await new Promise((closed) => probe.close(closed));
  return address !== null && typeof address === 'object' ? address.port : 0;
}

/**
 * The gateways of others, each in what it can do; one that does not come up is left out and said so.
 * @param modules folder `node_modules` they are installed in (peers/install.sh)
 */
export async function peerRoutes(modules: string, echoPort: number, dir: string, say: (line: string) => void): Promise<readonly Route[]> {
  const command = [process.execPath, ECHO, 'stdio', '--era', 'legacy'];
  const base = { upstream: 'stdio', prefix: '', modern: false, clients: UNLIMITED } as const;
  const routes: Route[] = [];
  const attempt = async (name: string, make: () => Promise<readonly Route[]>): Promise<void> => {
    try {
      routes.push(...(await make()));
    } catch (error) {
      say(`${name} is left out: ${String(error)}`);
    }
  };
  await attempt('mcp-proxy', async () => {
    const port = await freePort();
    const script = join(modules, 'mcp-proxy', 'dist', 'bin', 'mcp-proxy.mjs');
    const child = run(process.execPath, [script, '--host', '127.0.0.1', '--port', String(port), '--server', 'stream', '--', ...command]);
    const via = http(await answering(() => openSession({ port, path: '/mcp', headers: {} }), child));
    return [{ ...base, name: 'mcp-proxy', pid: child.pid, via }];
  });
  await attempt('supergateway', async () => {
    const port = await freePort();
    const script = join(modules, 'supergateway', 'dist', 'index.js');
    const server = command.map((word) => `'${word}'`).join(' ');
    const flags = ['--outputTransport', 'streamableHttp', '--stateful', '--port', String(port), '--logLevel', 'none'];
    const child = run(process.execPath, [script, '--stdio', server, ...flags]);
    const via = http(await answering(() => openSession({ port, path: '/mcp', headers: {} }), child));
    return [{ ...base, name: 'supergateway', pid: child.pid, via }];
  });
  await attempt('mcp-hub', async () => {
    const port = await freePort();
    const config = join(dir, 'mcp-hub.json');
    const [program, ...args] = command;
    writeFileSync(
      config,
      JSON.stringify({ mcpServers: { stdio: { command: program, args }, http: { url: `http://127.0.0.1:${echoPort}/mcp` } } }),
    );
    const script = join(modules, 'mcp-hub', 'dist', 'cli.js');
    const env = { ...process.env, XDG_STATE_HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir };
    const child = run(process.execPath, [script, '--port', String(port), '--config', config], env);
    const target: Target = { port, path: '/mcp', headers: {} };
    await answering(async () => {
      const health = await fetch(`http://127.0.0.1:${port}/api/health`);
      const { state } = (await health.json()) as { state?: string };
      if (state !== 'ready') throw new Error(`state ${state}`);
    }, child);
    return (['stdio', 'http'] as const).map((upstream) => ({
      ...base,
      name: 'mcp-hub',
      upstream,
      pid: child.pid,
      via: { kind: 'sse' as const, ...target },
      prefix: `${upstream}__`,
    }));
  });
  return routes;
}

const UP_WITHIN_MS = 20_000;

/** Asks until an answer comes; ends the child when none does. */
async function answering<T>(asked: () => Promise<T>, child: ReturnType<typeof run>): Promise<T> {
  const deadline = Date.now() + UP_WITHIN_MS;
  for (;;) {
    try {
      return await asked();
    } catch (error) {
      if (Date.now() > deadline || child.exitCode !== null) {
        await end(child);
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** One call on a route, to see that it works before it is measured. @throws with the answer when it does not */
export async function tried(route: Route): Promise<void> {
  if (route.via.kind !== 'http') return;
  const client = new RawClient(route.via.port);
  try {
    const { status, body } = await client.send(post(route.via, callOf(route, 'echo', { bytes: 1000 })).bytes);
    if (status !== 200 || !body.includes('xxxx')) throw new Error(`${route.name}, ${route.upstream}: ${status} ${body.subarray(0, 300)}`);
  } finally {
    client.close();
  }
}
