/**
 * A second small server without any SDK: tasks (2025-11-25), two principals, a question with state (2026-07-28); correct in these, lax in
 * what has nothing to do with them, with one switch for each fault. `node tasked.ts [STEM …]` serves it over stdio to one principal.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { isObject, type JsonObject } from '../../../daemon/protocol/message.ts';

/** Whether the requirement of that stem is to be broken. */
export type Fault = (stem: string) => boolean;

const RELATED = 'io.modelcontextprotocol/related-task';
const INFO = { name: 'tasked', version: '1.0.0' };
const KEY = randomUUID();
const SLOW_MS = 700;

interface Task {
  readonly owner: string;
  readonly taskId: string;
  status: string;
  statusMessage?: string;
  readonly createdAt: string;
  lastUpdatedAt: string;
  readonly ttl: number | null;
  outcome?: JsonObject;
  readonly done: Promise<void>;
}
/** What the tool calls have done, by task id. */
const tasks = new Map<string, Task>();

/** An error with its code. */
class Refusal extends Error {
  readonly code: number;
  constructor(code: number, text: string) {
    super(text);
    this.code = code;
  }
}

const tool = (name: string, taskSupport?: string): JsonObject => ({
  name,
  description: name,
  inputSchema: { type: 'object', properties: {}, additionalProperties: false },
  annotations: { readOnlyHint: true },
  ...(taskSupport === undefined ? {} : { execution: { taskSupport } }),
});
const TOOLS: readonly JsonObject[] = [
  tool('quick', 'optional'),
  tool('slow', 'optional'),
  tool('only', 'required'),
  tool('fails', 'optional'),
  tool('never'),
  tool('private'),
];
const RESOURCES: readonly JsonObject[] = [
  { uri: 'own://public', name: 'public', mimeType: 'text/plain' },
  { uri: 'own://private', name: 'private', mimeType: 'text/plain' },
];

/** What a request comes with. */
export interface Caller {
  readonly era: 'legacy' | 'modern';
  readonly principal: string;
  readonly notify: (message: JsonObject) => void;
}

/** Answers one message; undefined for a notification. */
export async function answer(message: JsonObject, caller: Caller, fault: Fault): Promise<JsonObject | undefined> {
  const { id, method, params } = message;
  if (!Object.hasOwn(message, 'id')) return undefined;
  try {
    const result = await resultOf(String(method), isObject(params) ? params : {}, caller, fault);
    return { jsonrpc: '2.0', id, result: caller.era === 'modern' ? dressed(result, String(method), fault) : result };
  } catch (error) {
    const code = error instanceof Refusal ? error.code : -32603;
    return { jsonrpc: '2.0', id, error: { code, message: error instanceof Error ? error.message : 'failed' } };
  }
}

function dressed(result: JsonObject, method: string, fault: Fault): JsonObject {
  const cached = method.endsWith('/list') || method === 'resources/read' || method === 'server/discover';
  const scope = fault('CCH-PUBLIC-NEUTRAL') || method === 'server/discover' ? 'public' : 'private';
  return {
    resultType: 'complete',
    ...result,
    ...(cached ? { ttlMs: 1000, cacheScope: scope } : {}),
    _meta: { 'io.modelcontextprotocol/serverInfo': INFO },
  };
}

async function resultOf(method: string, params: JsonObject, caller: Caller, fault: Fault): Promise<JsonObject> {
  const { era, principal } = caller;
  const mine = (name: unknown): boolean => principal === 'one' || name !== 'private';
  const declared = !fault('TASK-IGNORED') && !fault('TASK-CAP');
  const capabilities: JsonObject = {
    tools: {},
    resources: {},
    ...(era === 'legacy' && declared ? { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } } : {}),
  };
  switch (method) {
    case 'initialize':
      return { protocolVersion: '2025-11-25', capabilities, serverInfo: INFO };
    case 'server/discover':
      return { supportedVersions: ['2026-07-28'], capabilities };
    case 'ping':
      return {};
    case 'tools/list':
      return { tools: [...TOOLS.filter(({ name }) => mine(name)), ...(era === 'modern' ? [tool('ask')] : [])] };
    case 'resources/list':
      return { resources: RESOURCES.filter(({ name }) => mine(name)) };
    case 'resources/read': {
      const found = RESOURCES.find(({ uri }) => uri === params['uri']);
      if (found === undefined || (!mine(found['name']) && !fault('RES-PERMISSION')))
        throw new Refusal(era === 'legacy' ? -32002 : -32602, 'Resource not found');
      return { contents: [{ uri: found['uri'], mimeType: 'text/plain', text: String(found['name']) }] };
    }
    case 'tools/call':
      if (!mine(params['name']) && !fault('TOOL-ACCESS')) throw new Refusal(-32602, 'Unknown tool');
      return params['name'] === 'ask' ? asked(params, principal, fault) : called(params, caller, fault, declared);
    default:
      if (era === 'legacy' && method.startsWith('tasks/') && declared)
        return tasked(method.slice('tasks/'.length), params, principal, fault);
      throw new Refusal(-32601, 'Method not found');
  }
}

