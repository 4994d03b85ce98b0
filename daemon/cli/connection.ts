/** From the command line to the running daemon: find it, have it prove itself, open its control channel. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { CONTROL_PROTOCOL } from '../api/control.ts';
import { ControlClient } from '../api/control-client.ts';
import { SignalboxError } from '../api/errors.ts';
import type { Paths } from '../api/paths.ts';
import type { RuntimeFile } from '../api/runtime.ts';
import { installation } from '../lifecycle/installation.ts';
import { locate } from '../lifecycle/locate.ts';
import { type DaemonEntry, ensureDaemon } from '../lifecycle/start.ts';

/**
 * The runtime file of the daemon that runs and has proved itself.
 * @throws SBX_DAEMON_UNREACHABLE none runs, SBX_RUNTIME_STALE the last one died, SBX_IDENTITY a stranger has its port
 */
export async function runningDaemon(paths: Paths): Promise<RuntimeFile> {
  const location = await locate(paths);
  switch (location.state) {
    case 'running':
      return location.runtime;
    case 'none':
      throw new SignalboxError('SBX_DAEMON_UNREACHABLE', 'The daemon does not run.', {
        why: `There is no runtime file at ${paths.runtimeFile}.`,
        fix: 'Start it with `signalbox up`.',
      });
    case 'stale':
      throw new SignalboxError('SBX_RUNTIME_STALE', 'The daemon does not run any more.', {
        why: `Its runtime file names process ${location.runtime.pid} and port ${location.runtime.port}, where nothing listens: it was killed.`,
        fix: 'Start it again with `signalbox up`; it cleans up what the last one left.',
      });
    case 'stranger':
      throw new SignalboxError('SBX_IDENTITY', `What listens on port ${location.runtime.port} is not your daemon, or hangs.`, {
        why: 'It did not prove that it knows the control token of the runtime file, so nothing was sent to it.',
        fix: 'Run `signalbox doctor`. `signalbox up` starts a daemon on another port.',
      });
  }
}

/**
 * Opens the control channel of a proven daemon and says hello.
 * @throws SBX_DAEMON_UNREACHABLE it went away meanwhile, SBX_DAEMON_VERSION no common protocol
 */
export async function openControl(runtime: RuntimeFile): Promise<ControlClient> {
  return openSpeaking(runtime, CONTROL_PROTOCOL);
}

/** As {@link openControl} in whatever the daemon speaks: only to ask it to stop, which every version understands. */
export async function openToStop(runtime: RuntimeFile): Promise<ControlClient> {
  return openSpeaking(runtime, isTooOld(runtime) ? runtime.protocol : CONTROL_PROTOCOL);
}

/** A daemon that speaks no version of the control protocol this build does, because it is older. A newer one is never replaced. */
export function isTooOld({ protocol }: RuntimeFile): boolean {
  return protocol[1] < CONTROL_PROTOCOL[0];
}

async function openSpeaking(runtime: RuntimeFile, protocol: RuntimeFile['protocol']): Promise<ControlClient> {
  const socket = new WebSocket(`ws://127.0.0.1:${runtime.port}/control`, {
    headers: { authorization: `Bearer ${runtime.controlToken}` },
    perMessageDeflate: false,
    maxPayload: 0,
  });
  const client = new ControlClient({
    send: (text) => socket.send(text),
    close: () => socket.close(),
    onText: (listener) => socket.on('message', (data) => listener(String(data))),
    onClose: (listener) => socket.on('close', listener),
  });
  try {
    await once(socket, 'open');
  } catch (cause) {
    throw new SignalboxError('SBX_DAEMON_UNREACHABLE', 'The daemon did not open its control channel.', {
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'Run the command again; if it stays, `signalbox restart`.',
      cause,
    });
  }
  // a lost connection shows as the rejection of whatever was pending
  socket.on('error', () => undefined);
  const { version } = installation();
  await client.call('hello', { protocol, client: { name: 'signalbox', version, kind: 'cli' } });
  return client;
}

/** How this installation runs its daemon, for exactly these paths. */
export function daemonEntry(paths: Paths, configFile?: string): DaemonEntry {
  return {
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      installation().cliEntry,
      'up',
      '--foreground',
      ...(configFile === undefined ? [] : ['--config', configFile]),
    ],
    env: { SIGNALBOX_STATE_DIR: paths.stateDir, SIGNALBOX_CONFIG_DIR: paths.configDir },
  };
}

/** Attaches to the running daemon or starts it in the background. */
export function startedDaemon(paths: Paths, configFile?: string): Promise<{ runtime: RuntimeFile; started: boolean }> {
  return ensureDaemon({ paths, entry: daemonEntry(paths, configFile) });
}
