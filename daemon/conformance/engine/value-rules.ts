/** Rules about values wherever they occur in a frame: `_meta` keys, icons, annotations, base64, URIs, secrets. */
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { type Judge, shown } from './judge.ts';

const LABEL = '[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const META_KEY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*/)?(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?)?$`);
const RESERVED = /^[^./]+\.(?:modelcontextprotocol|mcp)(?:\.|\/)/;
const DEFINED = new Set(
  [
    'protocolVersion',
    'clientInfo',
    'clientCapabilities',
    'logLevel',
    'serverInfo',
    'subscriptionId',
    'related-task',
    'model-immediate-response',
  ].map((name) => `io.modelcontextprotocol/${name}`),
);
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const MIME = /^[A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+(?:\s*;.*)?$/;
const ISO = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/;
/** How a stack trace looks, of Node and of Python. */
export const STACK = /\n\s+at .+[(:]\d+|Traceback \(most recent call last\)|\bat [\w.<>]+ \((?:file:|\/|[A-Z]:\\)/;
/** What the tester sends where a trace belongs; a server that gives it back has not made it. */
export const NO_TRACE = 'no trace of anything';
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}/;
const SECRET =
  /\b(?:sk-[A-Za-z0-9]{20,}|ghp_[A-Za-z0-9]{30,}|AKIA[0-9A-Z]{16}|xox[bp]-[0-9A-Za-z-]{20,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,})|-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?:password|passwd|secret|api[_-]?key|access[_-]?token)["']?\s*[=:]\s*["']?[^\s"',}]{6,}/i;

/** Whether a text is an absolute URI of RFC 3986. */
export function isUri(text: string): boolean {
  return URI.test(text);
}

/** Whether a text looks as if it held a credential. */
export function looksSecret(text: string): boolean {
  return SECRET.test(text);
}

/** Members whose values are data of the server or of an extension: the protocol says nothing of what is in them. */
const FREE: ReadonlySet<string> = new Set([
  ...['inputSchema', 'outputSchema', 'structuredContent', 'requestedSchema', 'data'],
  ...['_meta', 'experimental', 'extensions', 'metadata'],
]);

/** Walks a frame and checks every value that has a rule of its own. */
export function checkValues(judge: Judge, value: unknown, depth = 0): void {
  if (depth > 40) return;
  if (Array.isArray(value)) {
    for (const item of value) checkValues(judge, item, depth + 1);
    return;
  }
  if (!isObject(value)) return;
  const meta = value['_meta'];
  if (isObject(meta)) {
    for (const key of Object.keys(meta)) checkMetaKey(judge, key);
    checkTracing(judge, meta);
  }
  if (value['icons'] !== undefined) checkIcons(judge, value['icons']);
  // the annotations of a tool are hints, a different thing
  if (isObject(value['annotations']) && value['inputSchema'] === undefined) checkAnnotations(judge, value['annotations']);
  if (value['type'] === 'image' || value['type'] === 'audio') {
    const { data, mimeType } = value;
    judge.check('CNT-BASE64', typeof data === 'string' && BASE64.test(data), 'data in strict base64', () => shown(data, 80));
    judge.check('CNT-MIME', typeof mimeType === 'string' && MIME.test(mimeType), 'a MIME type like type/subtype', () => shown(mimeType));
  }
  if (value['type'] === 'resource_link')
    judge.check(
      'CNT-RESLINK',
      typeof value['uri'] === 'string' && typeof value['name'] === 'string',
      'a resource_link with uri and name',
      () => shown(value),
    );
  if (value['type'] === 'resource' && Object.hasOwn(value, 'resource')) {
    const inner = value['resource'];
    const whole =
      isObject(inner) &&
      typeof inner['uri'] === 'string' &&
      isUri(inner['uri']) &&
      (typeof inner['text'] === 'string') !== (typeof inner['blob'] === 'string');
    judge.check('CNT-EMBED-MEMBERS', whole, 'an embedded resource with a valid uri and either text or blob', () => shown(inner));
    if (whole)
      judge.check(
        'CNT-EMBED-MEMBERS',
        typeof (inner as JsonObject)['mimeType'] === 'string',
        'an embedded resource with a mimeType',
        () => shown(inner),
        'note',
      );
  }
  if (typeof value['blob'] === 'string') {
    const blob = value['blob'];
    judge.check('CNT-BASE64', BASE64.test(blob), 'blob in strict base64', () => shown(blob, 80));
    judge.check('RES-BINARY', BASE64.test(blob), 'blob in strict base64', () => shown(blob, 80));
  }
  for (const [key, child] of Object.entries(value)) if (!FREE.has(key)) checkValues(judge, child, depth + 1);
}

function checkMetaKey(judge: Judge, key: string): void {
  const known = !RESERVED.test(key) || DEFINED.has(key);
  judge.check(
    'RPC-META-KEYS',
    META_KEY.test(key) && known,
    '_meta keys of a valid form, reserved prefixes only for defined keys',
    JSON.stringify(key),
  );
}

/** Keys of W3C Trace Context and Baggage in `_meta`. */
function checkTracing(judge: Judge, { traceparent, tracestate, baggage }: JsonObject): void {
  if (traceparent !== undefined && traceparent !== NO_TRACE) {
    const good = typeof traceparent === 'string' && TRACEPARENT.test(traceparent);
    judge.check('OTEL-FORMAT', good, 'a traceparent as W3C Trace Context has it', () => shown(traceparent));
  }
  for (const list of [tracestate, baggage])
    if (list !== undefined && list !== NO_TRACE)
      judge.check('OTEL-FORMAT', typeof list === 'string' && /^[^\s=,;]+\s*=/.test(list), 'a list of key=value', () => shown(list));
}

function checkIcons(judge: Judge, icons: unknown): void {
  const good =
    Array.isArray(icons) &&
    icons.every((icon) => isObject(icon) && typeof icon['src'] === 'string' && /^(?:https?:\/\/|data:)/i.test(icon['src']));
  judge.check('TOOL-ICONS', good, 'icons: an array of objects whose src is an http(s) or data URI', () => shown(icons));
}

function checkAnnotations(judge: Judge, annotations: JsonObject): void {
  const { priority, audience, lastModified } = annotations;
  if (priority !== undefined)
    judge.check('CNT-ANNOT-PRIORITY', typeof priority === 'number' && priority >= 0 && priority <= 1, 'priority from 0 to 1', () =>
      shown(priority),
    );
  if (audience !== undefined)
    judge.check(
      'CNT-ANNOT-AUDIENCE',
      Array.isArray(audience) && audience.every((who) => who === 'user' || who === 'assistant'),
      'audience of "user" and "assistant"',
      () => shown(audience),
    );
  if (lastModified !== undefined)
    judge.check(
      'CNT-ANNOT-MODIFIED',
      typeof lastModified === 'string' && ISO.test(lastModified) && !Number.isNaN(Date.parse(lastModified)),
      'lastModified in ISO 8601',
      () => shown(lastModified),
    );
}
