/** The rules of the envelope: every frame, whoever asked for it. */
import { META } from '../../protocol/eras.ts';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import type { Frame } from '../transports/wire.ts';
import { duplicateKey } from './duplicate-keys.ts';
import { at, shown } from './judge.ts';
import { type Asked, keyOf, type Model } from './model.ts';
import { checkNotification, checkServerRequest } from './notification-rules.ts';
import { checkResult } from './result-rules.ts';
import { checkValues, STACK } from './value-rules.ts';

const STANDARD = new Set([-32700, -32600, -32601, -32602, -32603]);

/** What a frame was. */
export type Reading =
  | { readonly kind: 'response'; readonly asked: Asked | undefined; readonly message: JsonObject }
  | { readonly kind: 'request' | 'notification'; readonly message: JsonObject }
  | { readonly kind: 'nothing' };

/** Checks one frame against the model and says what it was. */
export function readFrame(model: Model, frame: Frame): Reading {
  const { judge } = model;
  const message = frame.value;
  if (Array.isArray(message)) {
    judge.check('RPC-NO-BATCH', false, 'single JSON-RPC objects, never an array', () => shown(message));
    judge.check('LC-RESPECT-VERSION', false, 'no batches at this revision', () => shown(message));
    return { kind: 'nothing' };
  }
  if (!isObject(message)) return { kind: 'nothing' };
  judge.check('RPC-VERSION', message['jsonrpc'] === '2.0', 'jsonrpc is exactly "2.0"', () => shown(message));
  checkValues(judge, message);
  if (judge.era === 'modern' && at(message, 'result', 'inputRequests') !== undefined) {
    const twice = duplicateKey(frame.text);
    judge.check('MRTR-KEYS', twice === undefined, 'keys that are unique', () => shown(twice));
  }
  if (Object.hasOwn(message, 'method')) return readCall(model, frame, message);
  return readResponse(model, frame, message);
}

function readCall(model: Model, frame: Frame, message: JsonObject): Reading {
  const method = String(message['method']);
  if (Object.hasOwn(message, 'id') && method.startsWith('notifications/'))
    model.judge.check('RPC-NOTIF-NO-ID', false, 'notifications without an id', () => shown(message));
  else if (method.startsWith('notifications/')) model.judge.check('RPC-NOTIF-NO-ID', true, '', '');
  if (Object.hasOwn(message, 'id') && !method.startsWith('notifications/')) {
    checkServerRequest(model, frame, message);
    return { kind: 'request', message };
  }
  checkNotification(model, frame, message);
  return { kind: 'notification', message };
}

function readResponse(model: Model, frame: Frame, message: JsonObject): Reading {
  const { judge } = model;
  const [result, error] = [Object.hasOwn(message, 'result'), Object.hasOwn(message, 'error')];
  judge.check('RPC-RESULT-XOR-ERROR', result !== error, 'a response with either result or error', () => shown(message));
  if (result && !error) judge.check('RPC-RESULT-FIELD', isObject(message['result']), 'result is an object', () => shown(message));
  if (error) checkError(model, message);
  const asked = matched(model, frame, message);
  if (asked === undefined) return { kind: 'response', asked, message };
  // what a resumed stream may repeat has a rule of its own
  if (model.resumed.has(frame.channel) && asked.answers > 0) return { kind: 'response', asked, message };
  asked.answers += 1;
  judge.check(
    'RPC-ONE-RESPONSE',
    asked.answers === 1,
    'exactly one response for each request',
    () => `${asked.answers} responses to id ${shown(asked.id)} (${asked.method})`,
  );
  if (error) checkMeaning(model, asked, message);
  if (isObject(message['result']) && asked.answers === 1) checkResult(model, asked, message['result']);
  return { kind: 'response', asked, message };
}

/** Whether an id is another with its type changed: 7 for "7". */
function isRetyped(asked: unknown, id: unknown): boolean {
  return typeof asked !== typeof id && (typeof id === 'string' || typeof id === 'number') && String(asked) === String(id);
}

/** The request a response is for; a response to nothing is a finding, which one depends on what was sent last. */
function matched(model: Model, frame: Frame, message: JsonObject): Asked | undefined {
  const { judge } = model;
  const id = message['id'];
  // the refusal of a GET or DELETE is the body of an HTTP status, no response to a request
  if (!frame.channel.startsWith('post:') && frame.channel !== 'out' && (id === null || id === undefined)) return undefined;
  const exact = Object.hasOwn(message, 'id') ? model.requests.get(keyOf(id)) : undefined;
  const onChannel = frame.channel === 'out' ? undefined : [...model.requests.values()].find(({ channel }) => channel === frame.channel);
  const answered = exact !== undefined && exact.answers > 0;
  const alike = exact === undefined || answered ? model.open().find((asked) => asked.wellFormed && isRetyped(asked.id, id)) : undefined;
  if (alike !== undefined && (onChannel ?? alike) === alike) {
    judge.check('RPC-ID-ECHO', false, `the id of the request, ${shown(alike.id)}, of the same type`, () => shown(message));
    return alike;
  }
  if (exact !== undefined && (onChannel === undefined || onChannel === exact || exact.answers === 0)) {
    judge.check(Object.hasOwn(message, 'error') ? 'RPC-ERR-ID' : 'RPC-ID-ECHO', true, '', '');
    if (frame.channel.startsWith('get:') && !model.resumed.has(frame.channel))
      judge.check('HTTP-GET-NO-RESPONSE', false, 'no response on the GET stream', () => shown(message));
    return exact;
  }
  const open = model.waiting();
  const meant = onChannel ?? (open.length === 1 ? open[0] : undefined);
  if (meant !== undefined && !meant.wellFormed) return meant;
  // what is refused before its body is read (a session that is gone, a header) cannot name the id
  if (meant?.provoked === true && onChannel !== undefined && (id === null || id === undefined) && Object.hasOwn(message, 'error'))
    return meant;
  if (model.phase === 'malformed') return undefined;
  if (onChannel === undefined && model.phase === 'notification') {
    judge.check('RPC-NO-REPLY-NOTIF', false, 'no response to a notification', () => shown(message));
    return undefined;
  }
  const stem = Object.hasOwn(message, 'error') ? 'RPC-ERR-ID' : 'RPC-ID-ECHO';
  judge.check(stem, false, `the id of the request, ${shown(meant?.id)}`, () => shown(message));
  if (meant === undefined && exact === undefined && open.length > 1) model.nameless.push(message);
  return meant;
}

