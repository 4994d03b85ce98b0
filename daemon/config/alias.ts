import { createHash } from 'node:crypto';

const ALIAS = /^[a-z][a-z0-9-]{0,11}$/;
const LONGEST = 12;

/** Whether a name can be an alias as it is: `[a-z][a-z0-9-]{0,11}`. */
export function isAlias(name: string): boolean {
  return ALIAS.test(name);
}

/**
 * The alias of a server (ARCHITECTURE section 5). A name that is an alias keeps it. Any other is lower-cased, runs of other characters
 * become one dash, dashes and digits before the first letter and dashes at the end go away. When that loses characters (longer than 12, nothing left,
 * digits dropped) or the result is taken, it is cut to 7 and gets a dash and four characters of the hash of the name: the same name
 * gives the same alias whatever stands around it.
 *
 * @param name key of the server in the configuration; any string
 * @param taken aliases already given in the same endpoint
 * @returns a valid alias that is not in `taken`
 */
export function aliasOf(name: string, taken: ReadonlySet<string>): string {
  if (isAlias(name) && !taken.has(name)) return name;
  const slug = slugOf(name);
  const base = slug.replace(/^[0-9-]+/, '');
  if (base === slug && isAlias(base) && !taken.has(base)) return base;
  const stem = (base === '' ? 's' : base).slice(0, LONGEST - 5).replace(/-+$/, '');
  for (let round = 0; ; round++) {
    const alias = `${stem}-${shortHash(round === 0 ? name : `${name}\0${round}`, 4)}`;
    if (!taken.has(alias)) return alias;
  }
}

/** Lower case, runs of anything but letters and digits of ASCII as one dash, none at the ends. May be empty. */
export function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

/** The first `length` characters of the SHA-256 of a text in base 32 (a–z, 2–7). */
export function shortHash(text: string, length: number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const bytes = createHash('sha256').update(text).digest();
  let out = '';
  for (const byte of bytes.subarray(0, length)) out += alphabet.charAt(byte & 31);
  return out;
}
