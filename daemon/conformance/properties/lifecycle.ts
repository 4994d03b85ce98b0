/** Lifecycle of a legacy session: handshake, versions, ping, shutdown. And the shutdown of both eras on stdio. */
import { LEGACY_VERSIONS } from '../../protocol/eras.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import type { Session } from '../engine/session.ts';
import type { Subject } from '../engine/subject.ts';
import { call, slowest } from './calling.ts';
import { cheapMethod, outcomeText, servedLists } from './expect.ts';

const handshake = property<{ capabilities: Record<string, object>; clientInfo: { name: string; version: string } }>({
  name: 'lifecycle/handshake',
  area: 'lifecycle',
  phase: 'static',
  stems: ['LC-INIT-RESPOND', 'LC-CAP-SHAPE', 'LC-INSTRUCTIONS-STRING', 'LC-NO-EARLY-REQ', 'LC-PING', 'HTTP-SESSION-ASCII'],
  eras: ['legacy'],
  fresh: true,
  connection: { raw: true },
  cases: () => ({
    boundaries: [
      { capabilities: {}, clientInfo: { name: 'a', version: '1' } },
      { capabilities: { roots: { listChanged: true }, sampling: {}, elicitation: {} }, clientInfo: { name: 'é😀', version: '' } },
      { capabilities: { experimental: { 'com.example/x': {} } }, clientInfo: { name: 'x'.repeat(500), version: '0' } },
    ],
  }),
  async run({ session }, { capabilities, clientInfo }) {
    session.model.clientCapabilities = capabilities;
    const early = session.wire.kind === 'stdio' ? await session.request('ping') : undefined;
    if (early !== undefined)
      session.judge.check(
        'LC-PING',
        early.result !== undefined,
        'a ping is answered before the handshake',
        () => outcomeText(session, early),
        'note',
      );
    const answer = await session.initialize({ capabilities, clientInfo });
    session.judge.check('LC-INIT-RESPOND', answer.result !== undefined, 'a result of initialize', () => outcomeText(session, answer));
    if (answer.result === undefined) return;
    session.judge.check('LC-NO-EARLY-REQ', true, '', '');
    // the specification speaks of time here: what a server sends too early comes before this
    await new Promise((done) => setTimeout(done, 300));
    await session.notify('notifications/initialized');
  },
});

const [OLD, FUTURE] = ['1.0.0', '2099-01-01'];
const UNKNOWN_VERSIONS = [OLD, FUTURE, '', 'x'.repeat(200), '2025-11-25 ', 'é'];
const versions = property<{ asked: string }>({
  name: 'lifecycle/versions',
  area: 'versioning',
  phase: 'stateful',
  stems: ['LC-VERSION-ECHO', 'LC-VERSION-FALLBACK', 'LC-VERSION-LATEST'],
  eras: ['legacy'],
  fresh: true,
  connection: { raw: true },
  cases: () => ({ boundaries: [...LEGACY_VERSIONS, ...UNKNOWN_VERSIONS].map((asked) => ({ asked })) }),
  async run({ session, open }, { asked }) {
    const { judge } = session;
    const answer = await session.initialize({ protocolVersion: asked });
    const offered = at(answer.result, 'protocolVersion');
    if (answer.result === undefined) {
      judge.check(
        'LC-VERSION-FALLBACK',
        answer.error !== undefined,
        'another version, or an error',
        () => outcomeText(session, answer),
        'warning',
      );
      return;
    }
    const known = typeof offered === 'string' && LEGACY_VERSIONS.includes(offered);
    if (offered !== asked) {
      judge.check('LC-VERSION-FALLBACK', known, 'a version of the specification', () => shown(offered));
      // what it offers is tried where there is most to choose from; each try is a process
      if (asked !== OLD && asked !== FUTURE && !LEGACY_VERSIONS.includes(asked)) return;
      const again = await open({ raw: true });
      const second = await again.initialize({ protocolVersion: offered });
      judge.check('LC-VERSION-ECHO', at(second.result, 'protocolVersion') === offered, `${shown(offered)} again when it is asked for`, () =>
        outcomeText(again, second),
      );
      const newest = await open({ raw: true });
      const third = await newest.initialize({ protocolVersion: LEGACY_VERSIONS[0] });
      judge.check(
        'LC-VERSION-LATEST',
        String(offered) >= String(at(third.result, 'protocolVersion')),
        'the latest version it supports',
        () => `${shown(offered)}, yet it also speaks ${shown(at(third.result, 'protocolVersion'))}`,
      );
    } else judge.check('LC-VERSION-FALLBACK', known, `another version than ${shown(asked)}`, () => shown(offered));
    if (!known) return;
    await session.notify('notifications/initialized');
    await session.request('ping');
  },
});

