/** Tasks of 2025-11-25 (Utilities, Tasks): what a server declares and refuses. Their lives are in task-flow.ts. */
import { isObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { noCalls, outcomeText, refusedWith } from './expect.ts';
import { declares, noTaskTools, roleOf, support, TTL } from './task-life.ts';

const legacy = ['legacy'] as const;

const undeclared = property<{ tool: string }>({
  name: 'tasks/undeclared',
  area: 'tasks',
  phase: 'boundaries',
  stems: ['TASK-CAP', 'TASK-IGNORED'],
  eras: legacy,
  skip: (subject) => (declares(subject) ? 'the server declares tasks for tool calls' : noCalls(subject)),
  cases: (subject) => ({
    boundaries: subject.roles
      .filter(({ failed, ms }) => !failed && ms < 1000)
      .slice(0, 2)
      .map(({ tool }) => ({ tool: tool.name })),
  }),
  async run({ session, subject }, { tool }) {
    const sample = roleOf(subject, tool)?.tool.sample ?? {};
    const answer = await session.request('tools/call', { name: tool, arguments: sample, task: { ttl: TTL } });
    const made = isObject(at(answer.result, 'task'));
    session.judge.check('TASK-CAP', !made, 'no task from a server that does not declare tasks', () => shown(answer.result));
    // the low-level server of the v1 SDK refuses with -32603
    session.judge.check(
      'TASK-IGNORED',
      answer.result !== undefined && !made,
      'the ordinary result: the task is ignored',
      () => outcomeText(session, answer),
      at(answer.error, 'code') === -32603 ? 'warning' : undefined,
    );
  },
});

const declared = property<{ what: 'capability' | 'list' | 'cancel' }>({
  name: 'tasks/declared',
  area: 'tasks',
  phase: 'static',
  stems: ['TASK-CAP', 'TASK-LIST-CURSOR'],
  eras: legacy,
  skip: (subject) => (isObject(subject.capabilities['tasks']) ? undefined : 'the server does not declare tasks'),
  cases: () => ({ boundaries: [{ what: 'capability' }, { what: 'list' }, { what: 'cancel' }] }),
  async run({ session, subject }, { what }) {
    const { judge } = session;
    const tasks = subject.capabilities['tasks'];
    if (what === 'capability') {
      const takes = subject.tools.filter(({ definition }) =>
        ['optional', 'required'].includes(String(at(definition, 'execution', 'taskSupport'))),
      );
      judge.check(
        'TASK-CAP',
        takes.length === 0 || declares(subject),
        'tasks.requests.tools.call, for there are tools that take tasks',
        () => `${shown(tasks)}; ${takes.map(({ name }) => name).join(', ')}`,
      );
      return;
    }
    const has = isObject(at(tasks, what));
    const answer =
      what === 'list' ? await session.request('tasks/list') : await session.request('tasks/cancel', { taskId: 'no-such-task' });
    const known = answer.result !== undefined || at(answer.error, 'code') !== -32601;
    if (has) judge.check('TASK-CAP', known, `tasks/${what}, which is declared`, () => outcomeText(session, answer));
    if (what !== 'list' || !has) return;
    const wrong = await session.request('tasks/list', { cursor: 'no such cursor \u0000' });
    // a list of one page may look at no cursor at all: good servers do
    const paged = typeof at(answer.result, 'nextCursor') === 'string';
    judge.check(
      'TASK-LIST-CURSOR',
      at(wrong.error, 'code') === -32602,
      '-32602 for a cursor that was never given',
      () => outcomeText(session, wrong),
      paged ? undefined : 'note',
    );
  },
});

const supported = property<{ tool: string; task: boolean }>({
  name: 'tasks/support',
  area: 'tasks',
  phase: 'boundaries',
  stems: ['TASK-FORBIDDEN', 'TASK-REQUIRED'],
  eras: legacy,
  skip: noTaskTools,
  cases: (subject) => ({
    boundaries: [
      ...subject.roles
        .filter((role) => support(role) === 'forbidden' && !role.failed && role.ms < 1000)
        .slice(0, 2)
        .map(({ tool }) => ({ tool: tool.name, task: true })),
      ...subject.roles
        .filter((role) => support(role) === 'required')
        .slice(0, 2)
        .map(({ tool }) => ({ tool: tool.name, task: false })),
    ],
  }),
  async run({ session, subject }, { tool, task }) {
    const role = roleOf(subject, tool);
    if (role === undefined) return;
    const answer = await session.request('tools/call', {
      name: tool,
      arguments: role.tool.sample ?? {},
      ...(task ? { task: { ttl: TTL } } : {}),
    });
    if (task) refusedWith(session, answer, 'TASK-FORBIDDEN', [-32601], `a task of ${tool}, which takes none`);
    else {
      // the v1 SDK says so in a result with isError
      const said = answer.result?.['isError'] === true;
      const right = at(answer.error, 'code') === -32601;
      session.judge.check(
        'TASK-REQUIRED',
        right,
        `code -32601 for a plain call of ${tool}, which takes tasks only`,
        () => outcomeText(session, answer),
        said ? 'warning' : undefined,
      );
    }
  },
});

const unknown = property<{ method: string; taskId: string }>({
  name: 'tasks/unknown',
  area: 'tasks',
  phase: 'boundaries',
  stems: ['TASK-UNKNOWN'],
  eras: legacy,
  skip: noTaskTools,
  cases: (subject) => ({
    boundaries: ['tasks/get', 'tasks/result', ...(isObject(at(subject.capabilities, 'tasks', 'cancel')) ? ['tasks/cancel'] : [])].flatMap(
      (method) => ['no-such-task', '', '__proto__', 'é😀'].map((taskId) => ({ method, taskId })),
    ),
  }),
  async run({ session }, { method, taskId }) {
    const answer = await session.request(method, { taskId });
    refusedWith(session, answer, 'TASK-UNKNOWN', [-32602], `the task ${shown(taskId)} in ${method}`);
  },
});

/** The properties of what is declared. */
export const TASKS: readonly Property[] = [declared, undeclared, supported, unknown];
