/** What a client may show to a protected server, right and wrong. */
import type { Tokens } from '../../api/conformance.ts';
import type { Answer } from '../engine/exchange.ts';
import type { Trial } from '../engine/property.ts';
import type { Session } from '../engine/session.ts';
import type { Subject } from '../engine/subject.ts';
import { withToken } from '../tokens.ts';

/** The tokens of a subject that has some. */
export const tokensOf = ({ target }: Subject): Tokens | undefined => (target.kind === 'http' ? target.tokens : undefined);

/** Skips a run without tokens. */
export const unprotected = (subject: Subject): string | undefined =>
  tokensOf(subject) === undefined ? 'no token was given (--token): whether the server is protected is not known' : undefined;
/** Skips a run that lacks a token of this kind. */
export const without =
  (kind: keyof Tokens, flag: string) =>
  (subject: Subject): string | undefined =>
    unprotected(subject) ?? (tokensOf(subject)?.[kind] === undefined ? `no such token was given (--${flag})` : undefined);

/** What stands in the Authorization header. */
export type Credential = 'none' | 'empty' | 'basic' | 'garbage' | 'tampered' | 'unsigned' | 'expired' | 'otherAudience';

/** The header of a credential; undefined for none. */
export function authorizationOf(credential: Credential, tokens: Tokens): string | undefined {
  switch (credential) {
    case 'none':
      return undefined;
    case 'empty':
      return 'Bearer ';
    case 'basic':
      return `Basic ${Buffer.from('user:password').toString('base64')}`;
    case 'garbage':
      return 'Bearer not-a-token';
    case 'tampered':
      return `Bearer ${tampered(tokens.valid)}`;
    case 'unsigned':
      return `Bearer ${unsigned(tokens.valid) ?? 'e30.e30.'}`;
    default:
      return `Bearer ${tokens[credential] ?? ''}`;
  }
}

/** The token with a character in the middle of its end changed: the last one of base64 may say nothing. */
function tampered(token: string): string {
  const at = Math.max(0, token.length - 8);
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}

/** A JWT with `alg: none` and the claims of the valid one (RFC 8725, section 3.1); undefined when that is no JWT. */
export function unsigned(token: string): string | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  return `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${parts[1]}.`;
}

/** A connection to the same server with other headers, before any handshake. */
export function openWith({ subject, open }: Trial, authorization: string | undefined, url?: string): Promise<Session> {
  const { target } = subject;
  if (target.kind !== 'http') throw new Error('only HTTP servers have tokens');
  const { tokens: _tokens, headers = {}, ...rest } = target;
  const others = withToken(headers, undefined);
  return open({
    raw: true,
    target: {
      ...rest,
      url: url ?? rest.url,
      headers: { ...others, ...(authorization === undefined ? {} : { Authorization: authorization }) },
    },
  });
}

/** The first request of a client in this era. */
export const hello = (session: Session): Promise<Answer> =>
  session.era === 'modern' ? session.request('server/discover', undefined, { provoked: true }) : session.initialize({}, { provoked: true });
