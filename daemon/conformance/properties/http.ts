import { shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import type { Subject } from '../engine/subject.ts';
import { cheapMethod, outcomeText } from './expect.ts';

const http = ['http'] as const;

const ORIGINS = [
  'http://evil.example',
  'https://localhost.evil.example',
  'http://localhost.evil.example',
  'http://localhost:80.evil.example',
  'http://evil.example/localhost',
  'http://localhost@evil.example',
  'http://evil-localhost',
  'http://127.0.0.1.evil.example',
  'null',
  'http://xn--lcalhost-4gb.example',
  'https://evil.example:443',
  'file://',
];

/** The origin of the endpoint itself, if it is on this machine. */
function ownOrigin({ target }: Subject): string | undefined {
  if (target.kind !== 'http') return undefined;
  const { hostname, origin } = new URL(target.url);
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname) ? origin : undefined;
}

const origins = property<{ origin: string; method: 'POST' | 'GET' | 'DELETE' }>({
  name: 'http/origin',
  area: 'http',
  phase: 'boundaries',
  stems: ['HTTP-ORIGIN', 'HTTP-ORIGIN-403', 'HTTP-ORIGIN-OK'],
  transports: http,
  cases: (subject) => ({
    boundaries: [
      ...ORIGINS.map((origin) => ({ origin, method: 'POST' as const })),
      ...(subject.era === 'legacy' ? [{ origin: 'http://evil.example', method: 'GET' as const }] : []),
      { origin: '', method: 'POST' },
      ...(ownOrigin(subject) === undefined ? [] : [{ origin: String(ownOrigin(subject)), method: 'POST' as const }]),
    ],
  }),
  async run({ session, subject }, { origin, method }) {
    const { judge } = session;
    if (method !== 'POST') {
      const sent = session.wire.send(Buffer.alloc(0), { method, headers: { ...session.headers(), origin }, timeoutMs: 1500 });
      const facts = await sent.exchange;
      if (facts !== undefined && facts.status !== 0 && facts.status !== 405)
        judge.check('HTTP-ORIGIN', facts.status >= 400, `${method} from ${origin} is not served`, `HTTP ${facts.status}`);
      return;
    }
    const own = origin === ownOrigin(subject);
    const answer = await session.request(cheapMethod(subject), undefined, {
      provoked: origin !== '',
      ...(origin === '' ? {} : { headers: { origin } }),
    });
    if (answer.http === undefined) return;
    if (origin === '') {
      judge.check('HTTP-ORIGIN-OK', answer.http.status === 200, 'requests without Origin are served', () => outcomeText(session, answer));
      return;
    }
    if (own) {
      // which origins are allowed is a setting: its own is the least one expects
      judge.check('HTTP-ORIGIN-OK', answer.http.status !== 403, `its own origin ${origin}`, () => outcomeText(session, answer), 'note');
      return;
    }
    judge.check('HTTP-ORIGIN', answer.result === undefined, `a request from ${origin} is not served`, () => outcomeText(session, answer));
    if (answer.result === undefined) judge.check('HTTP-ORIGIN-403', answer.http.status === 403, 'status 403', String(answer.http.status));
  },
});

const methodsOf = property<{ method: 'GET' | 'DELETE' }>({
  name: 'http/methods',
  area: 'http',
  phase: 'boundaries',
  stems: ['HTTP-ENDPOINT', 'HTTP-GET', 'HTTP-405', 'HTTP-SESSION-404', 'HTTP-SESSION-DELETE'],
  transports: http,
  fresh: true,
  cases: () => ({ boundaries: [{ method: 'GET' }, { method: 'DELETE' }] }),
  async run({ session, subject }, { method }) {
    const { judge } = session;
    if (subject.era === 'modern') {
      const facts = await session.wire.send(Buffer.alloc(0), { method, headers: session.headers(), timeoutMs: 1500 }).exchange;
      // a server of both eras has uses for them
      const dual = facts !== undefined && facts.status !== 405;
      if (facts !== undefined && facts.status !== 0) judge.check('HTTP-405', !dual, 'status 405', String(facts.status), 'note');
      judge.check('HTTP-ENDPOINT', true, '', '');
      return;
    }
    if (method === 'GET') {
      const sent = session.wire.send(Buffer.alloc(0), { method, headers: session.headers(), timeoutMs: 800 });
      const facts = await sent.exchange;
      const stream = facts !== undefined && facts.status === 200 && (facts.headers['content-type'] ?? '').startsWith('text/event-stream');
      // the standing stream of this connection is there already: 409 is what the v1 SDK says to a second
      const fine = facts !== undefined && (stream || facts.status === 405 || facts.status === 409 || facts.status === 0);
      judge.check('HTTP-GET', fine, 'an event stream or 405', `HTTP ${facts?.status}`);
      judge.check('HTTP-ENDPOINT', fine, 'GET and POST at one path', `HTTP ${facts?.status}`);
      return;
    }
    if (session.sessionId === undefined) return;
    const facts = await session.wire.send(Buffer.alloc(0), { method, headers: session.headers(), timeoutMs: 3000 }).exchange;
    const status = facts?.status ?? 0;
    judge.check('HTTP-SESSION-DELETE', (status >= 200 && status < 300) || status === 405, '2xx or 405', String(status));
    if (status === 405) return;
    const after = await session.request(cheapMethod(subject), undefined, { provoked: true });
    judge.check('HTTP-SESSION-404', after.http?.status === 404, 'status 404 for an ended session', () => outcomeText(session, after));
    await session.close();
  },
});

