/** The name of this daemon among others: what hops and `Via` carry, so that a federation that leads back is seen. */
import { randomBytes } from 'node:crypto';
import type { StateStore } from '../api/state.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const LENGTH = 12;

/** The daemon's id: 12 random base32 characters, made once and kept in `keys` as `daemon-id`. */
export function daemonId(state: StateStore): string {
  const known = state.get<unknown>('keys', 'daemon-id');
  if (typeof known === 'string' && /^[a-z2-7]{12}$/.test(known)) return known;
  const id = Array.from(randomBytes(LENGTH), (byte) => ALPHABET[byte & 31]).join('');
  state.set('keys', 'daemon-id', id);
  return id;
}
