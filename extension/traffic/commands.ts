/** Commands about traffic; spread into the table of `extension/commands.ts`. */
import type { SessionInfo } from '../../daemon/api/sessions.ts';
import { formatTrafficQuery } from '../../daemon/api/traffic-query.ts';
import type { TrafficTabs } from './tabs.ts';

/** What the table of commands hands over. */
interface CommandContext {
  readonly sessions: { readonly tabs: TrafficTabs };
}

/** Every command; the names are those of `contributes.commands`. `from`: a query, a row of the Sessions view, or nothing. */
export const TRAFFIC_COMMANDS: Readonly<Record<string, (context: CommandContext, from: unknown) => Promise<unknown>>> = {
  'signalbox.showTraffic': ({ sessions }, from) => sessions.tabs.live(queryOf(from)),
};

function queryOf(from: unknown): string | undefined {
  if (typeof from === 'string') return from;
  return isSession(from) ? formatTrafficQuery({ session: from.id }) : serverQuery(from);
}

/** A row of the Servers view: what that server is asked and answers. */
function serverQuery(from: unknown): string | undefined {
  const server =
    typeof from === 'object' && from !== null && 'server' in from ? (from.server as { name?: unknown } | undefined)?.name : undefined;
  return typeof server === 'string' ? formatTrafficQuery({ server }) : undefined;
}

function isSession(from: unknown): from is SessionInfo {
  return typeof from === 'object' && from !== null && 'calls' in from && 'transport' in from && 'id' in from;
}
