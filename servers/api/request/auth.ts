/** Credentials of the settings: where they go, and OAuth 2 tokens that are fetched and renewed. */
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Guard } from '../guard/exchange.ts';
import { strictUrl } from '../guard/target.ts';
import type { Secrets } from './secrets.ts';

/** `auth` of the settings. */
export type AuthSettings =
  | { readonly type: 'apiKey'; readonly in: 'header' | 'query' | 'cookie'; readonly name: string; readonly value: string }
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | { readonly type: 'bearer'; readonly token: string }
  | {
      readonly type: 'oauth2';
      readonly tokenUrl: string;
      readonly clientId: string;
      readonly clientSecret?: string;
      readonly refreshToken?: string;
      readonly scopes?: readonly string[];
      readonly audience?: string;
      /** How the client names itself; default `basic` (RFC 6749, section 2.3.1). */
      readonly clientAuth?: 'basic' | 'body';
    };

/** What one request carries. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [string, string])[];
}
/** Gives the credentials of a request. */
export interface Authenticator {
  /** What it sends, so that no argument may: `query:key`, `header:x-key`, `cookie:session`, lower case. */
  readonly reserved: readonly string[];
  credentials(signal: AbortSignal): Promise<Credentials>;
  /** After a 401: whether new credentials are to be had, so that one more try makes sense. */
  renew(): boolean;
}

/** Seconds a token is not used any more before it ends: the request takes time, and clocks differ. */
const MARGIN_S = 30;

/** Everything secret in the settings of auth. */
export function secretsOf(auth: AuthSettings | undefined): readonly string[] {
  if (auth === undefined) return [];
  switch (auth.type) {
    case 'apiKey':
      return [auth.value];
    case 'bearer':
      return [auth.token];
    case 'basic':
      return [auth.password, basic(auth.username, auth.password)];
    case 'oauth2': {
      const secret = auth.clientSecret;
      return [
        ...(secret === undefined ? [] : [secret, basic(encodeURIComponent(auth.clientId), encodeURIComponent(secret))]),
        ...(auth.refreshToken === undefined ? [] : [auth.refreshToken]),
      ];
    }
  }
}

/**
 * Makes the authenticator.
 * @param guard used for OAuth 2 alone; its origins hold that of the token URL
 */
export function authenticator(auth: AuthSettings | undefined, guard: Guard | undefined, secrets: Secrets): Authenticator {
  if (auth === undefined) return fixed([], { headers: {}, query: [] });
  switch (auth.type) {
    case 'apiKey':
      if (auth.in === 'query') return fixed([`query:${auth.name.toLowerCase()}`], { headers: {}, query: [[auth.name, auth.value]] });
      if (auth.in === 'cookie')
        return fixed([`cookie:${auth.name.toLowerCase()}`], { headers: { cookie: `${auth.name}=${auth.value}` }, query: [] });
      return fixed([`header:${auth.name.toLowerCase()}`], { headers: { [auth.name.toLowerCase()]: auth.value }, query: [] });
    case 'basic':
      return fixed(['header:authorization'], { headers: { authorization: `Basic ${basic(auth.username, auth.password)}` }, query: [] });
    case 'bearer':
      return fixed(['header:authorization'], { headers: { authorization: `Bearer ${auth.token}` }, query: [] });
    case 'oauth2': {
      if (guard === undefined) throw new TypeError('OAuth 2 needs a guard');
      return oauth(auth, guard, secrets);
    }
  }
}

function fixed(reserved: readonly string[], credentials: Credentials): Authenticator {
  return { reserved, credentials: () => Promise.resolve(credentials), renew: () => false };
}

function oauth(auth: Extract<AuthSettings, { type: 'oauth2' }>, guard: Guard, secrets: Secrets): Authenticator {
  let token: { readonly value: string; readonly until: number } | undefined;
  let pending: Promise<string> | undefined;
  let { refreshToken } = auth;

  async function fetchToken(): Promise<string> {
    const form = new URLSearchParams(
      refreshToken === undefined ? { grant_type: 'client_credentials' } : { grant_type: 'refresh_token', refresh_token: refreshToken },
    );
    if (auth.scopes !== undefined && auth.scopes.length > 0) form.set('scope', auth.scopes.join(' '));
    if (auth.audience !== undefined) form.set('audience', auth.audience);
    const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    if (auth.clientSecret !== undefined && auth.clientAuth !== 'body')
      headers['authorization'] = `Basic ${basic(encodeURIComponent(auth.clientId), encodeURIComponent(auth.clientSecret))}`;
    else {
      form.set('client_id', auth.clientId);
      if (auth.clientSecret !== undefined) form.set('client_secret', auth.clientSecret);
    }
    const started = Date.now();
    // Not cancelled with the call that needed it first: others wait for the same token.
    const fetched = await guard.exchange({
      method: 'POST',
      url: auth.tokenUrl,
      headers,
      body: Buffer.from(form.toString()),
      maxBytes: 256 * 1024,
      signal: new AbortController().signal,
    });
    const answer = parsed(fetched.body);
    const value = answer['access_token'];
    if (fetched.status !== 200 || typeof value !== 'string' || value === '') {
      const reason =
        typeof answer['error'] === 'string'
          ? `${answer['error']} ${typeof answer['error_description'] === 'string' ? answer['error_description'] : ''}`.trim()
          : 'no access_token';
      throw new SignalboxError('SBX_API_AUTH', 'No access token was given.', {
        why: secrets.text(`The token address answered ${fetched.status}: ${reason.slice(0, 300)}.`),
        fix: 'Do not try again: a person has to correct "auth" in the settings of this server (client, secret, scopes, refresh token).',
      });
    }
    secrets.add(value);
    if (typeof answer['refresh_token'] === 'string' && answer['refresh_token'] !== '') {
      refreshToken = answer['refresh_token'];
      secrets.add(refreshToken);
    }
    const seconds = Number(answer['expires_in']);
    const lifetime = Number.isFinite(seconds) && seconds > 0 ? seconds : 3600;
    token = { value, until: started + Math.max(lifetime - MARGIN_S, lifetime / 2) * 1000 };
    return value;
  }

  return {
    reserved: ['header:authorization'],
    async credentials() {
      if (token !== undefined && Date.now() < token.until) return { headers: { authorization: `Bearer ${token.value}` }, query: [] };
      pending ??= fetchToken().finally(() => {
        pending = undefined;
      });
      return { headers: { authorization: `Bearer ${await pending}` }, query: [] };
    },
    renew() {
      token = undefined;
      return true;
    },
  };
}

/** The origin of the token address. @throws SignalboxError `SBX_PLUGIN_SETTINGS` */
export function tokenOrigin(auth: AuthSettings | undefined): string | undefined {
  if (auth?.type !== 'oauth2') return undefined;
  const url = strictUrl(auth.tokenUrl);
  if (typeof url !== 'string') return url.origin;
  throw new SignalboxError('SBX_PLUGIN_SETTINGS', 'The token address cannot be used.', {
    why: `auth.tokenUrl: ${url}`,
    fix: 'Correct it.',
  });
}

function basic(user: string, password: string): string {
  return Buffer.from(`${user}:${password}`).toString('base64');
}

function parsed(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
