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
