/** The rules of results, by the method that was asked. */
import { META } from '../../protocol/eras.ts';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { checkAsking } from './asking-rules.ts';
import { at, objectsAt, shown } from './judge.ts';
import type { Asked, Model } from './model.ts';
import { blockShape, capabilityShape, contentsShape, resultShape } from './shapes.ts';
import { isUri, STACK } from './value-rules.ts';

const CACHED = new Set(['server/discover', 'tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'resources/read']);
const MAY_ASK = new Set(['tools/call', 'prompts/get', 'resources/read']);
const PAGED: Readonly<Record<string, string>> = {
  'tools/list': 'tools',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
  'prompts/list': 'prompts',
};

/** Checks a result against the request it answers. */
export function checkResult(model: Model, asked: Asked, result: JsonObject): void {
  const { judge } = model;
  const { method } = asked;
  // a server of both eras may well answer `initialize` in the other one
  if (method === 'initialize' && judge.era === 'modern') return;
  if (judge.era === 'modern') checkModern(model, asked, result);
  if (result['resultType'] === 'input_required' && judge.era === 'modern') return checkQuestion(model, asked, result);
  const problem = resultShape(method, judge.era)?.(result);
  const task = judge.era === 'legacy' && isObject(result['task']);
  if (!task) {
    judge.check('RPC-SCHEMA-RESULT', problem === undefined, `a result of ${method} in its shape`, () => `${problem} in ${shown(result)}`);
    if (judge.era === 'modern')
      judge.check('RT-COMPLETE-FINAL', problem === undefined, `the final content of ${method}`, () => `${problem} in ${shown(result)}`);
  }
  if (method === 'initialize' || method === 'server/discover') checkHandshake(model, result, problem);
  if (method === 'ping')
    judge.check(
      'LC-PING',
      Object.keys(result).every((key) => key === '_meta'),
      'an empty result',
      () => shown(result),
    );
  if (Object.hasOwn(PAGED, method)) checkPage(model, method, result);
  if (method === 'tools/call' && !task) checkToolResult(model, result);
  if (method === 'resources/read') checkContents(model, asked, result);
  if (method === 'prompts/get') {
    const messages = result['messages'];
    const good =
      Array.isArray(messages) &&
      messages.every(
        (message) => ['user', 'assistant'].includes(String(at(message, 'role'))) && blockShape(at(message, 'content')) === undefined,
      );
    judge.check('PRM-MESSAGES', good, 'messages with role user or assistant and one content block each', () => shown(result));
  }
  if (method === 'completion/complete') checkCompletion(model, result);
  if (method === 'logging/setLevel')
    judge.check(
      'LOG-SETLEVEL',
      Object.keys(result).every((key) => key === '_meta'),
      'an empty result',
      () => shown(result),
    );
}

function checkModern(model: Model, asked: Asked, result: JsonObject): void {
  const { judge } = model;
  const { resultType } = result;
  judge.check('RT-PRESENT', typeof resultType === 'string', 'a resultType string', () => shown(result));
  if (typeof resultType === 'string') {
    const known = resultType === 'complete' || resultType === 'input_required';
    judge.check('RT-KNOWN', known, '"complete" or "input_required"', shown(resultType));
    judge.check('EXT-FALLBACK', known, 'core behaviour for a client without extensions', shown(resultType));
    if (resultType === 'input_required')
      judge.check('MRTR-METHODS', MAY_ASK.has(asked.method), 'input_required only for calls, prompts and reads', asked.method);
  }
  const info = at(result, '_meta', META.serverInfo);
  const named = isObject(info) && typeof info['name'] === 'string' && typeof info['version'] === 'string';
  judge.check('DIS-SERVERINFO', named, `_meta["${META.serverInfo}"] with name and version`, () => shown(at(result, '_meta')));
  if (named) {
    const identity = JSON.stringify([info['name'], info['version']]);
    judge.check(
      'DIS-SERVERINFO',
      model.serverInfo === undefined || model.serverInfo === identity,
      'the same identity in every result',
      identity,
    );
    model.serverInfo = identity;
  }
  if (!CACHED.has(asked.method) || resultType === 'input_required') return;
  const { ttlMs, cacheScope } = result;
  judge.check('CCH-HINTS', ttlMs !== undefined && cacheScope !== undefined, 'ttlMs and cacheScope', () => shown(Object.keys(result)));
  if (ttlMs !== undefined) judge.check('CCH-TTL', Number.isInteger(ttlMs) && Number(ttlMs) >= 0, 'ttlMs: an integer from 0', shown(ttlMs));
  if (cacheScope !== undefined)
    judge.check('CCH-SCOPE', cacheScope === 'public' || cacheScope === 'private', '"public" or "private"', shown(cacheScope));
}

function checkQuestion(model: Model, asked: Asked, result: JsonObject): void {
  const { judge } = model;
  const { inputRequests, requestState } = result;
  const what = (): string => shown(result);
  const declared = at(asked.params, '_meta', META.clientCapabilities);
  judge.check('MRTR-ONE-OF', inputRequests !== undefined || requestState !== undefined, 'inputRequests or requestState', what);
  judge.check('RT-COMPLETE-FINAL', inputRequests !== undefined || requestState !== undefined, 'an InputRequiredResult', what);
  if (requestState !== undefined) judge.check('MRTR-STATE-STRING', typeof requestState === 'string', 'requestState is a string', what);
  judge.check('MRTR-NO-CACHE', result['ttlMs'] === undefined && result['cacheScope'] === undefined, 'no caching hints', what);
  if (inputRequests === undefined) return;
  const kinds: Readonly<Record<string, string>> = {
    'elicitation/create': 'elicitation',
    'sampling/createMessage': 'sampling',
    'roots/list': 'roots',
  };
  judge.check(
    'MRTR-REQ-KIND',
    isObject(inputRequests) && Object.values(inputRequests).every((one) => Object.hasOwn(kinds, String(at(one, 'method')))),
    'requests of elicitation, sampling or roots',
    what,
  );
  for (const one of Object.values(isObject(inputRequests) ? inputRequests : {})) {
    const kind = kinds[String(at(one, 'method'))];
    if (kind !== undefined) judge.check('MRTR-CAPS', isObject(at(declared, kind)), `only kinds the request declared (${kind})`, what);
    const params = at(one, 'params');
    checkAsking(model, String(at(one, 'method')), isObject(params) ? params : {}, isObject(declared) ? declared : {});
  }
}

function checkHandshake(model: Model, result: JsonObject, problem: string | undefined): void {
  const { judge } = model;
  judge.check(
    judge.era === 'legacy' ? 'LC-INIT-RESPOND' : 'DIS-SHAPE',
    problem === undefined,
    'version, capabilities and what belongs to them',
    () => `${problem} in ${shown(result)}`,
  );
  const broken = capabilityShape(result['capabilities']);
  judge.check(
    'LC-CAP-SHAPE',
    broken === undefined,
    'capabilities are objects, listChanged and subscribe booleans',
    () => `${broken} in ${shown(result['capabilities'])}`,
  );
  judge.check(
    'LC-INSTRUCTIONS-STRING',
    result['instructions'] === undefined || typeof result['instructions'] === 'string',
    'instructions is a string',
    () => shown(result['instructions']),
  );
  const extensions = at(result, 'capabilities', 'extensions');
  if (isObject(extensions)) {
    const good = Object.entries(extensions).every(([key, value]) => /^[A-Za-z][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(key) && isObject(value));
    judge.check('EXT-KEYS', good, 'extension identifiers with a prefix, objects as values', () => shown(extensions));
  }
  if (model.capabilities === undefined && isObject(result['capabilities'])) model.capabilities = result['capabilities'];
}

function checkPage(model: Model, method: string, result: JsonObject): void {
  const { judge } = model;
  const key = PAGED[method] ?? '';
  if (Object.hasOwn(result, 'nextCursor'))
    judge.check('PAG-CURSOR-STRING', typeof result['nextCursor'] === 'string', 'nextCursor is a string, and absent on the last page', () =>
      shown(result['nextCursor']),
    );
  const stem = { tools: 'TOOL', resources: 'RES', prompts: 'PRM' }[key];
  if (stem !== undefined) {
    judge.check(`${stem}-LIST-SERVED`, Array.isArray(result[key]), 'a list', () => shown(result));
    judge.check(`${stem}-CAP`, model.capabilities === undefined || model.declares(key), `the ${key} capability declared`, () =>
      shown(model.capabilities),
    );
  }
  for (const resource of objectsAt(result, 'resources'))
    judge.check('RES-URI-VALID', typeof resource['uri'] === 'string' && isUri(resource['uri']), 'a valid URI', () =>
      shown(resource['uri']),
    );
  for (const template of objectsAt(result, 'resourceTemplates'))
    judge.check(
      'RES-TEMPLATE-VALID',
      typeof template['uriTemplate'] === 'string' && isTemplate(template['uriTemplate']),
      'a URI template of RFC 6570',
      () => shown(template['uriTemplate']),
    );
}

/** RFC 6570: literals and balanced expressions with a known operator. */
function isTemplate(text: string): boolean {
  const name = '(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:\\.?(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2}))*(?::[1-9]\\d{0,3}|\\*)?';
  return text !== '' && new RegExp(`^(?:[^{}\\s"'<>\\\\^\`|]|\\{[+#./;?&]?${name}(?:,${name})*\\})*$`).test(text);
}

function checkToolResult(model: Model, result: JsonObject): void {
  const { judge } = model;
  const { content } = result;
  judge.check('TOOL-RESULT-CONTENT', Array.isArray(content) && content.every(isObject), 'a content array of blocks', () => shown(result));
  for (const block of objectsAt(result, 'content')) {
    const problem = blockShape(block);
    judge.check(
      'TOOL-CONTENT-TYPE',
      problem === undefined,
      'a content block with its required members',
      () => `${problem} in ${shown(block)}`,
    );
    if (block['type'] === 'resource')
      judge.check('TOOL-EMBEDDED-CAP', model.declares('resources'), 'the resources capability', () => shown(model.capabilities));
    if (block['type'] === 'resource_link' && typeof block['uri'] === 'string')
      judge.check('RES-URI-VALID', isUri(block['uri']), 'a valid URI', shown(block['uri']));
    const { text } = block;
    if (result['isError'] === true && typeof text === 'string')
      judge.check('ROB-NO-LEAK', !STACK.test(text), 'no stack traces in errors', () => shown(text));
    if (block['type'] === 'text' && typeof text === 'string')
      judge.check(
        'TOOL-SANITIZE',
        !/[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f]/.test(text),
        'text without raw control characters',
        () => shown(text),
        'note',
      );
  }
  if (Object.hasOwn(result, 'structuredContent') && result['isError'] !== true) {
    const wanted = canonical(result['structuredContent']);
    const found = objectsAt(result, 'content').some((block) => typeof block['text'] === 'string' && sameJson(block['text'], wanted));
    judge.check('TOOL-STRUCTURED-TEXT', found, 'the structured content as JSON in a text block', () => shown(result));
  }
}

function sameJson(text: string, wanted: string): boolean {
  try {
    return canonical(JSON.parse(text)) === wanted;
  } catch {
    return false;
  }
}

/** JSON with sorted keys: equal texts for equal values. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'null';
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
    .join(',')}}`;
}

function checkContents(model: Model, asked: Asked, result: JsonObject): void {
  const { judge } = model;
  const { contents } = result;
  const problems = Array.isArray(contents) ? contents.map(contentsShape).filter((problem) => problem !== undefined) : ['no contents array'];
  judge.check(
    'RES-READ-SHAPE',
    problems.length === 0,
    'contents with a uri and either text or blob',
    () => `${problems[0]} in ${shown(result)}`,
  );
  for (const item of objectsAt(result, 'contents')) {
    // what was asked for comes back as it was sent
    if (typeof item['uri'] === 'string' && item['uri'] !== asked.params?.['uri'])
      judge.check('RES-URI-VALID', isUri(item['uri']), 'a valid URI', shown(item['uri']));
    const binary = typeof item['mimeType'] === 'string' && /^(?:image|audio|video)\/(?!svg)|octet-stream/.test(item['mimeType']);
    if (typeof item['text'] === 'string')
      judge.check('RES-TEXT-NOT-BINARY', !binary || !/\ufffd{2}|\0/.test(item['text']), 'binary content as blob', () => shown(item));
  }
}

function checkCompletion(model: Model, result: JsonObject): void {
  const { judge } = model;
  const [values, total, more] = ['values', 'total', 'hasMore'].map((key) => at(result, 'completion', key));
  judge.check('CMP-CAP', model.declares('completions'), 'the completions capability', () => shown(model.capabilities));
  judge.check(
    'CMP-VALUES-STRING',
    Array.isArray(values) &&
      values.every((value) => typeof value === 'string') &&
      (total === undefined || typeof total === 'number') &&
      (more === undefined || typeof more === 'boolean'),
    'values of strings, total a number, hasMore a boolean',
    () => shown(result),
  );
  if (!Array.isArray(values)) return;
  judge.check('CMP-MAX100', values.length <= 100, 'at most 100 values', `${values.length}`);
  if (typeof total === 'number')
    judge.check(
      'CMP-TOTAL',
      total >= values.length && (values.length === total || more !== false),
      'total from the number of values on, hasMore when cut',
      () => `total ${total}, ${values.length} values, hasMore ${shown(more)}`,
    );
}
