/** Opens the control channel of a daemon whose identity is already proved. */
import { WebSocket } from 'ws';
import { CONTROL_PROTOCOL } from '../../daemon/api/control.ts';
import { ControlClient, type TextSocket } from '../../daemon/api/control-client.ts';
import { SignalboxError } from '../../daemon/api/errors.ts';
import type { RuntimeFile } from '../../daemon/api/runtime.ts';

/**
 * Connects to `/control` with the control token and says hello.
 *
 * @param runtime the runtime file {@link locateDaemon} proved
 * @param version version of the extension, for the daemon's log
 * @throws SignalboxError `SBX_DAEMON_UNREACHABLE` when the socket cannot be opened, or what the daemon answers to hello
 */
export async function connectControl(runtime: RuntimeFile, version: string): Promise<ControlClient> {
  const socket = new WebSocket(`ws://127.0.0.1:${runtime.port}/control`, {
    headers: { Authorization: `Bearer ${runtime.controlToken}` },
    maxPayload: 0, // the daemon is ours and a tool's result may be as large as `limits.messageBytes`
    perMessageDeflate: false,
  });
  const client = new ControlClient(textSocket(socket));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', (cause) => reject(unreachable(cause)));
  });
  socket.on('error', () => undefined); // `close` follows and ends the client
  try {
    await client.call('hello', { protocol: CONTROL_PROTOCOL, client: { name: 'vscode', version, kind: 'extension' } });
  } catch (error) {
    client.close();
    throw error;
  }
  return client;
}

function textSocket(socket: WebSocket): TextSocket {
  return {
    send: (text) => socket.send(text),
    close: () => socket.close(),
    onText: (listener) => socket.on('message', (data) => listener(data.toString())),
    onClose: (listener) => socket.on('close', listener),
  };
}

function unreachable(cause: Error): SignalboxError {
  return new SignalboxError('SBX_DAEMON_UNREACHABLE', 'The control channel of the daemon could not be opened.', {
    why: cause.message,
    fix: 'Run "Signalbox: Restart Daemon".',
    cause,
  });
}
