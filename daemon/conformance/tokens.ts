/** The tokens of a protected server under test. */
import type { Target, Tokens } from '../api/conformance.ts';

/** The target with its valid token in every request (RFC 6750, section 2.1). Another `Authorization` header gives way to it. */
export function authorized(target: Target): Target {
  if (target.kind !== 'http' || target.tokens === undefined) return target;
  return { ...target, headers: withToken(target.headers ?? {}, target.tokens.valid) };
}

/** Headers with a bearer token instead of whatever authorizes them; without one for `undefined`. */
export function withToken(headers: Readonly<Record<string, string>>, token: string | undefined): Record<string, string> {
  const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization');
  return { ...Object.fromEntries(others), ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) };
}

/** The target with these tokens; the one of its `Authorization` header is the valid one where none is named. */
export function withTokens(target: Target, tokens: Partial<Tokens>): Target {
  if (target.kind !== 'http') return target;
  const header = Object.entries(target.headers ?? {}).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  const valid = tokens.valid ?? /^Bearer +(.+)$/i.exec(header ?? '')?.[1];
  return valid === undefined ? target : { ...target, tokens: { ...tokens, valid } };
}

/** Headers whose values are credentials. */
const CREDENTIAL = /authorization|cookie|token|secret|key|credential/i;
/** Characters below which a value is no secret worth hiding: hiding it would hide half of a trace. */
const SHORTEST = 6;

/** Takes the credentials of a target out of every text of a value: a server may repeat them, and a property sends them in places of its own. */
export function scrubber(target: Target): <T>(value: T) => T {
  if (target.kind !== 'http') return (value) => value;
  const headers = Object.entries(target.headers ?? {}).flatMap(([name, value]) =>
    CREDENTIAL.test(name) ? [value, value.replace(/^\S+ +/, '')] : [],
  );
  const secrets = [...new Set([...headers, ...Object.values(target.tokens ?? {})])]
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .filter((secret) => secret.length >= SHORTEST)
    .sort((one, other) => other.length - one.length);
  if (secrets.length === 0) return (value) => value;
  const clean = (value: unknown): unknown =>
    typeof value === 'string'
      ? secrets.reduce((text, secret) => text.replaceAll(secret, '(hidden)'), value)
      : Array.isArray(value)
        ? value.map(clean)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, clean(item)]))
          : value;
  return <T>(value: T): T => clean(value) as T;
}
