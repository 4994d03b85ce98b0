/** The rules of what a server sends by itself: notifications, and requests of its own (legacy). */
import { META } from '../../protocol/eras.ts';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import type { Frame } from '../transports/wire.ts';
import { checkAsking } from './asking-rules.ts';
import { at, shown } from './judge.ts';
import { keyOf, type Model } from './model.ts';
import { LOG_LEVELS, notificationShape } from './shapes.ts';
import { looksSecret } from './value-rules.ts';

/** A notification of the server. */
export function checkNotification(model: Model, frame: Frame, message: JsonObject): void {
  const { judge } = model;
  const method = String(message['method']);
  const params = isObject(message['params']) ? message['params'] : {};
  const validate = notificationShape(method);
  const problem = validate?.(params);
  judge.check(
    'RPC-SCHEMA-NOTIF',
    validate !== undefined && problem === undefined,
    'a known notification in its shape',
    () => `${shown(message)}: ${problem ?? 'unknown method'}`,
    validate === undefined ? 'warning' : undefined,
  );
  if (method === 'notifications/progress') checkProgress(model, frame, params);
  if (method === 'notifications/message') checkLog(model, frame, params);
  if (method === 'notifications/cancelled')
    judge.check('CAN-SERVER-ONLY-LISTEN', model.listens.has(keyOf(params['requestId'])), 'cancelled only for a listen stream', () =>
      shown(message),
    );
  if (method === 'notifications/elicitation/complete')
    judge.check('ELI-COMPLETE-ID', model.elicitations.has(String(params['elicitationId'])), 'an elicitationId issued before', () =>
      shown(message),
    );
  const changed = /^notifications\/(tools|resources|prompts)\/list_changed$/.exec(method)?.[1];
  if (changed !== undefined)
    judge.check('TOOL-LISTCHANGED-CAP', model.declares(changed, 'listChanged'), `${changed}.listChanged declared`, () =>
      shown(model.capabilities),
    );
  if (method === 'notifications/resources/updated' && judge.era === 'legacy') {
    const uri = String(params['uri']);
    const wanted = [...model.subscribed].some((one) => uri === one || uri.startsWith(one));
    judge.check(
      'RES-UPDATED-ONLY-SUB',
      wanted,
      'updated only for what is subscribed',
      () => `${uri}; subscribed: ${shown([...model.subscribed])}`,
    );
  }
  if (judge.era === 'modern') checkSubscription(model, method, params);
}

function checkProgress(model: Model, frame: Frame, params: JsonObject): void {
  const { judge } = model;
  const { progressToken: token, progress, total, message } = params;
  judge.check(
    'PROG-SHAPE',
    typeof progress === 'number' &&
      (total === undefined || typeof total === 'number') &&
      (message === undefined || typeof message === 'string'),
    'progress and total are numbers, message a string',
    () => shown(params),
  );
  const asked = model.ofToken(token);
  if (asked === undefined) {
    const alike = [...model.requests.values()].some((one) => String(at(one.params, '_meta', 'progressToken')) === String(token));
    if (alike) judge.check('PROG-TOKEN-TYPES', false, 'the token as it was given', () => shown(params));
    judge.check('PROG-TOKEN', false, 'the token of a running request', () => shown(params));
    return;
  }
  judge.check('PROG-TOKEN', true, '', '');
  judge.check('PROG-TOKEN-TYPES', true, '', '');
  // a call that became a task reports progress until the task has ended (2025-11-25, Tasks), on whatever stream there is
  if (isObject(at(asked.params, 'task'))) return;
  if (model.resumed.has(frame.channel)) return;
  judge.check('PROG-STOP', asked.answers === 0, 'no progress after the response', () => shown(params));
  if (frame.channel.startsWith('get:'))
    judge.check('HTTP-GET-UNRELATED', false, 'progress on the stream of its request, not on the GET stream', () => shown(params));
  else if (frame.channel !== 'out')
    judge.check('HTTP-SSE-RELATED', frame.channel === asked.channel, 'progress on the stream of its own request', () => shown(params));
  if (asked.cancelled) judge.check('CAN-NO-MESSAGES', false, 'nothing more for a cancelled request', () => shown(params));
  const last = model.progress.get(keyOf(token));
  if (typeof progress !== 'number') return;
  model.progress.set(keyOf(token), progress);
  if (last === undefined) return;
  const running = model.open().filter((one) => at(one.params, '_meta', 'progressToken') !== undefined).length;
  judge.check('PROG-INCREASE', progress > last, 'progress that increases', `${last}, then ${progress}`);
  if (running > 1) judge.check('PROG-CONCURRENT', progress > last, 'progress that increases for each token', `${last}, then ${progress}`);
}

