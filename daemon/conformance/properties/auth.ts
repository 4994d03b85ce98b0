/**
 * A server that is protected by OAuth 2.1 (Authorization, both revisions; RFC 6750, RFC 9728), with tokens that were given. Inputs name the kind of
 * token: no stored case holds one.
 */
import { shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { challengeOf, metadataOf, sameResource } from './auth-metadata.ts';
import { authorizationOf, type Credential, hello, openWith, tokensOf, unprotected, unsigned, without } from './credentials.ts';
import { outcomeText, servedLists } from './expect.ts';

const credentials = property<{ credential: Credential }>({
  name: 'auth/credentials',
  area: 'auth',
  phase: 'boundaries',
  stems: ['AUTH-401', 'AUTH-STATUS', 'AUTH-AUDIENCE'],
  transports: ['http'],
  skip: unprotected,
  cases(subject) {
    const tokens = tokensOf(subject);
    const kinds: Credential[] = ['none', 'garbage', 'empty', 'basic', 'tampered'];
    if (tokens !== undefined && unsigned(tokens.valid) !== undefined) kinds.push('unsigned');
    if (tokens?.expired !== undefined) kinds.push('expired');
    if (tokens?.otherAudience !== undefined) kinds.push('otherAudience');
    return { boundaries: kinds.map((credential) => ({ credential })) };
  },
  async run(trial, { credential }) {
    const { session, subject } = trial;
    const { judge } = session;
    const tokens = tokensOf(subject);
    if (tokens === undefined) return;
    const stranger = await openWith(trial, authorizationOf(credential, tokens));
    const answer = await hello(stranger);
    const status = answer.http?.status ?? 0;
    const got = (): string => outcomeText(stranger, answer);
    if (status === 0) return;
    if (credential === 'otherAudience') {
      judge.check('AUTH-AUDIENCE', answer.result === undefined && status >= 400, 'a token for another resource is rejected', got);
      if (status >= 400) judge.check('AUTH-STATUS', status === 401, 'status 401 for a token that is not for this server', got);
      return;
    }
    const what = { none: 'no token', empty: 'an empty token', basic: 'Basic credentials', garbage: 'a made-up token' }[String(credential)];
    const served = answer.result !== undefined || status < 400;
    if (credential === 'none') judge.check('AUTH-401', status === 401, 'status 401 without a token', got);
    else {
      judge.check('AUTH-401', !served, `status 401 for ${what ?? `a token that is ${credential}`}`, got);
      // 400 is for an authorization request that is malformed; a well-formed bearer token never is
      const right = credential === 'empty' || credential === 'basic' ? [400, 401] : [401];
      if (!served)
        judge.check(
          'AUTH-STATUS',
          right.includes(status),
          `status ${right.join(' or ')} for ${what ?? `a token that is ${credential}`}`,
          got,
        );
    }
  },
});

const everyRequest = property<{ message: 'request' | 'notification' | 'GET' | 'DELETE'; method: string }>({
  name: 'auth/every-request',
  area: 'auth',
  phase: 'stateful',
  stems: ['AUTH-EVERY-REQ', 'AUTH-SESSION-NOT-AUTH', 'CCH-ACCESS'],
  transports: ['http'],
  fresh: true,
  skip: unprotected,
  cases: (subject) => ({
    boundaries: [
      ...[...servedLists(subject).map(([method]) => method), subject.era === 'legacy' ? 'ping' : 'server/discover'].map((method) => ({
        message: 'request' as const,
        method,
      })),
      { message: 'notification', method: 'notifications/cancelled' },
      ...(subject.era === 'legacy'
        ? [
            { message: 'GET' as const, method: '' },
            { message: 'DELETE' as const, method: '' },
          ]
        : []),
    ],
  }),
  async run({ session }, { message, method }) {
    const { judge } = session;
    const bare = { authorization: null };
    const before = message === 'request' ? await session.request(method) : undefined;
    const held = session.sessionId !== undefined;
    let status = 0;
    let text = '';
    if (message === 'request') {
      const answer = await session.request(method, undefined, { headers: bare, provoked: true });
      status = answer.http?.status ?? 0;
      text = outcomeText(session, answer);
    } else if (message === 'notification') {
      const facts = await session.tell({ jsonrpc: '2.0', method, params: { requestId: 'nobody' } }, { headers: bare, settle: false });
      status = facts?.status ?? 0;
      text = `HTTP ${status}`;
    } else {
      const sent = session.wire.send(Buffer.alloc(0), { method: message, headers: { ...session.headers(), ...bare }, timeoutMs: 1500 });
      status = (await sent.exchange)?.status ?? 0;
      text = `HTTP ${status}`;
    }
    if (status === 0) return;
    // a server without such a method at this path says so to everybody
    const refused = status === 401 || ((message === 'GET' || message === 'DELETE') && status === 405);
    const what = message === 'request' ? `${method} without a token` : `a ${message} without a token`;
    judge.check('AUTH-EVERY-REQ', refused, `status 401 for ${what}, after others had one`, text);
    if (held) judge.check('AUTH-SESSION-NOT-AUTH', refused, `status 401 for ${what}, with the id of a session`, text);
    if (before?.result?.['cacheScope'] === 'public')
      judge.check('CCH-ACCESS', refused, `status 401 for ${what}, though its result is public`, text);
  },
});

const challenge = property<{ method: 'POST' | 'GET' }>({
  name: 'auth/discovery',
  area: 'auth',
  phase: 'boundaries',
  stems: ['AUTH-PRM', 'AUTH-PRM-AS', 'AUTH-PRM-DISCOVERY', 'AUTH-PRM-RESOURCE', 'AUTH-SCOPE-HINT', 'AUTH-NO-OFFLINE'],
  transports: ['http'],
  skip: unprotected,
  cases: () => ({ boundaries: [{ method: 'POST' }] }),
  async run(trial) {
    const { session, subject } = trial;
    const { judge } = session;
    const { target } = subject;
    if (target.kind !== 'http') return;
    const stranger = await openWith(trial, undefined);
    const answer = await hello(stranger);
    const header = answer.http?.headers['www-authenticate'];
    const asked = challengeOf(header);
    const found = await metadataOf(target.url, asked?.['resource_metadata'], (text) => session.transcript.note('!', '', text));
    judge.check(
      'AUTH-PRM-DISCOVERY',
      found.place !== undefined,
      'metadata where WWW-Authenticate names it, or at the well-known URI of the path or the root',
      () => `WWW-Authenticate: ${header ?? 'none'}; ${found.tried.join('; ')}`,
    );
    const { document } = found;
    judge.check(
      'AUTH-PRM',
      document !== undefined && typeof document['resource'] === 'string',
      'protected resource metadata: a JSON object with `resource`',
      () => (document === undefined ? found.tried.join('; ') : shown(document)),
    );
    judge.check(
      'AUTH-SCOPE-HINT',
      asked !== undefined && (asked['scope'] ?? '') !== '',
      'a scope in the challenge',
      () => `WWW-Authenticate: ${header ?? 'none'}`,
    );
    const scopes = [
      ...(asked?.['scope'] ?? '').split(' '),
      ...(Array.isArray(document?.['scopes_supported']) ? document['scopes_supported'] : []),
    ];
    judge.check('AUTH-NO-OFFLINE', !scopes.includes('offline_access'), 'offline_access in no challenge and not in scopes_supported', () =>
      shown(scopes),
    );
    if (document === undefined) return;
    const servers = document['authorization_servers'];
    judge.check(
      'AUTH-PRM-AS',
      Array.isArray(servers) && servers.length > 0 && servers.every((one) => typeof one === 'string' && URL.canParse(one)),
      'authorization_servers with at least one URL',
      () => shown(servers),
    );
    judge.check('AUTH-PRM-RESOURCE', sameResource(document['resource'], target.url), `resource: ${target.url}, or a parent of it`, () =>
      shown(document['resource']),
    );
  },
});

const query = property<{ parameter: string }>({
  name: 'auth/query-string',
  area: 'auth',
  phase: 'boundaries',
  stems: ['AUTH-QUERY'],
  transports: ['http'],
  skip: unprotected,
  cases: () => ({ boundaries: [{ parameter: 'access_token' }, { parameter: 'token' }, { parameter: 'authorization' }] }),
  async run(trial, { parameter }) {
    const { session, subject } = trial;
    const tokens = tokensOf(subject);
    if (tokens === undefined || subject.target.kind !== 'http') return;
    const url = new URL(subject.target.url);
    url.searchParams.set(parameter, parameter === 'authorization' ? `Bearer ${tokens.valid}` : tokens.valid);
    const stranger = await openWith(trial, undefined, url.href);
    const answer = await hello(stranger);
    if ((answer.http?.status ?? 0) === 0) return;
    session.judge.check('AUTH-QUERY', answer.result === undefined, `a token in the query string (${parameter}) is not accepted`, () =>
      outcomeText(stranger, answer),
    );
  },
});

const scopes = property<{ tool: string }>({
  name: 'auth/scopes',
  area: 'auth',
  phase: 'boundaries',
  stems: ['AUTH-403-SCOPE', 'TOOL-ACCESS'],
  transports: ['http'],
  skip: without('narrow', 'token-narrow'),
  cases: (subject) => ({ boundaries: subject.roles.slice(0, 3).map(({ tool }) => ({ tool: tool.name })) }),
  async run(trial, { tool }) {
    const { session, subject } = trial;
    const { judge } = session;
    const narrow = tokensOf(subject)?.narrow;
    const sample = subject.roles.find((role) => role.tool.name === tool)?.tool.sample;
    if (narrow === undefined || sample === undefined) return;
    const poor = await openWith(trial, `Bearer ${narrow}`);
    const opened = await hello(poor);
    if (opened.result !== undefined && session.era === 'legacy')
      await poor.notify('notifications/initialized', undefined, { settle: false });
    const answer =
      opened.result === undefined ? opened : await poor.request('tools/call', { name: tool, arguments: sample }, { provoked: true });
    const status = answer.http?.status ?? 0;
    if (status === 0) return;
    const refused = answer.result === undefined || answer.result['isError'] === true;
    judge.check('TOOL-ACCESS', refused, `the tool ${tool} refuses a token without its scopes`, () => outcomeText(poor, answer));
    if (!refused) return;
    const header = answer.http?.headers['www-authenticate'];
    const asked = challengeOf(header);
    const good =
      status === 403 &&
      asked?.['error'] === 'insufficient_scope' &&
      asked['scope'] !== undefined &&
      asked['resource_metadata'] !== undefined;
    judge.check(
      'AUTH-403-SCOPE',
      good,
      'status 403, WWW-Authenticate: Bearer error="insufficient_scope" with scope and resource_metadata',
      () => `HTTP ${status}, WWW-Authenticate: ${header ?? 'none'}`,
    );
  },
});

/** The properties of protected servers. */
export const AUTH: readonly Property[] = [credentials, everyRequest, challenge, query, scopes];
