/** What is answered although nobody recorded it: what a replayed server says of itself, and what asks for nothing but to be heard. */
import { type Era, modernResult } from '../../protocol/eras.ts';
import type { Outcome } from '../../protocol/message.ts';
import { discoverResult } from './handshake.ts';
import { madeList } from './lists.ts';
import type { Rehearsal } from './rehearsal.ts';

const COURTESIES: ReadonlySet<string> = new Set(['ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe']);

/** The answer to a request that was not recorded; undefined when only the recording could have known it. */
export function courtesy(rehearsal: Rehearsal, method: string, era: Era): Outcome | undefined {
  const { face, script } = rehearsal;
  if (method === 'server/discover') return { result: discoverResult(face) };
  const result = COURTESIES.has(method) ? {} : rehearsal.listed(method) ? undefined : madeList(method, script.known);
  if (result === undefined) return undefined;
  return { result: era === 'modern' ? modernResult(result, method, face.serverInfo) : result };
}
