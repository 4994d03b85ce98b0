/** What clients ask of tasks, carried to the servers that run them. */
import { isObject, type JsonObject, type Outcome } from '../protocol/message.ts';
import type { ClientCall } from './call.ts';
import type { EndpointView } from './endpoint-view.ts';
import type { Member } from './member.ts';
import type { TaskIds } from './tasks.ts';

/** Sends a client's request, with other params, to one server. */
export type Send = (member: Member, params: JsonObject | undefined, call: ClientCall) => Promise<Outcome>;

/** Pages of one server's tasks that are read at most. */
const TASK_PAGES = 100;

/**
 * What a client asks of a task goes to the server that runs it.
 * @throws SBX_TASK_UNKNOWN
 */
export async function taskRequest(view: EndpointView, call: ClientCall, ids: TaskIds, send: Send): Promise<Outcome> {
  const { params } = call.request;
  const { members } = view.catalog(call.caller.client, call.era);
  const { member, id } = ids.route(members, call.caller.principal, params?.['taskId']);
  return ids.exposeIn(await send(member, { ...params, taskId: id }, call), member, call);
}

/** The tasks of all servers that can list them, in one: their pages are not ours. */
export async function listTasks(view: EndpointView, call: ClientCall, ids: TaskIds, send: Send): Promise<readonly JsonObject[]> {
  const { caller, era } = call;
  const able = view.catalog(caller.client, era).members.filter((member) => {
    const { tasks } = member.snapshot(era).capabilities;
    return isObject(tasks) && tasks['list'] !== undefined;
  });
  const lists = await Promise.all(able.map((member) => tasksOf(member, call, ids, send)));
  return lists.flat();
}

async function tasksOf(member: Member, call: ClientCall, ids: TaskIds, send: Send): Promise<readonly JsonObject[]> {
  const tasks: JsonObject[] = [];
  let cursor: unknown;
  for (let page = 0; page < TASK_PAGES; page++) {
    const outcome = await send(member, cursor === undefined ? {} : { cursor }, call);
    if ('error' in outcome) break;
    const { tasks: listed, nextCursor } = outcome.result;
    tasks.push(...ids.exposeList(listed, member, call.caller.principal));
    if (typeof nextCursor !== 'string' || nextCursor === cursor) break;
    cursor = nextCursor;
  }
  return tasks;
}