const initFirst = property<{ method: string }>({
  name: 'lifecycle/initialize-first',
  area: 'lifecycle',
  phase: 'stateful',
  stems: ['LC-INIT-FIRST', 'HTTP-SESSION-REQUIRED'],
  eras: ['legacy'],
  fresh: true,
  connection: { raw: true },
  cases: (subject) => ({ boundaries: servedLists(subject).map(([method]) => ({ method })) }),
  async run({ session }, { method }) {
    const answer = await session.request(method, undefined, { provoked: true });
    // lenient servers are many, the v1 SDK on stdio among them; a server without sessions has nothing to be first
    session.judge.check('LC-INIT-FIRST', answer.result === undefined, 'an error before initialize', () => shown(answer.result), 'note');
    await session.close();
  },
});

const ping = property<{ when: 'idle' | 'after an error' | 'during a call' }>({
  name: 'lifecycle/ping',
  area: 'lifecycle',
  phase: 'stateful',
  stems: ['LC-PING', 'LC-PING-PROMPT'],
  eras: ['legacy'],
  cases: () => ({ boundaries: [{ when: 'idle' }, { when: 'after an error' }, { when: 'during a call' }] }),
  async run({ session, subject }, { when }) {
    const { judge } = session;
    if (when === 'after an error') await session.request('notAMethod');
    const slow = subject.roles.find(({ ms, failed }) => ms > 300 && !failed) ?? slowest(subject);
    const running =
      when === 'during a call' && slow !== undefined
        ? session.request('tools/call', { name: slow.tool.name, arguments: slow.tool.sample ?? {} }, { limitMs: slow.ms * 4 + 5000 })
        : undefined;
    let ended = false;
    void running?.then(() => {
      ended = true;
    });
    const answer = await session.request('ping');
    if (running !== undefined)
      judge.check('LC-PING-PROMPT', !ended, 'an answer before the call that was running ends', 'it came after it', 'warning');
    if (answer.message !== undefined)
      judge.check(
        'LC-PING',
        answer.result !== undefined && Object.keys(answer.result).every((key) => key === '_meta'),
        'an empty result',
        () => shown(answer.message),
      );
    judge.check(
      'LC-PING-PROMPT',
      answer.message !== undefined &&
        answer.ms < Math.min(1000, running === undefined || slow === undefined ? 1000 : Math.max(150, slow.ms * 0.7)),
      'an answer at once',
      `${Math.round(answer.ms)} ms${running === undefined || slow === undefined ? '' : ` during a call of ${Math.round(slow.ms)} ms`}`,
    );
    await running;
  },
});

const endOfInput = property<{ history: readonly string[]; inFlight: boolean }>({
  name: 'lifecycle/end-of-input',
  area: 'lifecycle',
  phase: 'stateful',
  stems: ['LC-STDIO-EOF', 'STD-STDOUT-PURE', 'STD-NEWLINE'],
  transports: ['stdio'],
  fresh: true,
  cases: (subject) => ({
    boundaries: [
      { history: [], inFlight: false },
      { history: [cheapMethod(subject), 'notAMethod'], inFlight: false },
      { history: [], inFlight: true },
    ],
  }),
  async run({ session, subject }, { history, inFlight }) {
    for (const method of history) await session.request(method);
    const slow = inFlight ? subject.roles.find(({ ms, failed }) => ms > 300 && !failed) : undefined;
    const running =
      slow === undefined
        ? undefined
        : session.request('tools/call', { name: slow.tool.name, arguments: slow.tool.sample ?? {} }, { provoked: true });
    const { killed } = await session.close(5000);
    await running;
    session.judge.check('LC-STDIO-EOF', !killed, 'the process ends when its input ends', 'it had to be ended with SIGTERM after 5 s');
  },
});

