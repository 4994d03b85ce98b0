/** Limits of one client at one endpoint (`clients.NAME.limits`): however many sessions and transports it comes by, they share them. */
import type { ResolvedEndpoint, ServerLimits } from '../api/config.ts';
import { Limiter } from '../upstreams/limiter.ts';
import type { ClientCall } from './call.ts';

/** Requests that make a server work. Lists and the handshake are answered from what is known and cost nobody anything. */
const WORK: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read', 'completion/complete']);

interface Limited {
  readonly limits: ServerLimits;
  readonly limiter: Limiter;
}

/** Lets calls of limited clients in, one limiter for each client and endpoint. */
export class ClientLimits {
  readonly #limited = new Map<string, Limited>();

  /**
   * What waits for the client's turn; undefined where it has no limits or the request is no work. The function it gives says that the call
   * is over at the server: a parked call takes part of the client's limits as long as it is open there.
   * @throws (the returned function) SBX_BUSY, SBX_RATE_LIMITED, the signal's reason; see {@link Limiter.acquire}
   */
  admission({ clients, path }: ResolvedEndpoint, { request, caller }: ClientCall): ClientCall['admit'] {
    if (clients === undefined || !WORK.has(request.method) || !Object.hasOwn(clients, caller.client)) return undefined;
    const limits = clients[caller.client]?.limits;
    if (limits === undefined) return undefined;
    // Turns go round between sessions; without one, the client is one.
    const limiter = this.#of(`${caller.client} ${path}`, caller.client, limits);
    return (signal) => limiter.acquire(caller.session?.id ?? caller.principal, signal);
  }

  #of(key: string, client: string, limits: ServerLimits): Limiter {
    const known = this.#limited.get(key);
    if (known !== undefined && (known.limits === limits || JSON.stringify(known.limits) === JSON.stringify(limits))) return known.limiter;
    // Other limits: what waits in the old queue goes on there, what comes is counted anew.
    const limiter = new Limiter(limits, `Client "${client}"`);
    this.#limited.set(key, { limits, limiter });
    return limiter;
  }
}
