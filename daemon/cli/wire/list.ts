/** `signalbox wire --list`: which clients are here, which are wired, and which are connected at this moment. */

import { ERROR_CODES, SignalboxError } from '../../api/errors.ts';
import type { SessionInfo } from '../../api/sessions.ts';
import { WIRABLE_CLIENTS } from '../../wiring/clients.ts';
import { type ClientStatus, clientStatus } from '../../wiring/status.ts';
import type { WiringEnvironment } from '../../wiring/wiring.ts';
import type { CommandContext } from '../command.ts';
import { table } from '../table.ts';

/** A client with its sessions of this moment. */
interface ListedClient extends ClientStatus {
  /** Open sessions; `undefined` when no daemon runs. */
  readonly sessions?: number;
}

/** Prints the list. */
export async function listClients(context: CommandContext, environment: WiringEnvironment): Promise<number> {
  const sessions = await openSessions(context);
  const clients = WIRABLE_CLIENTS.map((client): ListedClient => {
    const status = clientStatus(client, environment);
    return sessions === undefined ? status : { ...status, sessions: sessions.filter((session) => session.client === client.name).length };
  });
  context.result({ clients }, () => table(clients.map(row)));
  return 0;
}

async function openSessions(context: CommandContext): Promise<readonly SessionInfo[] | undefined> {
  try {
    const client = await context.connect();
    const { sessions } = await client.call('sessions/list', {});
    return sessions.filter(({ endedAt }) => endedAt === undefined);
  } catch (error) {
    if (error instanceof SignalboxError && ERROR_CODES[error.code] === 3) return undefined;
    throw error;
  }
}

function row({ name, installed, scopes, sessions = 0 }: ListedClient): string[] {
  const wired = scopes.filter((scope) => scope.wired).map(({ scope }) => scope);
  const broken = scopes.find(({ problem }) => problem !== undefined)?.problem;
  return [
    name,
    installed ? 'installed' : 'not found',
    broken === undefined ? (wired.length === 0 ? 'not wired' : `wired (${wired.join(', ')})`) : `${broken.code}: ${broken.message}`,
    sessions === 0 ? '' : `connected (${sessions} ${sessions === 1 ? 'session' : 'sessions'})`,
  ];
}
