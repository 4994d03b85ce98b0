/** Exposed names: `alias__name`, at most 46 characters of `[A-Za-z0-9_-]` (VS Code leaves 46, other clients more). */
import { createHash } from 'node:crypto';

/** Longest exposed name. */
export const NAME_LIMIT = 46;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
const HASH_LENGTH = 6;

/**
 * The name a tool or prompt is exposed under. When anything had to be changed or cut, a hash of the full identity is
 * appended, so names never collide and do not depend on order.
 */
export function exposedName(alias: string, name: string): string {
  const plain = `${alias}__${name}`;
  const clean = plain.replace(/[^A-Za-z0-9_-]/g, '_');
  if (clean === plain && clean.length <= NAME_LIMIT) return plain;
  return `${clean.slice(0, NAME_LIMIT - HASH_LENGTH - 1)}_${shortHash(`${alias}\n${name}`)}`;
}

/** The URI a resource gets when two servers have the same one: the only form that survived VS Code's rewriting. */
export function exposedUri(alias: string, uri: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*/i.exec(uri)?.[0] ?? 'resource';
  return `${scheme}://${alias}/r/${Buffer.from(uri, 'utf8').toString('base64url')}`;
}

function shortHash(text: string): string {
  const bytes = createHash('sha256').update(text).digest();
  let hash = '';
  for (const byte of bytes.subarray(0, HASH_LENGTH)) hash += BASE32.charAt(byte & 31);
  return hash;
}
