/** The remembered port: only an address, never a lock (ARCHITECTURE section 2). */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { type ErrorShape, SignalboxError } from '../api/errors.ts';
import type { Paths } from '../api/paths.ts';
import { writePrivateFile } from './private-file.ts';

/** Below the ephemeral ranges, so that no outgoing connection of another program sits on it after a restart. */
export const FIRST_PORT = 10_000;
/** Last port of the range, inclusive. */
export const LAST_PORT = 32_767;

const TRIES = 32;

/** What `listenLoopback` may take. */
export interface PortWishes {
  /** Port of the last run. */
  readonly remembered?: number | undefined;
  /** Port named in the configuration; wins over the remembered one. */
  readonly configured?: number | undefined;
  /** How a new port is chosen; a test can make it certain. */
  readonly choose?: () => number;
}
/** Where the listener ended up. */
export interface Listening {
  readonly port: number;
  /** `SBX_PORT_TAKEN`, when the wished port belongs to a stranger: wired clients that hold a URL must be wired again. */
  readonly note?: ErrorShape;
}

/** The port of the last run, or `undefined`. */
export function rememberedPort(paths: Pick<Paths, 'settingsFile'>): number | undefined {
  const port = readSettings(paths.settingsFile)['port'];
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

/** Remembers the port for the next run; other settings in the file stay. */
export function rememberPort(paths: Pick<Paths, 'settingsFile'>, port: number): void {
  const settings = readSettings(paths.settingsFile);
  if (settings['port'] === port) return;
  writePrivateFile(paths.settingsFile, `${JSON.stringify({ ...settings, port }, null, 2)}\n`);
}

/**
 * Binds the server to 127.0.0.1: the configured port, else the remembered one, else a free one of {@link FIRST_PORT}–{@link LAST_PORT}.
 * Call it only as the owner: then whoever has the wished port is a stranger.
 *
 * @throws SignalboxError `SBX_NO_PORT` when none of 32 random ports is free
 */
export async function listenLoopback(server: Server, { remembered, configured, choose = randomPort }: PortWishes): Promise<Listening> {
  const wishes = [...new Set([configured, remembered])].filter((port) => port !== undefined);
  for (const port of wishes) {
    if (await bind(server, port)) return port === wishes[0] ? { port } : { port, note: portTaken(wishes[0], port) };
  }
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const port = choose();
    if (await bind(server, port)) return wishes.length === 0 ? { port } : { port, note: portTaken(wishes[0], port) };
  }
  throw new SignalboxError('SBX_NO_PORT', 'No free port was found on 127.0.0.1.', {
    why: `${TRIES} random ports between ${FIRST_PORT} and ${LAST_PORT} were all taken or forbidden.`,
    fix: 'Set "daemon": { "port": N } in config.jsonc to a port you know is free.',
  });
}

/**
 * {@link listenLoopback} with the memory of `<state>/daemon.json`: listens where the last run did and remembers where it listens now.
 * A configured port is not remembered: it is in the configuration.
 */
export async function listenRemembered(server: Server, paths: Pick<Paths, 'settingsFile'>, configured?: number): Promise<Listening> {
  const listening = await listenLoopback(server, { remembered: rememberedPort(paths), configured });
  if (listening.port !== configured) rememberPort(paths, listening.port);
  return listening;
}

function randomPort(): number {
  return randomInt(FIRST_PORT, LAST_PORT + 1);
}

/** Whether the port could be bound; anything but "taken" and "forbidden" is thrown. */
function bind(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      server.off('error', failed).off('listening', listening);
      act();
    };
    const failed = (error: NodeJS.ErrnoException): void =>
      // EACCES: Windows reserves whole ranges for Hyper-V
      settle(() => (error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(false) : reject(error)));
    const listening = (): void => settle(() => resolve(true));
    server.once('error', failed).once('listening', listening);
    server.listen({ port, host: '127.0.0.1', exclusive: true });
  });
}

function readSettings(file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    // missing or damaged: nothing is remembered, which costs one new port
    return {};
  }
}

function portTaken(wished: number | undefined, port: number): ErrorShape {
  return {
    code: 'SBX_PORT_TAKEN',
    message: `Port ${wished} is taken by another program; Signalbox listens on port ${port} instead.`,
    cause: `Something that is not Signalbox was listening on 127.0.0.1:${wished} when the daemon started.`,
    fix: 'Clients wired through the launcher need nothing. A client that holds the URL must be wired again; or end the other program and run `signalbox restart`.',
  };
}