/** A question whose state is signed, and bound to whoever was asked. */
function asked(params: JsonObject, principal: string, fault: Fault): JsonObject {
  const sign = (who: string): string =>
    createHmac('sha256', KEY)
      .update(fault('ELI-BIND') ? 'anybody' : who)
      .digest('base64url');
  const state = params['requestState'];
  if (state === undefined)
    return {
      resultType: 'input_required',
      requestState: sign(principal),
      inputRequests: {
        name: {
          method: 'elicitation/create',
          params: {
            mode: 'form',
            message: 'Who?',
            requestedSchema: { type: 'object', properties: { who: { type: 'string' } }, required: ['who'] },
          },
        },
      },
    };
  if (state !== sign(principal)) throw new Refusal(-32602, 'Not your question');
  return { content: [{ type: 'text', text: 'thank you' }] };
}

async function work(name: string, params: JsonObject, caller: Caller, stopped: () => boolean): Promise<JsonObject> {
  const token = isObject(params['_meta']) ? params['_meta']['progressToken'] : undefined;
  if (name === 'slow')
    for (let step = 1; step <= 7 && !stopped(); step++) {
      await new Promise((done) => setTimeout(done, SLOW_MS / 7));
      if (token !== undefined && !stopped())
        caller.notify({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: token, progress: step, total: 7 } });
    }
  else await new Promise((done) => setTimeout(done, 20));
  return { content: [{ type: 'text', text: name }], ...(name === 'fails' ? { isError: true } : {}) };
}

async function called(params: JsonObject, caller: Caller, fault: Fault, declared: boolean): Promise<JsonObject> {
  const name = String(params['name']);
  const definition = TOOLS.find((one) => one['name'] === name);
  if (definition === undefined) throw new Refusal(-32602, 'Unknown tool');
  const support = isObject(definition['execution']) ? definition['execution']['taskSupport'] : 'forbidden';
  const wanted = isObject(params['task']) && caller.era === 'legacy' && (declared || fault('TASK-CAP') || fault('TASK-IGNORED'));
  if (!wanted) {
    if (support === 'required' && caller.era === 'legacy' && declared && !fault('TASK-REQUIRED'))
      throw new Refusal(-32601, 'Only as a task');
    return work(name, params, caller, () => false);
  }
  if (!declared && fault('TASK-IGNORED')) throw new Refusal(-32602, 'No tasks here');
  if (declared && support === 'forbidden' && !fault('TASK-FORBIDDEN')) throw new Refusal(-32601, 'Not as a task');
  return create(name, params, caller, fault);
}

async function create(name: string, params: JsonObject, caller: Caller, fault: Fault): Promise<JsonObject> {
  const asked = isObject(params['task']) ? params['task']['ttl'] : undefined;
  const now = new Date().toISOString();
  const task: Task = {
    owner: caller.principal,
    taskId: fault('TASK-ID') ? 'task' : fault('TASK-ID-ENTROPY') ? `t${tasks.size}` : randomUUID(),
    status: fault('TASK-WORKING') ? 'input_required' : 'working',
    createdAt: now,
    lastUpdatedAt: now,
    ttl: typeof asked === 'number' ? asked : null,
    done: undefined as never,
  };
  const running = work(name, params, caller, () => task.status === 'cancelled').then((outcome) => {
    if (task.status === 'cancelled' && !fault('TASK-CANCEL')) return;
    task.outcome = outcome;
    task.status = outcome['isError'] === true && !fault('TASK-FAILED') ? 'failed' : 'completed';
    if (task.status === 'failed') task.statusMessage = 'the tool failed';
    task.lastUpdatedAt = new Date().toISOString();
    const told = fault('TASK-STATUS-NOTIF') ? { taskId: task.taskId, status: task.status } : shown(task, fault);
    caller.notify({ jsonrpc: '2.0', method: 'notifications/tasks/status', params: told });
    if (fault('TASK-PROGRESS') && isObject(params['_meta']))
      setTimeout(
        () => caller.notify({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'other', progress: 9 } }),
        50,
      );
  });
  Object.assign(task, { done: running });
  tasks.set(task.taskId, task);
  if (fault('TASK-CREATE-PROMPT')) await running;
  if (fault('TASK-CREATE')) {
    await running;
    return task.outcome ?? {};
  }
  return { task: shown(task, fault) };
}