function checkLog(model: Model, frame: Frame, params: JsonObject): void {
  const { judge } = model;
  const level = params['level'];
  const severity = typeof level === 'string' ? LOG_LEVELS.indexOf(level) : -1;
  judge.check('LOG-CAP', model.declares('logging'), 'the logging capability', () => shown(model.capabilities));
  judge.check('LOG-LEVEL-ENUM', severity >= 0 && Object.hasOwn(params, 'data'), 'one of the eight levels, and data', () => shown(params));
  judge.check('LOG-NO-SECRETS', !looksSecret(JSON.stringify(params)), 'no secrets in log messages', () => shown(params));
  if (judge.era === 'legacy') {
    if (model.logLevel !== undefined)
      judge.check('LOG-FILTER', severity >= LOG_LEVELS.indexOf(model.logLevel), `${model.logLevel} or more severe`, () => shown(params));
    return;
  }
  const wanting = [...model.requests.values()].filter((one) => at(one.params, '_meta', META.logLevel) !== undefined);
  const here =
    frame.channel === 'out' ? wanting.filter((one) => one.answers === 0) : wanting.filter((one) => one.channel === frame.channel);
  judge.check('LOG-OPT-IN', here.length > 0, 'log messages only for a request that set logLevel', () => shown(params));
  if (here.length === 0 && wanting.length > 0)
    judge.check('LOG-NOT-STICKY', false, 'the level of one request does not apply to later ones', () => shown(params));
  if (here.length === 0) judge.check('LOG-SCOPED', false, 'only on the stream of the request, before its response', () => shown(params));
  else
    judge.check('LOG-SCOPED', at(params, '_meta', META.subscriptionId) === undefined, 'no subscription id on log messages', () =>
      shown(params),
    );
  const lowest = Math.min(...here.map((one) => LOG_LEVELS.indexOf(String(at(one.params, '_meta', META.logLevel)))));
  if (here.length > 0) judge.check('LOG-AT-OR-ABOVE', severity >= lowest, `${LOG_LEVELS[lowest]} or more severe`, () => shown(params));
}

/** Modern: whatever is not about a request belongs to a listen stream. */
function checkSubscription(model: Model, method: string, params: JsonObject): void {
  const { judge } = model;
  const id = at(params, '_meta', META.subscriptionId);
  const scoped = method === 'notifications/progress' || method === 'notifications/message' || method === 'notifications/cancelled';
  const listen = id === undefined ? undefined : model.listens.get(keyOf(id));
  if (scoped) {
    judge.check('SUB-REQ-SCOPED-NOT', id === undefined, 'no subscription id on progress and log messages', () => shown(params));
    return;
  }
  if (method === 'notifications/elicitation/complete') return;
  judge.check(
    'PAT-NOTIF-SCOPED',
    listen !== undefined,
    'a notification of a request or of a subscription',
    () => `${method} ${shown(params)}`,
  );
  if (model.listens.size > 0)
    judge.check('SUB-ID', listen !== undefined, 'the id of the listen request, same type and value', () => `${method} ${shown(params)}`);
  if (listen === undefined) return;
  judge.check('SUB-CANCEL', !listen.ended, 'nothing after the subscription was cancelled', () => `${method} ${shown(params)}`);
  if (method === 'notifications/subscriptions/acknowledged') {
    const granted = at(params, 'notifications');
    const subset =
      isObject(granted) &&
      Object.entries(granted).every(([key, value]) => {
        if (value === false || value === undefined) return true;
        const wanted = listen.filter[key];
        return Array.isArray(value) ? Array.isArray(wanted) && value.every((one) => wanted.includes(one)) : wanted === true;
      });
    judge.check('SUB-ACK-SUBSET', subset, `a subset of ${shown(listen.filter)}`, () => shown(granted));
    listen.acknowledged = true;
    return;
  }
  judge.check('SUB-ACK-FIRST', listen.acknowledged, 'the acknowledgement first', () => method);
  const key = {
    'notifications/tools/list_changed': 'toolsListChanged',
    'notifications/resources/list_changed': 'resourcesListChanged',
    'notifications/prompts/list_changed': 'promptsListChanged',
  }[method];
  if (key !== undefined) judge.check('SUB-FILTER', listen.filter[key] === true, 'only what was asked for', method);
  if (method === 'notifications/resources/updated') {
    const wanted = listen.filter['resourceSubscriptions'];
    const good = Array.isArray(wanted) && wanted.some((one) => String(params['uri']).startsWith(String(one)));
    judge.check('SUB-FILTER', good, 'only the resources asked for', () => shown(params));
    judge.check('RES-UPDATED-ONLY-SUB', good, 'only the resources asked for', () => shown(params));
  }
}

/** A request of the server: legacy only, and only what the client declared. */
export function checkServerRequest(model: Model, frame: Frame, message: JsonObject): void {
  const { judge } = model;
  const method = String(message['method']);
  const what = (): string => shown(message);
  judge.check('PAT-NO-SERVER-REQ', false, 'no requests by the server', what);
  judge.check('STD-NO-REQ', false, 'no requests on standard output', what);
  judge.check('HTTP-NO-REQ-ON-SSE', frame.channel === 'out', 'no requests on a response stream', what);
  if (judge.era === 'modern')
    return checkAsking(model, method, isObject(message['params']) ? message['params'] : {}, model.clientCapabilities);
  const id = message['id'];
  const fresh = (typeof id === 'string' || Number.isInteger(id)) && !model.serverIds.has(keyOf(id));
  judge.check('SRV-REQ-ID', fresh, 'a new string or integer id for each request', what);
  model.serverIds.add(keyOf(id));
  if (method !== 'ping') judge.check('LC-NO-EARLY-REQ', model.initialized, 'no requests but ping before initialized', what);
  const capability = { 'sampling/createMessage': 'sampling', 'elicitation/create': 'elicitation', 'roots/list': 'roots' }[method];
  if (capability !== undefined)
    judge.check('LC-NEGOTIATED-ONLY', isObject(model.clientCapabilities[capability]), `the client's ${capability} capability`, what);
  checkAsking(model, method, isObject(message['params']) ? message['params'] : {}, model.clientCapabilities);
}
