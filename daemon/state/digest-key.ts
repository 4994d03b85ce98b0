/** The key of servers' digests: a digest may reach a log, and a short secret in an entry must not be guessed from it. */
import { randomBytes } from 'node:crypto';
import type { StateStore } from '../api/state.ts';

/** 32 bytes, made once and kept in `keys` as `digest`: an unchanged server has the same digest after a restart, and with it what was learnt of it. */
export function digestKey(state: StateStore): Uint8Array {
  const known = state.get<unknown>('keys', 'digest');
  const key = typeof known === 'string' ? Buffer.from(known, 'base64') : undefined;
  if (key?.length === 32) return key;
  const made = randomBytes(32);
  state.set('keys', 'digest', made.toString('base64'));
  return made;
}
