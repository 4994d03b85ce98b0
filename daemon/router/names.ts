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
  return clean === plain && clean.length <= NAME_LIMIT ? plain : hashedName(clean, `${alias}\n${name}`);
}

/** A name cut to make room for a hash of what it stands for. */
export function hashedName(name: string, identity: string): string {
  return `${name.slice(0, NAME_LIMIT - HASH_LENGTH - 1)}_${shortHash(identity)}`;
}

/** The URI a resource gets when two servers have the same one: the only form that survived VS Code's rewriting. */
export function exposedUri(alias: string, uri: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*/i.exec(uri)?.[0] ?? 'resource';
  return `${scheme}://${alias}/r/${Buffer.from(uri, 'utf8').toString('base64url')}`;
}

/** What {@link exposedUri} was made from; undefined when the URI is none of its kind. */
export function originalUri(exposed: string): { readonly alias: string; readonly uri: string } | undefined {
  const [, alias, encoded] = /^[a-z][a-z0-9+.-]*:\/\/([a-z][a-z0-9-]{0,11})\/r\/([A-Za-z0-9_-]+)$/i.exec(exposed) ?? [];
  if (alias === undefined || encoded === undefined) return undefined;
  const uri = Buffer.from(encoded, 'base64url').toString('utf8');
  return exposedUri(alias, uri) === exposed ? { alias, uri } : undefined;
}

function shortHash(text: string): string {
  const bytes = createHash('sha256').update(text).digest();
  let hash = '';
  for (const byte of bytes.subarray(0, HASH_LENGTH)) hash += BASE32.charAt(byte & 31);
  return hash;
}
