/** Which events a filter takes. */
import type { TapEvent, TapFilter } from '../../api/sessions.ts';
import type { Home, SessionHome } from './home.ts';

/** Whether an event that is kept at `home` is wanted. */
export type Matcher = (event: TapEvent, home: Home) => boolean;

/**
 * Reads a filter. By session, client or endpoint it takes what passed at the client's edge, what the calls caused at servers, and what is
 * no frame (a line of standard error, a fault, an end) of the servers those calls went to.
 * @param sessions every session there is, for the events of servers
 */
export function matcher(filter: TapFilter, sessions: () => Iterable<SessionHome>): Matcher {
  const { session, client, endpoint, workspace, server } = filter;
  const bySession = session !== undefined || client !== undefined || endpoint !== undefined;
  return (event, home) => {
    if (workspace !== undefined && home.workspace !== workspace) return false;
    if (server !== undefined && serverOf(event) !== server) return false;
    if (!bySession) return true;
    if (home.kind === 'session') return home.fits(filter);
    if (event.kind === 'frame') return false;
    for (const candidate of sessions()) if (candidate.servers.has(home.key) && candidate.fits(filter)) return true;
    return false;
  };
}

function serverOf(event: TapEvent): string | undefined {
  return event.kind === 'stderr' ? event.server : event.connection.server;
}