const sessions = property<{ id: string | null }>({
  name: 'http/session-ids',
  area: 'http',
  phase: 'boundaries',
  stems: ['HTTP-SESSION-REQUIRED', 'HTTP-SESSION-404', 'HTTP-SESSION-ENTROPY', 'HTTP-SESSION-ASCII'],
  eras: ['legacy'],
  transports: http,
  cases: () => ({ boundaries: [{ id: null }, { id: 'no-such-session' }, { id: '00000000-0000-4000-8000-000000000000' }] }),
  async run({ session, subject, open }, { id }) {
    const { judge } = session;
    if (session.sessionId === undefined) return; // a server without sessions
    const answer = await session.request(cheapMethod(subject), undefined, { provoked: true, headers: { 'mcp-session-id': id } });
    if (id === null) {
      judge.check('HTTP-SESSION-REQUIRED', answer.http?.status === 400, 'status 400 without a session id', () =>
        outcomeText(session, answer),
      );
      const ids = [session.sessionId];
      for (let more = 0; more < 4; more++) ids.push(String((await open()).sessionId));
      const numbers = ids.map((one) => Number(one.replace(/\D/g, '').slice(-9)));
      const counting = numbers.length > 2 && numbers.every((one, index) => index === 0 || one - (numbers[index - 1] ?? 0) === 1);
      judge.check(
        'HTTP-SESSION-ENTROPY',
        new Set(ids).size === ids.length && !counting && ids.every((one) => one.length >= 16),
        'ids that cannot be guessed',
        () => shown(ids),
      );
    } else
      judge.check(
        'HTTP-SESSION-404',
        answer.http?.status === 404,
        'status 404 for an unknown session',
        () => outcomeText(session, answer),
        answer.http?.status === 400 ? 'warning' : undefined,
      );
  },
});

const versionHeader = property<{ version: string | null }>({
  name: 'http/version-header',
  area: 'headers',
  phase: 'boundaries',
  stems: ['HTTP-VERSION-HEADER', 'HTTP-VERSION-DEFAULT'],
  eras: ['legacy'],
  transports: http,
  cases: () => ({
    boundaries: [{ version: 'x' }, { version: '1999-01-01' }, { version: '2099-01-01' }, { version: '2025-11-25x' }, { version: null }],
  }),
  async run({ session, subject }, { version }) {
    const answer = await session.request(cheapMethod(subject), undefined, { provoked: true, headers: { 'mcp-protocol-version': version } });
    if (version === null)
      session.judge.check('HTTP-VERSION-DEFAULT', answer.result !== undefined, 'served without the header', () =>
        outcomeText(session, answer),
      );
    else
      session.judge.check('HTTP-VERSION-HEADER', answer.http?.status === 400, `status 400 for version ${version}`, () =>
        outcomeText(session, answer),
      );
  },
});

const clientResponses = property<{ id: unknown }>({
  name: 'http/unknown-responses',
  area: 'http',
  phase: 'malformed',
  stems: ['HTTP-CLIENT-RESPONSE-202', 'RPC-SURVIVE-GARBAGE'],
  cases: () => ({ boundaries: [{ id: 987_654 }, { id: 'nobody-asked' }] }),
  async run({ session }, { id }) {
    const { http: facts } = await session.malformed(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result: {} })));
    if (facts !== undefined && facts.status !== 0)
      session.judge.check('HTTP-CLIENT-RESPONSE-202', facts.status < 500, '2xx or 4xx', `HTTP ${facts.status}`);
  },
});

/** The properties of Streamable HTTP. */
export const HTTP: readonly Property[] = [origins, methodsOf, sessions, versionHeader, clientResponses];
