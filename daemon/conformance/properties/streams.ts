/** What happens while a request runs: progress, logging, cancellation. And the subscriptions of the modern era. */
import { META } from '../../protocol/eras.ts';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { keyOf } from '../engine/model.ts';
import { type Property, property } from '../engine/property.ts';
import type { Answer, Session } from '../engine/session.ts';
import { LOG_LEVELS } from '../engine/shapes.ts';
import type { Role, Subject } from '../engine/subject.ts';
import { cheapMethod, outcomeText, refused } from './expect.ts';

const reporting = (subject: Subject): Role | undefined =>
  subject.roles.filter(({ progress, failed }) => progress && !failed).sort((one, other) => one.ms - other.ms)[0];
const slowest = (subject: Subject): Role | undefined =>
  [...subject.roles]
    .filter(({ failed, asks }) => !failed && !asks)
    .sort((one, other) => one.ms - other.ms)
    .find(({ ms }) => ms > 120);
const noProgress = (subject: Subject): string | undefined =>
  reporting(subject) === undefined ? 'no tool that may be called reports progress' : undefined;
const noSlow = (subject: Subject): string | undefined =>
  slowest(subject) === undefined ? 'no tool that may be called takes long enough (120 ms)' : undefined;

async function call(session: Session, role: Role, meta: JsonObject, more: { id?: unknown; provoked?: boolean } = {}): Promise<Answer> {
  return session.request(
    'tools/call',
    { name: role.tool.name, arguments: role.tool.sample ?? {} },
    { meta, limitMs: role.ms * 4 + 5000, ...more },
  );
}

const tokens = property<{ tokens: readonly (string | number)[] }>({
  name: 'streams/progress',
  area: 'progress',
  phase: 'stateful',
  stems: [
    'PROG-TOKEN',
    'PROG-TOKEN-TYPES',
    'PROG-INCREASE',
    'PROG-STOP',
    'PROG-SHAPE',
    'PROG-CONCURRENT',
    'PROG-RATE',
    'HTTP-SSE-RELATED',
    'HTTP-GET-UNRELATED',
    'RPC-SCHEMA-NOTIF',
  ],
  skip: noProgress,
  cases(subject) {
    const lists: readonly (readonly (string | number)[])[] = [['t'], [0], [1, '1', 2], ['1'], [''], ['é😀'], [2 ** 53 - 1], ['a', 'b']];
    return { boundaries: lists.slice(0, (reporting(subject)?.ms ?? 0) > 700 ? 3 : lists.length).map((list) => ({ tokens: list })) };
  },
  async run({ session, subject }, { tokens: list }) {
    const role = reporting(subject) as Role;
    session.model.progress.clear();
    const answers = await Promise.all(list.map((token) => call(session, role, { progressToken: token })));
    for (const [index, answer] of answers.entries()) {
      const mine = answer.others.filter(
        ({ value }) => at(value, 'method') === 'notifications/progress' && at(value, 'params', 'progressToken') === list[index],
      );
      if (answer.result === undefined) continue;
      session.judge.check('PROG-TOKEN-TYPES', mine.length > 0, `progress with the token ${shown(list[index])}`, () =>
        shown(answer.others.map(({ value }) => at(value, 'params', 'progressToken'))),
      );
      session.judge.check(
        'PROG-RATE',
        mine.length <= 100 * Math.max(1, answer.ms / 1000),
        'at most 100 a second',
        `${mine.length} in ${Math.round(answer.ms)} ms`,
      );
      if (list.length > 1) session.judge.check('PROG-CONCURRENT', mine.length > 0, 'progress for each token', () => shown(list));
    }
    await session.barrier();
    // progress that comes late comes after the response: one more round on the pipe
    await new Promise((done) => setTimeout(done, 100));
    await session.barrier();
    if (list.length > 1) return;
    const silent = await call(session, role, {});
    const uninvited = silent.others.filter(({ value }) => at(value, 'method') === 'notifications/progress');
    session.judge.check('PROG-TOKEN', uninvited.length === 0, 'no progress without a token', () => shown(uninvited[0]?.value));
  },
});

