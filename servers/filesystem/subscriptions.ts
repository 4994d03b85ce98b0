/**
 * Which files clients want to hear about. A legacy client says it with resources/subscribe. A modern one says it with subscriptions/listen,
 * which the SDK's stdio entry answers itself and tells nobody: it filters what a server sends, but a server that watches nothing sends
 * nothing. So standard input is listened to beside the SDK, for that one method.
 */
import { join } from 'node:path';
import type { McpServer } from '@modelcontextprotocol/server';
import { watchPath } from './engines/watcher.ts';
import { pathOf } from './file-uri.ts';
import type { Area } from './guard/area.ts';

/** Several writes within this time make one notification. */
const DEBOUNCE_MS = 100;
const MAX_SUBSCRIPTIONS = 1000;
const MAX_LINE = 1024 * 1024;

/** The subscriptions of one process. */
export interface Subscriptions {
  /**
   * Resolves when changes are heard from now on.
   * @throws SignalboxError when the URI is not one the client may read
   */
  add(server: McpServer, uri: string): Promise<void>;
  remove(server: McpServer, uri: string): void;
  /** An instance that is told of what `listen` requests name. */
  attach(server: McpServer): void;
  close(): Promise<void>;
}

interface Watched {
  readonly servers: Set<McpServer>;
  readonly watcher: ReturnType<typeof watchPath>;
  timer: NodeJS.Timeout | undefined;
}

/** Starts with none. */
export function subscriptions(area: Area): Subscriptions {
  const watched = new Map<string, Watched>();
  const attached = new Set<McpServer>();
  const named = new Set<string>();
  const add: Subscriptions['add'] = async (server, uri) => {
    const known = watched.get(uri);
    if (known !== undefined) {
      known.servers.add(server);
      return known.watcher.ready;
    }
    if (watched.size >= MAX_SUBSCRIPTIONS) return;
    const { place, root, shown } = area.locate(pathOf(uri), 'read');
    const folder = place.path.split('/').slice(0, -1).join('/');
    place.close();
    const entry: Watched = {
      servers: new Set([server]),
      timer: undefined,
      // The folder, not the file: a save by rename puts another file in its place, and a deleted one may come back.
      watcher: watchPath(area, root, join(root.path, folder), { depth: 0 }, (change) => {
        if (change.path !== shown || entry.timer !== undefined) return;
        entry.timer = setTimeout(() => {
          entry.timer = undefined;
          for (const one of entry.servers) one.server.sendResourceUpdated({ uri }).catch(() => entry.servers.delete(one));
        }, DEBOUNCE_MS);
      }),
    };
    watched.set(uri, entry);
    return entry.watcher.ready;
  };
  const addQuietly = (server: McpServer, uri: string): void => {
    // The SDK has acknowledged it already; what may not be read has no changes to tell.
    add(server, uri).catch(() => undefined);
  };
  const stop = listenOnStdin((uris) => {
    for (const uri of uris) {
      named.add(uri);
      for (const server of attached) addQuietly(server, uri);
    }
  });
  return {
    add,
    remove: (server, uri) => {
      const entry = watched.get(uri);
      if (entry === undefined || !entry.servers.delete(server) || entry.servers.size > 0) return;
      clearTimeout(entry.timer);
      watched.delete(uri);
      void entry.watcher.close();
    },
    attach: (server) => {
      attached.add(server);
      for (const uri of named) addQuietly(server, uri);
    },
    close: async () => {
      stop();
      for (const { timer } of watched.values()) clearTimeout(timer);
      await Promise.all([...watched.values()].map(({ watcher }) => watcher.close()));
    },
  };
}

/** Hears the URIs of every `subscriptions/listen`. Attached when the transport is: a listener alone would let the stream flow away. */
function listenOnStdin(heard: (uris: readonly string[]) => void): () => void {
  let line: Buffer[] = [];
  let length = 0;
  const end = (): void => {
    const text = length <= MAX_LINE ? Buffer.concat(line).toString('utf8') : '';
    line = [];
    length = 0;
    if (text.includes('subscriptions/listen')) heard(urisOf(text));
  };
  const onData = (chunk: Buffer): void => {
    for (let from = 0; ; ) {
      const newline = chunk.indexOf(10, from);
      const piece = chunk.subarray(from, newline < 0 ? chunk.length : newline);
      length += piece.length;
      // A long message is a call with content, never a subscription: it is not kept.
      if (length <= MAX_LINE) line.push(piece);
      if (newline < 0) return;
      end();
      from = newline + 1;
    }
  };
  const onListener = (event: string | symbol, listener: unknown): void => {
    if (event !== 'data' || listener === onData) return;
    process.stdin.removeListener('newListener', onListener);
    process.nextTick(() => process.stdin.on('data', onData));
  };
  process.stdin.on('newListener', onListener);
  return () => {
    process.stdin.removeListener('newListener', onListener);
    process.stdin.removeListener('data', onData);
  };
}

function urisOf(text: string): readonly string[] {
  try {
    const message = JSON.parse(text) as { method?: unknown; params?: { notifications?: { resourceSubscriptions?: unknown } } };
    const uris = message.method === 'subscriptions/listen' ? message.params?.notifications?.resourceSubscriptions : undefined;
    return Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : [];
  } catch {
    // The SDK answers what is not JSON.
    return [];
  }
}
