/** The ways from the suite to the conformance server: straight, through the bare proxy, and through a real daemon. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startDaemonFixture } from '../fixtures/daemon.ts';
import { startProxy } from './proxy.ts';
import type { Eras } from './server/http.ts';

/** How the server is reached. `direct` and `proxy` are the comparison; the others go through the daemon. */
export type Way = 'direct' | 'proxy' | 'daemon-http' | 'daemon-stdio';

/** A route that is up. */
export interface Route {
  readonly url: string;
  /** What the daemon wrote to standard error; empty without one. */
  stderr(): string;
  close(): Promise<void>;
}

const SERVER = join(import.meta.dirname, 'server', 'main.ts');
// Short: with it the longest name of the suite keeps to the 46 characters of an exposed name.
const ALIAS = 'c';
const NODE = ['--disable-warning=ExperimentalWarning', SERVER] as const;

/** Opens a route to a fresh conformance server that speaks `eras`. */
export async function openRoute(way: Way, eras: Eras): Promise<Route> {
  const closing: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).reverse()) await one();
  };
  try {
    const server = way === 'daemon-stdio' ? undefined : await startServer(eras);
    if (server !== undefined) closing.push(server.close);
    const direct = server?.url ?? '';
    if (way === 'direct') return { url: direct, stderr: () => '', close };
    if (way === 'proxy') {
      const proxy = await startProxy({ target: direct });
      closing.push(proxy.close);
      return { url: proxy.url, stderr: () => '', close };
    }
    const entry =
      way === 'daemon-http'
        ? { type: 'http', url: direct }
        : { type: 'stdio', command: process.execPath, args: [...NODE, '--stdio', '--era', eras] };
    const daemon = await startDaemonFixture({
      config: { servers: { [ALIAS]: entry }, namespaces: { all: [ALIAS] }, endpoints: { default: { namespaces: ['all'] } } },
    });
    closing.push(daemon.stop);
    const proxy = await startProxy({ target: daemon.url, token: daemon.token, alias: ALIAS });
    closing.push(proxy.close);
    return { url: proxy.url, stderr: daemon.stderr, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

async function startServer(eras: Eras): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const child = spawn(process.execPath, [...NODE, '--http', '--era', eras], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const first = once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>;
  const [url] = await Promise.race([
    first,
    ended.then(([code]) => {
      throw new Error(`The conformance server ended with ${code}`);
    }),
  ]);
  return {
    url,
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
