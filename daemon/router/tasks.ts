/**
 * Tasks that servers run (2025-11-25 "Tasks"; the extension `io.modelcontextprotocol/tasks` of 2026-07-28): their ids name the server behind
 * them, so that what a client asks of a task later finds its way, and open nothing to anybody but the client that made them.
 */
import { SignalboxError } from '../api/errors.ts';
import type { Sealer } from '../api/seal.ts';
import { isObject, type JsonObject, type Outcome } from '../protocol/message.ts';
import { hasMember, memberOf, withMembers } from '../protocol/outcome.ts';
import type { ClientCall } from './call.ts';
import type { Member } from './member.ts';

/** Methods that name a task. */
export const TASK_METHODS: ReadonlySet<string> = new Set(['tasks/get', 'tasks/update', 'tasks/cancel', 'tasks/result']);
const RELATED = 'io.modelcontextprotocol/related-task';
/** Tasks of one client that its list shows. */
const GIVEN_LIMIT = 1000;

/** Whether an answer to a call says that a task was begun: `task` in the legacy era, `resultType` in the modern one. */
export function isTask(outcome: Outcome): boolean {
  return hasMember(outcome, 'task') || (hasMember(outcome, 'taskId') && memberOf(outcome, 'resultType') === 'task');
}

const onlyAsTasks = new WeakMap<readonly JsonObject[], ReadonlySet<unknown>>();

/** Whether a legacy server runs this tool only as a task (`execution.taskSupport: "required"`). */
export function onlyAsTask(tools: readonly JsonObject[], name: string): boolean {
  let names = onlyAsTasks.get(tools);
  if (names === undefined) {
    const required = tools.filter(({ execution }) => isObject(execution) && execution['taskSupport'] === 'required');
    names = new Set(required.map((tool) => tool['name']));
    onlyAsTasks.set(tools, names);
  }
  return names.has(name);
}

/** Makes and reads exposed task ids. */
export class TaskIds {
  readonly #sealer: Sealer;

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  /** What a client was told of, and so may find in a list: a server that several share lists everybody's. Oldest first. */
  readonly #given = new Map<string, Set<string>>();

  /** The id a client knows a task by: the same one each time, url-safe. */
  exposed(member: Member, principal: string, id: string): string {
    const name = Buffer.from(JSON.stringify([member.server.name, id])).toString('base64url');
    return `${name}.${this.#signature(name, principal)}`;
  }

  /**
   * The server and its own id of a task.
   * @throws SBX_TASK_UNKNOWN when the id was not given to this client, or its server is gone
   */
  route(members: readonly Member[], principal: string, exposed: unknown): { readonly member: Member; readonly id: string } {
    const [name = '', signature] = String(exposed).split('.');
    if (signature !== undefined && signature === this.#signature(name, principal)) {
      const [server, id] = JSON.parse(Buffer.from(name, 'base64url').toString('utf8')) as [string, string];
      const member = members.find((candidate) => candidate.server.name === server);
      if (member !== undefined) return { member, id };
    }
    throw new SignalboxError('SBX_TASK_UNKNOWN', 'The task is not known.', {
      why: 'Its id was not given to this client, or its server is no longer configured.',
      fix: 'Use the taskId exactly as it was answered; start the work again if its server is gone.',
    });
  }

  /** An outcome of `tools/call` or of a task method with every task id as the client knows it. */
  exposeIn(outcome: Outcome, member: Member, { caller: { principal } }: ClientCall): Outcome {
    if ('error' in outcome) return outcome;
    const rename = (task: JsonObject): JsonObject =>
      typeof task['taskId'] === 'string' ? { ...task, taskId: this.#give(member, principal, task['taskId']) } : task;
    const add: JsonObject = {};
    const taskId = memberOf(outcome, 'taskId');
    const task = memberOf(outcome, 'task');
    const meta = memberOf(outcome, '_meta');
    if (typeof taskId === 'string') add['taskId'] = this.#give(member, principal, taskId);
    if (isObject(task)) add['task'] = rename(task);
    if (isObject(meta) && isObject(meta[RELATED])) add['_meta'] = { ...meta, [RELATED]: rename(meta[RELATED]) };
    return Object.keys(add).length === 0 ? outcome : withMembers(outcome, add);
  }

  /** The tasks of a `tasks/list` page that are this client's, renamed. */
  exposeList(tasks: unknown, member: Member, principal: string): readonly JsonObject[] {
    if (!Array.isArray(tasks)) return [];
    return tasks.filter(isObject).flatMap((task) => {
      const taskId = this.exposed(member, principal, String(task['taskId']));
      return this.#given.get(principal)?.has(taskId) === true ? [{ ...task, taskId }] : [];
    });
  }

  #give(member: Member, principal: string, id: string): string {
    const exposed = this.exposed(member, principal, id);
    const given = this.#given.get(principal) ?? new Set<string>();
    this.#given.set(principal, given);
    given.delete(exposed);
    given.add(exposed);
    for (const oldest of given) {
      if (given.size <= GIVEN_LIMIT) break;
      given.delete(oldest);
    }
    return exposed;
  }

  #signature(name: string, principal: string): string {
    return this.#sealer.sign(`task\n${principal}\n${name}`);
  }
}

/** What a legacy client may be told of tasks: that of all its servers together; undefined when none runs any. */
export function tasksCapability(capabilities: readonly JsonObject[]): JsonObject | undefined {
  const declared = capabilities.map(({ tasks }) => tasks).filter(isObject);
  if (declared.length === 0) return undefined;
  return Object.assign({}, ...declared) as JsonObject;
}
