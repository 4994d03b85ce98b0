/** The `Via` header of nested daemons (RFC 9110, section 7.6.3): where a request has been already. */
import type { SignalboxError } from '../api/errors.ts';
import { hopFault } from '../protocol/hops.ts';

/** Why a request that came this way must not go on: it was here before, or came through too many daemons. The path is in the error. */
export function viaFault(via: string | undefined, own: string): SignalboxError | undefined {
  if (via === undefined) return undefined;
  const hops = [...via.matchAll(/(?:^|[\s,])signalbox-([a-z2-7]{12})(?=$|[\s,(])/g)].map(([, id]) => id ?? '');
  return hopFault(hops, own);
}