const cancel = property<{ after: number; alongside: boolean }>({
  name: 'streams/cancel',
  area: 'cancellation',
  phase: 'stateful',
  stems: ['CAN-NO-RESPONSE', 'CAN-NO-MESSAGES', 'CAN-ISOLATED', 'CAN-RACE'],
  skip: (subject) =>
    subject.transport === 'http' && subject.era === 'modern'
      ? 'over HTTP a modern request is cancelled by closing its stream'
      : noSlow(subject),
  cases: () => ({
    boundaries: [
      { after: 0.2, alongside: false },
      { after: 0.2, alongside: true },
      { after: 1, alongside: false },
      { after: 0, alongside: false },
    ],
  }),
  async run({ session, subject }, { after, alongside }) {
    const role = slowest(subject) as Role;
    const { judge } = session;
    const token = role.progress ? { progressToken: `cancel-${session.freshId()}` } : {};
    const id = `cancel-${session.freshId()}`;
    const running = call(session, role, token, { id, provoked: true });
    const other = alongside ? call(session, role, {}, { id: `other-${id}` }) : undefined;
    await new Promise((done) => setTimeout(done, role.ms * after));
    await session.notify('notifications/cancelled', { requestId: id, reason: 'a test' }, { settle: false });
    const asked = session.model.requests.get(keyOf(id));
    // what is in the pipe already may still come
    await session.barrier('request');
    await new Promise((done) => setTimeout(done, 30));
    const inTransit = asked?.answers ?? 0;
    if (asked !== undefined && inTransit === 0) asked.cancelled = true;
    if (other === undefined) await new Promise((done) => setTimeout(done, role.ms * 1.2 + 150));
    else {
      const answer = await other;
      judge.check('CAN-ISOLATED', answer.result !== undefined, 'the other call ends as it would alone', () => outcomeText(session, answer));
    }
    await session.barrier('request');
    const late = (asked?.answers ?? 0) - inTransit;
    if (after > 0 && after < 0.5)
      judge.check(
        'CAN-NO-RESPONSE',
        late === 0,
        'no response for a cancelled request',
        () => `a response to ${id} came after its cancellation`,
      );
    judge.check(
      'CAN-RACE',
      (asked?.answers ?? 0) <= 1 && session.ended === undefined,
      'at most one response',
      `${asked?.answers} responses`,
    );
    void running;
  },
});

const cancelDone = property<{ kind: 'finished' | 'other type' }>({
  name: 'streams/cancel-finished',
  area: 'cancellation',
  phase: 'stateful',
  stems: ['CAN-UNKNOWN-IGNORED', 'CAN-RACE'],
  cases: () => ({ boundaries: [{ kind: 'finished' }, { kind: 'other type' }] }),
  async run({ session, subject }, { kind }) {
    const id = session.freshId();
    await session.request(cheapMethod(subject), undefined, { id });
    await session.notify('notifications/cancelled', { requestId: kind === 'finished' ? id : String(id) });
    const answer = await session.request(cheapMethod(subject));
    session.judge.check('CAN-UNKNOWN-IGNORED', answer.result !== undefined, 'the next request is answered', () =>
      outcomeText(session, answer),
    );
  },
});

const logLevels = property<{ level: string; good: boolean }>({
  name: 'streams/log-levels',
  area: 'logging',
  phase: 'stateful',
  stems: ['LOG-SETLEVEL', 'LOG-FILTER', 'LOG-INVALID-LEVEL', 'LOG-CAP', 'LOG-LEVEL-ENUM', 'LOG-NO-SECRETS'],
  eras: ['legacy'],
  skip: (subject) => (Object.hasOwn(subject.capabilities, 'logging') ? undefined : 'the server does not declare logging'),
  cases: () => ({
    boundaries: [
      ...['warn', 'INFO', '', 'x', '__proto__'].map((level) => ({ level, good: false })),
      ...[...LOG_LEVELS].reverse().map((level) => ({ level, good: true })),
    ],
  }),
  async run({ session, subject }, { level, good }) {
    const answer = await session.request('logging/setLevel', { level });
    if (!good) {
      refused(session, answer, 'LOG-INVALID-LEVEL', { codes: [-32602], what: `the level ${shown(level)}` });
      return;
    }
    session.judge.check('LOG-SETLEVEL', answer.result !== undefined, `the level ${level} is accepted`, () => outcomeText(session, answer));
    session.model.logLevel = level;
    const talker = subject.roles.find(({ logs, failed }) => logs && !failed);
    if (talker !== undefined) await call(session, talker, {});
    await session.barrier();
    session.model.logLevel = undefined;
  },
});