function checkError(model: Model, message: JsonObject): void {
  const { judge } = model;
  const error = message['error'];
  const [code, text] = [at(error, 'code'), at(error, 'message')];
  judge.check(
    'RPC-ERR-SHAPE',
    isObject(error) && Object.hasOwn(error, 'code') && typeof text === 'string',
    'an error with a code and a message string',
    () => shown(error),
  );
  if (code !== undefined) judge.check('RPC-ERR-CODE-INT', Number.isInteger(code), 'an integer error code', () => shown(error));
  if (typeof text === 'string') {
    judge.check('RPC-ERR-CONCISE', !STACK.test(text) && !text.includes('\n    at '), 'a concise message without a stack trace', () =>
      shown(text),
    );
    judge.check('RPC-ERR-CONCISE', text.length <= 1000, 'a concise message', () => `${text.length} characters`, 'note');
    judge.check(
      'ROB-NO-LEAK',
      !STACK.test(`${text}\n${JSON.stringify(at(error, 'data') ?? '')}`.replaceAll('\\n', '\n')),
      'no stack traces in errors',
      () => shown(error),
    );
  }
  if (typeof text === 'string' && judge.transport === 'stdio')
    judge.check(
      'AUTH-STDIO',
      !/\b401\b|\bunauthori[sz]ed\b|www-authenticate|\bbearer\b|\boauth\b/i.test(text),
      'no OAuth on standard streams',
      () => shown(text),
    );
  if (typeof code !== 'number') return;
  const reserved = code <= -32020 && code >= -32099;
  judge.check(
    'ERR-RESERVED',
    !reserved || [-32020, -32021, -32022].includes(code) || code === -32042,
    'no undefined code of the reserved range',
    String(code),
  );
  judge.check('ERR-RETIRED', code !== -32002 && code !== -32042, 'no retired code', String(code));
  judge.check('ERR-LEGACY-RANGE', code > -32000 || code < -32019 || code === -32002, 'no code from -32000 to -32019', String(code));
  judge.check(
    'ERR-OUTSIDE',
    STANDARD.has(code) || reserved || code < -32768 || code > -32000 || code >= -32019,
    'own codes lie outside -32768..-32000',
    String(code),
  );
  if (code === -32042 && judge.era === 'legacy') {
    const asked = at(error, 'data', 'elicitations');
    const good =
      Array.isArray(asked) &&
      asked.length > 0 &&
      asked.every((one) => at(one, 'mode') === 'url' && typeof at(one, 'elicitationId') === 'string' && typeof at(one, 'url') === 'string');
    judge.check('ELI-32042-URL', good, 'data.elicitations, all in URL mode with an elicitationId', () => shown(error));
  }
}

/** Whether a capability that is needed, at any depth, is not among those declared. */
function lacks(declared: unknown, needed: JsonObject): boolean {
  return Object.entries(needed).some(
    ([key, inner]) => !isObject(declared) || !Object.hasOwn(declared, key) || (isObject(inner) && lacks(declared[key], inner)),
  );
}

/** The codes of 2026-07-28 mean one thing each. */
function checkMeaning(model: Model, asked: Asked, message: JsonObject): void {
  const { judge } = model;
  const code = at(message, 'error', 'code');
  if (code === -32020)
    judge.check(
      'ERR-DEFINED-MEANING',
      judge.transport === 'http' && asked.provoked,
      '-32020 for a header that does not match',
      () => `${shown(message)} for ${asked.method}`,
    );
  if (code === -32022)
    judge.check('ERR-DEFINED-MEANING', asked.provoked, '-32022 for an unsupported version', () => `${shown(message)} for ${asked.method}`);
  if (code === -32021) {
    const declared = at(asked.params, '_meta', META.clientCapabilities);
    const needed = at(message, 'error', 'data', 'requiredCapabilities');
    const gap = isObject(needed) && lacks(declared, needed);
    judge.check(
      'META-CAP-MISSING',
      isObject(needed) && Object.keys(needed).length > 0,
      'data.requiredCapabilities names the capability',
      () => shown(message),
    );
    judge.check('ERR-DEFINED-MEANING', gap || !isObject(needed), '-32021 for a capability the request does not declare', () =>
      shown(message),
    );
  }
}
