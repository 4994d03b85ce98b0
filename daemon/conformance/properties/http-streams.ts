/** Several streams of one legacy session: each message on one of them, resumption of one without the others. And where a server listens. */
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import type { Session } from '../engine/session.ts';
import type { Role, Subject } from '../engine/subject.ts';
import type { HttpFacts } from '../transports/wire.ts';
import { call, slowest } from './calling.ts';

/** Tools that make a server speak, loudest first. */
const talkers = (subject: Subject): readonly Role[] =>
  subject.roles
    .filter(
      ({ failed, asks, ms, changes, mutates, logs }) => !failed && !asks && ms < 1500 && (changes === true || mutates === true || logs),
    )
    .slice(0, 4);

const broadcast = property<{ tool: string }>({
  name: 'http/no-broadcast',
  area: 'http',
  phase: 'stateful',
  stems: ['HTTP-NO-BROADCAST'],
  eras: ['legacy'],
  transports: ['http'],
  fresh: true,
  skip: (subject) => (talkers(subject).length === 0 ? 'no tool that may be called makes the server send anything' : undefined),
  cases: (subject) => ({ boundaries: talkers(subject).map(({ tool }) => ({ tool: tool.name })) }),
  async run({ session, subject }, { tool }) {
    const role = talkers(subject).find((one) => one.tool.name === tool);
    if (role === undefined) return;
    const second = session.listen();
    // a server that has one stream only refuses the second at once
    const refused = await Promise.race([second.exchange, pause(200)]);
    for (const { uri } of subject.resources.slice(0, 5)) {
      if (at(subject.capabilities, 'resources', 'subscribe') !== true) break;
      session.model.subscribed.add(String(uri));
      await session.request('resources/subscribe', { uri });
    }
    const from = session.frames.length;
    await call(session, role, { progressToken: 'broadcast' });
    await pause(150);
    const seen = new Map<string, Set<string>>();
    for (const { text, value, channel } of session.frames.slice(from)) {
      if (typeof at(value, 'method') !== 'string') continue;
      seen.set(text, (seen.get(text) ?? new Set()).add(channel));
    }
    const twice = [...seen].find(([, channels]) => channels.size > 1);
    if (refused === undefined || seen.size > 0)
      session.judge.check(
        'HTTP-NO-BROADCAST',
        twice === undefined,
        'each message on one stream',
        () => `${twice?.[0]} on ${[...(twice?.[1] ?? [])].join(', ')}`,
      );
    second.abort();
  },
});

const resumption = property<{ concurrent: boolean }>({
  name: 'http/resumption',
  area: 'http',
  phase: 'stateful',
  stems: ['HTTP-RESUME-SAME'],
  eras: ['legacy'],
  transports: ['http'],
  fresh: true,
  skip: (subject) => (slowest(subject) === undefined ? 'no tool that may be called takes long enough' : undefined),
  cases: () => ({ boundaries: [{ concurrent: false }, { concurrent: true }] }),
  async run({ session, subject }, { concurrent }) {
    const role = slowest(subject) as Role;
    const [mine, other] = [`resume-${session.freshId()}`, `other-${session.freshId()}`];
    const beside = concurrent ? call(session, role, { progressToken: other }, { id: other }) : undefined;
    // the exchange tells its events when it ends: it is cut while the call runs
    const running = call(session, role, { progressToken: mine }, { id: mine, provoked: true, until: pause(role.ms * 0.6) });
    const facts = (await running).http;
    const last = facts?.events.findLast(({ id }) => id !== undefined);
    if (last?.id !== undefined) await resume(session, role, { last: last.id, seen: facts, mine });
    await beside;
  },
});

async function resume(
  session: Session,
  role: Role,
  { last, seen, mine }: { last: string; seen: HttpFacts | undefined; mine: string },
): Promise<void> {
  await pause(role.ms * 0.8);
  const again = session.listen({ 'last-event-id': last });
  await pause(400);
  again.abort();
  const facts = await again.exchange;
  if (facts === undefined || facts.status !== 200) return;
  for (const { id, data } of facts.events) {
    if (data === '') continue;
    const value: unknown = JSON.parse(data);
    const token = at(value, 'params', 'progressToken');
    const belongs = at(value, 'method') === undefined ? at(value, 'id') === mine : token === undefined || token === mine;
    session.judge.check('HTTP-RESUME-SAME', belongs, 'messages of the stream that was cut', data.slice(0, 300));
    const known = id !== undefined && seen?.events.some((event) => event.id === id);
    session.judge.check('HTTP-RESUME-SAME', known !== true, `events behind ${last}`, () => `${id} again`);
  }
}

/** An address of this machine's loopback net where a server that binds to 127.0.0.1 does not answer; Linux has it without being asked. */
const OTHER_LOOPBACK = '127.0.0.2';

const bound = property<{ host: string }>({
  name: 'http/bound-to-loopback',
  area: 'http',
  phase: 'static',
  stems: ['HTTP-BIND-LOCAL'],
  transports: ['http'],
  skip: ({ target }) =>
    target.kind === 'http' && ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(target.url).hostname)
      ? process.platform === 'linux'
        ? undefined
        : 'only Linux answers at other addresses of the loopback net'
      : 'the server is not on this machine',
  cases: () => ({ boundaries: [{ host: OTHER_LOOPBACK }] }),
  async run({ session, subject }, { host }) {
    if (subject.target.kind !== 'http') return;
    const url = new URL(subject.target.url);
    const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port);
    const open = await new Promise<boolean>((done) => {
      const socket = connect({ host, port, timeout: 1000 });
      const end = (answer: boolean) => (): void => {
        socket.destroy();
        done(answer);
      };
      socket.on('connect', end(true)).on('error', end(false)).on('timeout', end(false));
    });
    session.judge.check('HTTP-BIND-LOCAL', !open, 'a server of this machine listens at its loopback address alone', () =>
      shown(`${host}:${port} is open too: it listens on every interface`),
    );
  },
});

/** The properties of streams side by side. */
export const HTTP_STREAMS: readonly Property[] = [broadcast, resumption, bound];