const logOptIn = property<{ level: string | null; good: boolean }>({
  name: 'streams/log-opt-in',
  area: 'logging',
  phase: 'stateful',
  stems: [
    'LOG-OPT-IN',
    'LOG-AT-OR-ABOVE',
    'LOG-SCOPED',
    'LOG-NOT-STICKY',
    'LOG-INVALID-LEVEL',
    'LOG-CAP',
    'LOG-LEVEL-ENUM',
    'LOG-NO-SECRETS',
  ],
  eras: ['modern'],
  cases: () => ({
    boundaries: [
      ...[null, ...LOG_LEVELS].map((level) => ({ level, good: true })),
      ...['warn', 'INFO', '', '__proto__'].map((level) => ({ level, good: false })),
    ],
  }),
  async run({ session, subject }, { level, good }) {
    if (!good) {
      if (!Object.hasOwn(subject.capabilities, 'logging')) return;
      const target = subject.callable[0];
      const bad =
        target?.sample === undefined
          ? await session.request(cheapMethod(subject), undefined, { meta: { [META.logLevel]: level } })
          : await session.request('tools/call', { name: target.name, arguments: target.sample }, { meta: { [META.logLevel]: level } });
      if (bad.message !== undefined) refused(session, bad, 'LOG-INVALID-LEVEL', { codes: [-32602], what: `logLevel ${shown(level)}` });
      return;
    }
    const talker = subject.roles.find(({ logs, failed }) => logs && !failed) ?? subject.roles.find(({ failed }) => !failed);
    if (talker === undefined) return;
    if (level !== null) await call(session, talker, { [META.logLevel]: level });
    const answer = await call(session, talker, {});
    const spoke = answer.others.some(({ value }) => at(value, 'method') === 'notifications/message');
    session.judge.check('LOG-OPT-IN', !spoke, 'no log messages without logLevel', () => shown(answer.others[0]?.value));
    if (level !== null)
      session.judge.check('LOG-NOT-STICKY', !spoke, 'the level of one request does not apply to later ones', () =>
        shown(answer.others[0]?.value),
      );
    session.judge.check('LOG-SCOPED', true, '', '');
  },
});

const listen = property<{ id: string | number; filter: JsonObject }>({
  name: 'streams/listen',
  area: 'subscriptions',
  phase: 'stateful',
  stems: [
    'SUB-ACK-FIRST',
    'SUB-ID',
    'SUB-ACK-SUBSET',
    'SUB-REQ-SCOPED-NOT',
    'SUB-FILTER',
    'SUB-CANCEL',
    'PAT-NOTIF-SCOPED',
    'CAN-SERVER-ONLY-LISTEN',
  ],
  eras: ['modern'],
  fresh: true,
  skip: (subject) =>
    ['tools', 'resources', 'prompts'].some((name) => at(subject.capabilities, name, 'listChanged') === true) ||
    at(subject.capabilities, 'resources', 'subscribe') === true
      ? undefined
      : 'the server declares nothing to listen to',
  cases(subject) {
    const uri = subject.resources[0]?.['uri'];
    const filters: JsonObject[] = [
      { toolsListChanged: true },
      { promptsListChanged: true, resourcesListChanged: true },
      {},
      ...(uri === undefined ? [] : [{ resourceSubscriptions: [uri] }]),
    ];
    return {
      boundaries: [
        ...['listen-1', 0, '7'].map((id) => ({ id, filter: filters[0] ?? {} })),
        ...filters.slice(1).map((filter) => ({ id: 'listen-1', filter })),
      ],
    };
  },
  async run({ session, subject }, { id, filter }) {
    const { judge, model } = session;
    model.listens.set(keyOf(id), { acknowledged: false, filter, ended: false });
    const before = session.frames.length;
    const running = session.ask(session.compose('subscriptions/listen', { notifications: filter }, { id }), {
      limitMs: 1500,
      provoked: true,
    });
    const state = model.listens.get(keyOf(id));
    for (let round = 0; round < 10 && state?.acknowledged === false && model.requests.get(keyOf(id))?.answers === 0; round++) {
      await session.barrier('request');
      await new Promise((done) => setTimeout(done, 10));
    }
    const first = session.frames
      .slice(before)
      .find(({ value }) => at(value, 'params', '_meta', META.subscriptionId) !== undefined || (at(value, 'id') === id && isObject(value)));
    if (at(first?.value, 'error') === undefined) {
      judge.check('SUB-ACK-FIRST', at(first?.value, 'method') === 'notifications/subscriptions/acknowledged', 'the acknowledgement', () =>
        shown(first?.value),
      );
      judge.check('SUB-ID', at(first?.value, 'params', '_meta', META.subscriptionId) === id, `the subscription id ${shown(id)}`, () =>
        shown(first?.value),
      );
    }
    const role = reporting(subject) ?? subject.roles.find(({ failed }) => !failed);
    if (role !== undefined) await call(session, role, { progressToken: 'while-listening', [META.logLevel]: 'debug' });
    judge.check('SUB-REQ-SCOPED-NOT', true, '', '');
    if (session.wire.kind === 'stdio') await session.notify('notifications/cancelled', { requestId: id }, { settle: false });
    await session.barrier('request');
    if (state !== undefined) state.ended = true;
    await running;
    await session.close();
  },
});

/** The properties of what happens while something runs. */
export const STREAMS: readonly Property[] = [tokens, cancel, cancelDone, logLevels, logOptIn, listen];