function shown({ taskId, status, statusMessage, createdAt, lastUpdatedAt, ttl }: Task, fault: Fault): JsonObject {
  return {
    taskId,
    status: fault('TASK-TRANSITIONS') && status === 'working' ? 'submitted' : status,
    ...(statusMessage === undefined ? {} : { statusMessage }),
    ...(fault('TASK-TIMESTAMPS') ? { createdAt: Date.parse(createdAt) } : { createdAt }),
    lastUpdatedAt,
    ...(fault('TASK-TTL') ? {} : { ttl }),
    pollInterval: 50,
  };
}

async function tasked(method: string, params: JsonObject, principal: string, fault: Fault): Promise<JsonObject> {
  const owned = [...tasks.values()].filter(({ owner }) => owner === principal || fault('TASK-ISOLATION'));
  const meta = fault('TASK-META-SHOULDNOT') ? { _meta: { [RELATED]: { taskId: params['taskId'] } } } : {};
  if (method === 'list') {
    if (params['cursor'] !== undefined && !fault('TASK-LIST-CURSOR') && !/^\d+$/.test(String(params['cursor'])))
      throw new Refusal(-32602, 'Bad cursor');
    const from = Number(params['cursor'] ?? 0) || 0;
    const all = owned.slice(fault('TASK-LIST-COMPLETE') ? 1 : 0);
    const page = all.slice(from, from + 2).map((task) => shown(task, fault));
    return { tasks: page, ...(from + 2 < all.length ? { nextCursor: String(from + 2) } : {}) };
  }
  const related = isObject(params['_meta']) && isObject(params['_meta'][RELATED]) ? params['_meta'][RELATED]['taskId'] : undefined;
  const wanted = fault('TASK-PARAM-WINS') && related !== undefined ? related : params['taskId'];
  const task = owned.find(({ taskId }) => taskId === wanted);
  if (task === undefined) throw new Refusal(fault('TASK-UNKNOWN') ? -32603 : -32602, 'No such task');
  const over = ['completed', 'failed', 'cancelled'].includes(task.status);
  if (method === 'get') return { ...shown(task, fault), ...meta };
  if (method === 'result') {
    if (!fault('TASK-RESULT-BLOCK')) await task.done;
    if (fault('TASK-TERMINAL')) task.status = task.status === 'completed' ? 'failed' : 'completed';
    const outcome = fault('TASK-RESULT-SAME') ? { content: [] } : (task.outcome ?? { content: [], isError: true });
    return { ...outcome, ...(fault('TASK-RESULT-META') ? {} : { _meta: { [RELATED]: { taskId: task.taskId } } }) };
  }
  if (method !== 'cancel') throw new Refusal(-32601, 'Method not found');
  if (over && !fault('TASK-CANCEL-TERMINAL')) throw new Refusal(-32602, 'It has ended');
  if (!over) task.status = 'cancelled';
  return { ...shown(task, fault), ...meta };
}

if (import.meta.main) {
  const words = process.argv.slice(2);
  const send = (message: JsonObject): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
  const lines = createInterface({ input: process.stdin });
  lines.on('close', () => process.exit(0));
  lines.on('line', (line) => {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      return send({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error' } });
    }
    if (!isObject(message)) return send({ jsonrpc: '2.0', id: null, error: { code: -32600, message: 'Invalid request' } });
    void answer(message, { era: 'legacy', principal: 'one', notify: send }, (stem) => words.includes(stem)).then((made) => {
      if (made !== undefined) send(made);
    });
  });
}
