/** Tasks of 2025-11-25 (Utilities, Tasks): the life of one task after the other. */
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import type { Session } from '../engine/session.ts';
import { type Role, type Subject, walk } from '../engine/subject.ts';
import { call } from './calling.ts';
import { outcomeText, refusedWith } from './expect.ts';
import { capable, create, finalTask, isTerminal, moved, noTasks, RELATED, roleOf, support, taskProblem } from './task-life.ts';

const legacy = ['legacy'] as const;

/** The quickest tools that take tasks, and the slowest. */
const several = (subject: Subject): { boundaries: readonly { tool: string }[] } => {
  const roles = capable(subject);
  return { boundaries: [...new Set([...roles.slice(0, 2), ...roles.slice(-2)])].map(({ tool }) => ({ tool: tool.name })) };
};

const life = property<{ tool: string }>({
  name: 'tasks/life',
  area: 'tasks',
  phase: 'stateful',
  stems: [
    'TASK-CREATE',
    'TASK-CREATE-PROMPT',
    'TASK-ID',
    'TASK-WORKING',
    'TASK-TRANSITIONS',
    'TASK-TERMINAL',
    'TASK-TIMESTAMPS',
    'TASK-TTL',
    'TASK-RESULT-META',
    'TASK-RESULT-SAME',
    'TASK-META-SHOULDNOT',
    'TASK-STATUS-NOTIF',
    'TASK-FAILED',
    'TASK-PROGRESS',
  ],
  eras: legacy,
  fresh: true,
  skip: noTasks,
  cases: several,
  async run({ session, subject }, { tool }) {
    const { judge } = session;
    const role = roleOf(subject, tool);
    if (role === undefined) return;
    const token = `task-${tool}`;
    const made = await create(session, role, { progressToken: token });
    if (made === undefined) return;
    const statuses = [String(made['status'])];
    const last = await finalTask(session, role, made, statuses);
    judge.check('TASK-TRANSITIONS', moved(statuses), 'working ⇄ input_required, then one terminal status', statuses.join(' → '));
    if (last === undefined || !isTerminal(last)) return;
    const taskId = made['taskId'];
    const answer = await session.request('tasks/result', { taskId }, { limitMs: role.ms * 4 + 5000 });
    if (answer.result !== undefined)
      judge.check(
        'TASK-RESULT-META',
        at(answer.result, '_meta', RELATED, 'taskId') === taskId,
        `_meta["${RELATED}"] with the task's id`,
        () => shown(answer.result?.['_meta']),
      );
    if (support(role) === 'optional') await same(session, role, answer.result);
    if (answer.result?.['isError'] === true)
      judge.check(
        'TASK-FAILED',
        last['status'] === 'failed' && typeof last['statusMessage'] === 'string',
        'status failed with a statusMessage, for the result has isError',
        () => shown(last),
      );
    const after = await session.request('tasks/get', { taskId });
    judge.check('TASK-TERMINAL', at(after.result, 'status') === last['status'], `still ${shown(last['status'])}`, () =>
      shown(after.result),
    );
    const told = session.frames.map(({ value }) => value).filter((value) => at(value, 'method') === 'notifications/tasks/status');
    for (const notification of told)
      judge.check('TASK-STATUS-NOTIF', taskProblem(at(notification, 'params')) === undefined, 'the whole task', () => shown(notification));
    const progress = session.frames.filter(({ value }) => at(value, 'method') === 'notifications/progress');
    if (progress.length > 0)
      judge.check(
        'TASK-PROGRESS',
        progress.every(({ value }) => at(value, 'params', 'progressToken') === token) && !lateProgress(session),
        'progress with the token of the call, and none after the task has ended',
        () => shown(progress.map(({ value }) => at(value, 'params'))),
      );
  },
});

/** Whether progress came after the first `tasks/get` that said that the task is over. */
function lateProgress(session: Session): boolean {
  const over = session.frames.findIndex(({ value }) => isTerminal(at(value, 'result')) && at(value, 'result', 'taskId') !== undefined);
  return over >= 0 && session.frames.slice(over).some(({ value }) => at(value, 'method') === 'notifications/progress');
}

/** The result of a task is that of the plain call, where two plain calls agree. */
async function same(session: Session, role: Role, result: JsonObject | undefined): Promise<void> {
  const plain = (one: JsonObject | undefined): string => {
    const { _meta, ...rest } = one ?? {};
    return canonical(rest);
  };
  const [one, two] = [await call(session, role, {}), await call(session, role, {})];
  if (one.result === undefined || plain(one.result) !== plain(two.result)) return;
  session.judge.check(
    'TASK-RESULT-SAME',
    plain(result) === plain(one.result),
    'what the plain call gives',
    () => `${shown(result)} and ${shown(one.result)}`,
  );
}

const blocking = property<{ tool: string }>({
  name: 'tasks/result-waits',
  area: 'tasks',
  phase: 'stateful',
  stems: ['TASK-RESULT-BLOCK', 'TASK-CREATE'],
  eras: legacy,
  skip: noTasks,
  cases: (subject) => ({
    boundaries: capable(subject)
      .slice(-1)
      .map(({ tool }) => ({ tool: tool.name })),
  }),
  async run({ session, subject }, { tool }) {
    const role = roleOf(subject, tool);
    const made = role === undefined ? undefined : await create(session, role);
    if (role === undefined || made === undefined) return;
    const answer = await session.request('tasks/result', { taskId: made['taskId'] }, { limitMs: role.ms * 4 + 10_000 });
    const then = await session.request('tasks/get', { taskId: made['taskId'] });
    session.judge.check(
      'TASK-RESULT-BLOCK',
      answer.message !== undefined && isTerminal(then.result),
      'the result when the task has ended, not before',
      () => `${outcomeText(session, answer)}; then ${shown(then.result)}`,
    );
  },
});

