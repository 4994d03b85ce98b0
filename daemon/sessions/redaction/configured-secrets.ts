/** Secrets that stand in the configuration itself: keys in `env`, `headers`, `settings`, passwords in URLs. */
import { isSecretName } from './keys.ts';

/** Shorter values are words: taking out every "test" would destroy the text and hide nothing. */
const SHORTEST = 8;
const SCHEME = /^(?:Bearer|Basic|Token|Digest|DPoP)\s+/i;

/** What an entry (after substitution) has under names of secrets, without the scheme of an authorization. */
export function configuredSecrets(entry: unknown): readonly string[] {
  const found = new Set<string>();
  collect(entry, false, found);
  return [...found];
}

function collect(value: unknown, secret: boolean, found: Set<string>): void {
  if (typeof value === 'string') {
    const bare = value.replace(SCHEME, '');
    if (secret && bare.length >= SHORTEST && !bare.startsWith('${')) found.add(bare);
    const password = passwordOf(value);
    if (password !== undefined && password.length >= 4) found.add(password);
  } else if (Array.isArray(value)) for (const item of value) collect(item, secret, found);
  else if (typeof value === 'object' && value !== null)
    for (const [name, item] of Object.entries(value)) collect(item, isSecretName(name), found);
}

function passwordOf(text: string): string | undefined {
  const [, password] = /^[a-z][a-z0-9+.-]*:\/\/[^\s:/?#@]*:([^\s/@]+)@/i.exec(text) ?? [];
  return password;
}
