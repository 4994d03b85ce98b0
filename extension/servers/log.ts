/** What a server writes to standard error from now on, in its channel. */
import type { ControlClient } from '../../daemon/api/control-client.ts';
import type { SessionEvents } from '../../daemon/api/sessions.ts';
import type { DaemonConnection } from '../daemon/connection.ts';
import type { Log } from '../log.ts';

/** Servers that are followed, by the connection they are followed on: a second look at the same log follows nothing twice. */
const followed = new WeakMap<ControlClient, Set<string>>();

/** Follows one server until the connection to the daemon ends. */
export async function followLog(daemon: DaemonConnection, log: Log, ref: { name: string; workspace?: string }): Promise<void> {
  const client = await daemon.start();
  const key = JSON.stringify([ref.workspace, ref.name]);
  const here = followed.get(client) ?? new Set();
  followed.set(client, here);
  if (here.has(key)) return;
  here.add(key);
  let name: string | undefined;
  const early: SessionEvents['traffic'][] = [];
  const take = ({ rows }: SessionEvents['traffic']): void => {
    for (const { kind, text, server, workspace } of rows)
      if (kind === 'stderr' && server === ref.name && workspace === ref.workspace && text !== undefined) log.serverLine(ref.name, text);
    const last = rows.at(-1);
    if (last !== undefined && name !== undefined) void client.call('sessions/ack', { tail: name, seq: last.seq }).catch(() => undefined);
  };
  client.onEvent((event, params) => {
    if (event !== 'traffic') return;
    const traffic = params as SessionEvents['traffic'];
    if (name === undefined) early.push(traffic);
    else if (traffic.tail === name) take(traffic);
  });
  const { tail } = await client.call('sessions/tail', {
    server: ref.name,
    edge: 'server',
    ...(ref.workspace === undefined ? {} : { workspace: ref.workspace }),
  });
  name = tail;
  for (const traffic of early) if (traffic.tail === tail) take(traffic);
}
