/** Making a task and following it to its end. */
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import type { Session } from '../engine/session.ts';
import type { Role, Subject } from '../engine/subject.ts';
import { outcomeText } from './expect.ts';

/** The key of the metadata that names a task. */
export const RELATED = 'io.modelcontextprotocol/related-task';
/** Milliseconds a task is asked to be kept. */
export const TTL = 60_000;

const STATUSES = ['working', 'input_required', 'completed', 'failed', 'cancelled'];
const TERMINAL = ['completed', 'failed', 'cancelled'];
/** Times a task is asked for before it counts as one that never ends. */
const POLLS = 80;

/** What a tool says of tasks; `forbidden` when it says nothing. */
export const support = (role: Role): string => String(at(role.tool.definition, 'execution', 'taskSupport') ?? 'forbidden');

/** Whether the server declares tasks. */
export const declares = (subject: Subject): boolean => isObject(at(subject.capabilities, 'tasks', 'requests', 'tools', 'call'));

/** The tools that may be called as tasks, quickest first. */
export const capable = (subject: Subject): readonly Role[] =>
  declares(subject)
    ? [...subject.roles].filter((role) => ['optional', 'required'].includes(support(role))).sort((one, other) => one.ms - other.ms)
    : [];

/** Why a property about tasks cannot run. */
export const noTasks = (subject: Subject): string | undefined =>
  noTaskTools(subject) ?? (capable(subject).length === 0 ? 'no tool that may be called takes a task' : undefined);
/** Why a property that needs a tool that runs as a task cannot run. */
export const noTaskTools = (subject: Subject): string | undefined =>
  declares(subject) ? undefined : 'the server does not declare tasks for tool calls';

/** What is known of a tool that may be called. */
export const roleOf = (subject: Subject, name: string): Role | undefined => subject.roles.find(({ tool }) => tool.name === name);

/** Whether a task has come to its end. */
export const isTerminal = (task: unknown): boolean => TERMINAL.includes(String(at(task, 'status')));

/** Whether the statuses that were seen follow each other as they may: what was not seen in between is forgiven. */
export function moved(statuses: readonly string[]): boolean {
  const end = statuses.findIndex((status) => TERMINAL.includes(status));
  return statuses.every((status, index) => STATUSES.includes(status) && (end < 0 || index <= end || status === statuses[end]));
}

/** What is wrong with a task; undefined for a good one. */
export function taskProblem(task: unknown): string | undefined {
  if (!isObject(task)) return 'it is no object';
  if (typeof task['taskId'] !== 'string' || task['taskId'] === '') return 'taskId';
  if (!STATUSES.includes(String(task['status']))) return 'status';
  for (const time of ['createdAt', 'lastUpdatedAt']) if (!isTime(task[time])) return time;
  if (task['ttl'] !== null && typeof task['ttl'] !== 'number') return 'ttl';
  return undefined;
}

/** ISO 8601, with date and time. */
function isTime(value: unknown): boolean {
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(value) && !Number.isNaN(Date.parse(value));
}

/** Calls a tool as a task and judges what comes. Returns the task; undefined when there is none. */
export async function create(session: Session, role: Role, meta: JsonObject = {}): Promise<JsonObject | undefined> {
  const { judge } = session;
  const params = { name: role.tool.name, arguments: role.tool.sample ?? {}, task: { ttl: TTL } };
  const answer = await session.request('tools/call', params, { meta, limitMs: role.ms * 4 + 5000 });
  const task = at(answer.result, 'task');
  const good = isObject(task) && !Object.hasOwn(answer.result ?? {}, 'content');
  judge.check('TASK-CREATE', good, 'a CreateTaskResult: `task`, and not the result of the tool', () => outcomeText(session, answer));
  if (!isObject(task)) return undefined;
  const { taskId, status } = task;
  judge.check('TASK-ID', typeof taskId === 'string' && taskId !== '', 'taskId: a string', () => shown(task));
  judge.check('TASK-WORKING', status === 'working', 'status working', () => shown(task));
  timed(session, task, 'the response of the call');
  // a tool that is over at once says nothing about whether it was waited for
  if (role.ms > 400)
    judge.check(
      'TASK-CREATE-PROMPT',
      answer.ms < role.ms * 0.7,
      'the task at once, before its work is done',
      `${Math.round(answer.ms)} ms for a call of ${Math.round(role.ms)} ms`,
    );
  return typeof taskId === 'string' ? task : undefined;
}

function timed(session: Session, task: JsonObject, where: string): void {
  session.judge.check(
    'TASK-TIMESTAMPS',
    isTime(task['createdAt']) && isTime(task['lastUpdatedAt']),
    `createdAt and lastUpdatedAt in ${where}`,
    () => shown(task),
  );
}

/**
 * Asks for a task until it has ended.
 * @param statuses gets every status that differs from the one before
 * @returns the task as it was seen last
 */
export async function finalTask(session: Session, role: Role, task: JsonObject, statuses: string[] = []): Promise<JsonObject | undefined> {
  const { judge } = session;
  let last: JsonObject | undefined;
  for (let poll = 0; poll < POLLS && session.ended === undefined; poll++) {
    const answer = await session.request('tasks/get', { taskId: task['taskId'] });
    if (answer.result === undefined) return last;
    last = answer.result;
    timed(session, last, 'tasks/get');
    judge.check('TASK-TTL', last['ttl'] === null || typeof last['ttl'] === 'number', 'ttl: a number or null', () => shown(last));
    judge.check('TASK-META-SHOULDNOT', at(last, '_meta', RELATED) === undefined, 'no related task in the result of tasks/get', () =>
      shown(last),
    );
    if (statuses.at(-1) !== last['status']) statuses.push(String(last['status']));
    if (isTerminal(last)) return last;
    // its own word on how often to ask, within reason
    const wait = typeof last['pollInterval'] === 'number' ? last['pollInterval'] : Math.max(30, role.ms / 10);
    await new Promise((done) => setTimeout(done, Math.min(Math.max(wait, 20), 500)));
  }
  return last;
}