const identity = property<{ tool: string }>({
  name: 'tasks/identity',
  area: 'tasks',
  phase: 'stateful',
  stems: ['TASK-ID', 'TASK-ID-ENTROPY', 'TASK-PARAM-WINS', 'TASK-LIST-COMPLETE', 'TASK-META-SHOULDNOT'],
  // on a connection of its own every task is known that the list must have
  fresh: true,
  eras: legacy,
  skip: noTasks,
  cases: (subject) => ({ boundaries: several(subject).boundaries.slice(0, 1) }),
  async run({ session, subject }, { tool }) {
    const { judge } = session;
    const role = roleOf(subject, tool);
    if (role === undefined) return;
    const made: JsonObject[] = [];
    for (let count = 0; count < 3; count++) {
      const task = await create(session, role);
      if (task !== undefined) made.push(task);
    }
    const ids = made.map(({ taskId }) => taskId);
    if (ids.length < 3) return;
    judge.check('TASK-ID', new Set(ids).size === ids.length, 'an id of its own for each task', () => shown(ids));
    const texts = ids.map(String);
    // 128 bits are 22 characters of base64; counters and clocks are shorter, or differ at their ends only
    const strong = texts.every((id) => id.replaceAll(/[^A-Za-z0-9]/g, '').length >= 16) && differ(texts);
    judge.check('TASK-ID-ENTROPY', strong, 'ids that cannot be guessed', () => shown(ids), 'warning');
    const other = await session.request('tasks/get', { taskId: ids[0] }, { meta: { [RELATED]: { taskId: ids[1] } }, provoked: true });
    // the v1 SDK puts the answer into the queue of the task that _meta names, where nobody waits for it
    judge.check(
      'TASK-PARAM-WINS',
      at(other.result, 'taskId') === ids[0],
      'the task of the parameter, whatever _meta says',
      () => outcomeText(session, other),
      other.message === undefined ? 'warning' : undefined,
    );
    if (isObject(at(subject.capabilities, 'tasks', 'list'))) {
      const { items, ended: whole } = await walk(session, 'tasks/list', 'tasks');
      const listed = new Set(items.map(({ taskId }) => taskId));
      if (whole)
        judge.check(
          'TASK-LIST-COMPLETE',
          ids.every((id) => listed.has(id)),
          'every task that can be asked for is listed',
          () => `${shown([...listed])} without ${shown(ids.filter((id) => !listed.has(id)))}`,
        );
    }
    for (const task of made) await finalTask(session, role, task);
  },
});

/** Whether ids differ in more than their last few characters. */
function differ(ids: readonly string[]): boolean {
  return ids.slice(1).every((id, index) => {
    const before = ids[index] ?? '';
    return [...id].filter((character, at) => character !== before[at]).length >= 6;
  });
}

const cancelling = property<{ tool: string }>({
  name: 'tasks/cancel',
  area: 'tasks',
  phase: 'stateful',
  stems: ['TASK-CANCEL', 'TASK-CANCEL-TERMINAL', 'TASK-TERMINAL', 'TASK-META-SHOULDNOT'],
  eras: legacy,
  skip: (subject) =>
    noTasks(subject) ?? (isObject(at(subject.capabilities, 'tasks', 'cancel')) ? undefined : 'the server does not declare tasks.cancel'),
  cases: (subject) => ({
    boundaries: capable(subject)
      .slice(-1)
      .map(({ tool }) => ({ tool: tool.name })),
  }),
  async run({ session, subject }, { tool }) {
    const { judge } = session;
    const role = roleOf(subject, tool);
    const made = role === undefined ? undefined : await create(session, role);
    if (role === undefined || made === undefined) return;
    const { taskId } = made;
    const answer = await session.request('tasks/cancel', { taskId });
    if (answer.result !== undefined) {
      judge.check(
        'TASK-META-SHOULDNOT',
        at(answer.result, '_meta', RELATED) === undefined,
        'no related task in the result of tasks/cancel',
        () => shown(answer.result),
      );
      judge.check('TASK-CANCEL', answer.result['status'] === 'cancelled', 'status cancelled in the response', () => shown(answer.result));
      // what runs on must not bring it back to life
      await new Promise((done) => setTimeout(done, Math.min(role.ms + 200, 3000)));
      const then = await session.request('tasks/get', { taskId });
      judge.check('TASK-CANCEL', at(then.result, 'status') === 'cancelled', 'still cancelled', () => shown(then.result));
    } else if (!isTerminal((await session.request('tasks/get', { taskId })).result)) {
      judge.check('TASK-CANCEL', false, 'a running task is cancelled', () => outcomeText(session, answer));
      return;
    }
    const again = await session.request('tasks/cancel', { taskId });
    refusedWith(session, again, 'TASK-CANCEL-TERMINAL', [-32602], 'a task that has ended');
  },
});

/** The properties of their lives. */
export const TASK_FLOW: readonly Property[] = [life, blocking, identity, cancelling];
