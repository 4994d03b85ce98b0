/** The small shape check of control requests: what each method's params must hold before a handler sees them. */
import type { ControlMethod } from '../api/control.ts';
import { SignalboxError } from '../api/errors.ts';

type Kind = 'string' | 'boolean' | 'number' | 'object' | 'texts';
type Field = Kind | `${Kind}?`;
type Shape = Readonly<Record<string, Field>>;

const ENDPOINT: Shape = { endpoint: 'string?', workspace: 'string?' };

const FILTER: Shape = { session: 'string?', client: 'string?', endpoint: 'string?', workspace: 'string?', server: 'string?' };
const QUERY: Shape = {
  ...FILTER,
  after: 'number?',
  before: 'number?',
  limit: 'number?',
  search: 'string?',
  edge: 'string?',
  method: 'string?',
  errors: 'boolean?',
  messages: 'boolean?',
  reveal: 'boolean?',
};

const SHAPES: Readonly<Record<Exclude<ControlMethod, 'hello'>, Shape>> = {
  status: {},
  'servers/list': { workspace: 'string?' },
  'servers/add': { name: 'string', entry: 'object', workspace: 'string?' },
  'servers/remove': { name: 'string', workspace: 'string?' },
  'servers/enable': { name: 'string', enabled: 'boolean', workspace: 'string?' },
  'servers/restart': { name: 'string', workspace: 'string?' },
  'servers/accept': { name: 'string', tool: 'string?', workspace: 'string?' },
  'servers/where': { name: 'string', workspace: 'string?' },
  'servers/logs': { name: 'string', lines: 'number?', workspace: 'string?' },
  'endpoint/describe': ENDPOINT,
  'tools/list': ENDPOINT,
  'tools/call': { ...ENDPOINT, name: 'string', arguments: 'object' },
  'call/run': { ...ENDPOINT, call: 'string', name: 'string', arguments: 'object' },
  'call/answer': { call: 'string', question: 'string', answer: 'object' },
  'schema/check': { schema: 'object' },
  'call/cancel': { call: 'string', reason: 'string?' },
  'resources/list': ENDPOINT,
  'resources/read': { ...ENDPOINT, uri: 'string' },
  'prompts/list': ENDPOINT,
  'prompts/get': { ...ENDPOINT, name: 'string', arguments: 'texts' },
  'workspace/open': { folder: 'string' },
  'workspace/trust': { folder: 'string', trusted: 'boolean' },
  'clients/list': {},
  'clients/token': { ...ENDPOINT, client: 'string', rotate: 'boolean?' },
  'clients/revoke': { ...ENDPOINT, client: 'string' },
  'secrets/list': {},
  'secrets/set': { name: 'string', value: 'string' },
  'secrets/remove': { name: 'string' },
  'secrets/grant': { name: 'string', server: 'string', workspace: 'string?' },
  'logs/tail': { lines: 'number' },
  'daemon/stop': {},
  'sessions/list': { ended: 'boolean?', workspace: 'string?' },
  'sessions/rows': QUERY,
  'sessions/event': { seq: 'number', reveal: 'boolean?' },
  'sessions/statistics': FILTER,
  'sessions/tail': QUERY,
  'sessions/ack': { tail: 'string', seq: 'number' },
  'sessions/untail': { tail: 'string' },
  'sessions/send': { ...ENDPOINT, method: 'string', params: 'object?' },
  'record/start': { ...FILTER, name: 'string?', ring: 'boolean?' },
  'record/stop': { recording: 'string' },
  'record/list': { folder: 'string?' },
  'record/show': { ...QUERY, recording: 'string' },
  'record/statistics': { recording: 'string', server: 'string?' },
  'record/export': { recording: 'string', to: 'string?', format: 'string?' },
  'record/import': { file: 'string', format: 'string?', name: 'string?' },
  'record/remove': { recording: 'string' },
  'record/compare': { recording: 'string', with: 'string', server: 'string?', rules: 'object?' },
  'replay/serve': { recording: 'string', server: 'string?', timing: 'boolean?', folder: 'string?' },
  'replay/stop': { id: 'string' },
  'faults/set': { rule: 'object', minutes: 'number?' },
  'faults/list': {},
  'faults/clear': { id: 'string?' },
  'replay/run': {
    recording: 'string',
    against: 'object',
    server: 'string?',
    allowWrites: 'boolean?',
    update: 'boolean?',
    rules: 'object?',
    timeoutMs: 'number?',
  },
  'conform/discover': {},
  'conform/run': {
    target: 'object',
    seed: 'number?',
    runs: 'number?',
    folder: 'string?',
    limitMs: 'number?',
    ask: 'boolean?',
    first: 'object?',
  },
  'conform/answer': { run: 'string', call: 'boolean' },
  'conform/cancel': { run: 'string' },
  'conform/findings': { folder: 'string' },
  'conform/replay': { id: 'string', folder: 'string' },
  'conform/save': { id: 'string', folder: 'string' },
  'conform/report': { run: 'string', reporter: 'string' },
};

/** Whether `value` is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether `name` is a request of the control channel other than `hello`. */
export function isControlMethod(name: string): name is Exclude<ControlMethod, 'hello'> {
  return Object.hasOwn(SHAPES, name);
}

/**
 * Checks the params of one request; unknown keys are left alone so that a newer client may send more.
 * @throws SBX_USAGE naming the field that is missing or of the wrong type
 */
export function checkParams(method: Exclude<ControlMethod, 'hello'>, params: unknown): Record<string, unknown> {
  const given = params ?? {};
  if (!isObject(given)) throw wrong(method, 'params', 'object');
  for (const [name, field] of Object.entries(SHAPES[method])) {
    const kind = field.replace('?', '') as Kind;
    const value = given[name];
    if (value === undefined ? !field.endsWith('?') : !matches(kind, value)) throw wrong(method, name, kind);
  }
  return given;
}

function matches(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case 'object':
      return isObject(value);
    case 'texts':
      return isObject(value) && Object.values(value).every((item) => typeof item === 'string');
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    default:
      return typeof value === kind;
  }
}

function wrong(method: string, field: string, kind: Kind): SignalboxError {
  const wanted = kind === 'texts' ? 'an object of strings' : kind === 'object' ? 'an object' : `a ${kind}`;
  return new SignalboxError('SBX_USAGE', `The request \`${method}\` needs \`${field}\` to be ${wanted}.`, {
    why: 'The field is missing or of another type.',
    fix: `Send \`${field}\` as ${wanted}.`,
  });
}