const parallel = property<{ ids: readonly number[] }>({
  name: 'lifecycle/parallel-sessions',
  area: 'lifecycle',
  phase: 'stateful',
  stems: ['LC-PARALLEL-SESSIONS'],
  eras: ['legacy'],
  transports: ['http'],
  cases: () => ({ boundaries: [{ ids: [7001] }, { ids: [7001, 7002, 7003] }] }),
  async run({ session, subject, open }, { ids }) {
    const other = await open();
    const answers = await Promise.all(
      [session, other].flatMap((one) => ids.map((id) => one.request(cheapMethod(subject), undefined, { id }))),
    );
    for (const answer of answers)
      session.judge.check('LC-PARALLEL-SESSIONS', answer.result !== undefined, 'the same ids in two sessions do not meet', () =>
        outcomeText(session, answer),
      );
    if (session.sessionId !== undefined)
      session.judge.check(
        'LC-PARALLEL-SESSIONS',
        session.sessionId !== other.sessionId,
        'a session id of its own',
        String(other.sessionId),
      );
    if (ids.length > 1 && other.sessionId !== undefined) {
      await other.wire.send(Buffer.alloc(0), { method: 'DELETE', headers: other.headers(), timeoutMs: 3000 }).exchange;
      const still = await session.request(cheapMethod(subject));
      session.judge.check('LC-PARALLEL-SESSIONS', still.result !== undefined, 'a session goes on when another one is ended', () =>
        outcomeText(session, still),
      );
    }
    if (ids.length === 1) await levels(session, other, subject);
    const writer = subject.roles.find(({ mutates, failed, asks }) => mutates === true && !failed && !asks);
    if (ids.length > 1 || writer === undefined || at(subject.capabilities, 'resources', 'subscribe') !== true) return;
    // what the other session subscribes to is not told to this one: an update here breaks RES-UPDATED-ONLY-SUB
    for (const { uri } of subject.resources.slice(0, 5)) {
      other.model.subscribed.add(String(uri));
      await other.request('resources/subscribe', { uri });
    }
    await call(session, writer, {});
    await session.barrier();
  },
});

/** The log level that another session sets is its own. */
async function levels(session: Session, other: Session, subject: Subject): Promise<void> {
  const talker = subject.roles.find(({ logs, failed, asks }) => logs && !failed && !asks);
  if (talker === undefined || !Object.hasOwn(subject.capabilities, 'logging')) return;
  const said = async (): Promise<number> => {
    const from = session.frames.length;
    await call(session, talker, {});
    await session.barrier();
    return session.frames.slice(from).filter(({ value }) => at(value, 'method') === 'notifications/message').length;
  };
  await session.request('logging/setLevel', { level: 'debug' });
  const before = await said();
  await other.request('logging/setLevel', { level: 'emergency' });
  const after = await said();
  session.judge.check(
    'LC-PARALLEL-SESSIONS',
    after * 2 > before || before === 0,
    'log messages as before another session set its level',
    () => `${before} messages before, ${after} after`,
  );
}

/** Milliseconds an `initialize` may take that was read, and cancelled. */
const CANCELLED_INIT_MS = 600;
const cancelInit = property<{ soon: boolean }>({
  name: 'lifecycle/cancel-initialize',
  area: 'cancellation',
  phase: 'stateful',
  stems: ['CAN-INIT'],
  eras: ['legacy'],
  transports: ['stdio'],
  fresh: true,
  connection: { raw: true },
  cases: () => ({ boundaries: [{ soon: true }] }),
  async run({ session }) {
    // the program has started when this is answered, well or not: a short wait is enough behind it
    await session.request('ping', undefined, { provoked: true });
    const { promise: until, resolve: giveUp } = Promise.withResolvers<void>();
    const opening = session.initialize({}, { id: 'first', provoked: true, until });
    await session.notify('notifications/cancelled', { requestId: 'first' }, { settle: false });
    // once the request behind it is answered it has been read, and has a while more
    await session.request('ping', undefined, { provoked: true });
    setTimeout(giveUp, CANCELLED_INIT_MS);
    const answer = await opening;
    session.judge.check('CAN-INIT', answer.result !== undefined, 'initialize is answered', () => outcomeText(session, answer));
    await session.notify('notifications/initialized');
  },
});

/** The properties of the lifecycle. */
export const LIFECYCLE: readonly Property[] = [handshake, versions, initFirst, ping, endOfInput, parallel, cancelInit];
