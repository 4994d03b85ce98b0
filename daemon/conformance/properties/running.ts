import { at, shown } from '../engine/judge.ts';
import { keyOf } from '../engine/model.ts';
import { type Property, property } from '../engine/property.ts';
import type { Role } from '../engine/subject.ts';
import { call, noProgress, noSlow, reporting, slowest } from './calling.ts';
import { cheapMethod, outcomeText } from './expect.ts';

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
    return { boundaries: lists.slice(0, (reporting(subject)?.ms ?? 0) > 300 ? 3 : lists.length).map((list) => ({ tokens: list })) };
  },
  async run({ session, subject }, { tokens: list }) {
    const role = reporting(subject) as Role;
    session.model.progress.clear();
    const answers = await Promise.all(list.map((token) => call(session, role, { progressToken: token })));
    for (const [index, answer] of answers.entries()) {
      // on whatever stream: which one is right has a rule of its own
      const mine = session.frames.filter(
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
  stems: ['CAN-NO-RESPONSE', 'CAN-NO-MESSAGES', 'CAN-ISOLATED', 'CAN-RACE', 'CAN-STOP'],
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
    const token: { progressToken?: string } = role.progress ? { progressToken: `cancel-${session.freshId()}` } : {};
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
    const settled = session.frames.length;
    if (asked !== undefined && inTransit === 0) asked.cancelled = true;
    // what is answered already has no more to come than a second answer right behind the first
    if (other === undefined) await new Promise((done) => setTimeout(done, inTransit > 0 ? 150 : role.ms * 1.2 + 150));
    else {
      const answer = await other;
      judge.check('CAN-ISOLATED', answer.result !== undefined, 'the other call ends as it would alone', () => outcomeText(session, answer));
    }
    await session.barrier('request');
    // a server that had answered before says nothing by going on
    const reports = session.frames
      .slice(settled)
      .filter(({ value }) => role.progress && at(value, 'params', 'progressToken') === token.progressToken);
    if (after > 0 && after < 0.5 && role.progress && inTransit === 0)
      judge.check(
        'CAN-STOP',
        reports.length === 0,
        'no progress once the call is cancelled',
        () => shown(reports.map(({ value }) => value)),
        'warning',
      );
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

const cancelAlike = property<{ id: number | string }>({
  name: 'streams/cancel-alike',
  area: 'cancellation',
  phase: 'stateful',
  stems: ['CAN-ISOLATED', 'CAN-UNKNOWN-IGNORED'],
  skip: (subject) =>
    subject.transport === 'http' && subject.era === 'modern'
      ? 'over HTTP a modern request is cancelled by closing its stream'
      : noSlow(subject),
  cases: () => ({ boundaries: [{ id: 41_001 }, { id: '41002' }] }),
  async run({ session, subject }, { id }) {
    const role = slowest(subject) as Role;
    const running = call(session, role, {}, { id });
    await new Promise((done) => setTimeout(done, role.ms * 0.2));
    const alike = typeof id === 'number' ? String(id) : Number(id);
    await session.notify('notifications/cancelled', { requestId: alike }, { settle: false });
    const answer = await running;
    for (const stem of ['CAN-ISOLATED', 'CAN-UNKNOWN-IGNORED'])
      session.judge.check(
        stem,
        answer.result !== undefined,
        `the call with the id ${shown(id)} ends well, ${shown(alike)} is another id`,
        () => outcomeText(session, answer),
      );
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

/** The properties of running requests. */
export const RUNNING: readonly Property[] = [tokens, cancel, cancelAlike, cancelDone];
