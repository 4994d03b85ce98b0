/**
 * Requests from what people have at hand: a curl line, or a HAR that a browser saved. Credentials in them are never taken over: they belong
 * into `auth`, and a file that is shared must not carry them on.
 */
import { readFileSync, statSync } from 'node:fs';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { isObject, list } from '../description/document.ts';
import type { Method } from '../description/operation.ts';
import { isOwned } from '../guard/headers.ts';
import { strictUrl } from '../guard/target.ts';
import type { CatalogueParameter, CatalogueRequest } from '../settings.ts';

const METHODS: readonly Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const MAX_HAR_BYTES = 64 * 1024 * 1024;
/** Query parameters that carry credentials; their values are left out. */
const CREDENTIAL =
  /^(?:.*(?:api[_-]?key|apikey|token|secret|password|passwd|signature|credential).*|key|auth|sig|sid|session(?:[_-]?id)?|code|jwt)$/iu;
const DROPPED_HEADER = /^(?:accept|accept-.*|user-agent|priority|dnt|pragma|cache-control|te|if-.*|:.*|sec-.*|range|date)$/iu;

interface Plain {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Imports curl lines and HAR files. @param resolvePath where a relative HAR path starts @throws SignalboxError `SBX_PLUGIN_SETTINGS` */
export function importRequests(
  sources: readonly string[],
  resolvePath: (path: string) => string,
): Readonly<Record<string, CatalogueRequest>> {
  const out: Record<string, CatalogueRequest> = {};
  for (const source of sources) {
    const plain = /^\s*(?:\$\s*)?curl(?:\.exe)?\s/u.test(source) ? [fromCurl(source)] : fromHar(resolvePath(source));
    for (const each of plain) {
      const name = nameOf(each);
      if (out[name] === undefined) out[name] = requestOf(each);
    }
  }
  return out;
}

function requestOf({ method, url, headers, body }: Plain): CatalogueRequest {
  const parameters: Record<string, CatalogueParameter> = {};
  // A number or an id in the path is what the next call changes.
  const path = url.pathname
    .split('/')
    .map((segment, index, all) => {
      if (!/^(?:\d+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{24,})$/iu.test(segment))
        return segment.replaceAll('{', '%7B').replaceAll('}', '%7D');
      const before = (all[index - 1] ?? '').replace(/[^A-Za-z0-9]/gu, '').replace(/s$/u, '');
      const name = `${before === '' ? 'path' : before}_id${parameters[`${before}_id`] === undefined ? '' : `_${index}`}`;
      parameters[name] = { in: 'path', required: true, schema: { type: 'string', examples: [decodeURIComponent(segment)] } };
      return `{${name}}`;
    })
    .join('/');
  for (const [name, value] of url.searchParams) {
    if (CREDENTIAL.test(name)) continue;
    parameters[name] = { in: 'query', schema: { type: 'string', default: value.slice(0, 200) } };
  }
  const json = method === 'GET' || method === 'HEAD' ? undefined : jsonSchemaOf(body);
  const form = method === 'GET' || method === 'HEAD' || json !== undefined ? undefined : formSchemaOf(body);
  const kept = Object.entries(headers).filter(([name]) => !isOwned(name) && !DROPPED_HEADER.test(name) && !CREDENTIAL.test(name));
  return {
    method,
    path: url.origin + path,
    description: `Imported request.`,
    parameters,
    ...(kept.length === 0 ? {} : { headers: Object.fromEntries(kept) }),
    ...(json === undefined ? {} : { body: json }),
    ...(form === undefined ? {} : { body: form, form: true }),
  };
}

/** A curl line, as browsers copy it (bash). @throws SignalboxError `SBX_PLUGIN_SETTINGS` */
function fromCurl(line: string): Plain {
  const words = shellWords(line).slice(1);
  const headers: Record<string, string> = {};
  let method: string | undefined;
  let address: string | undefined;
  const data: string[] = [];
  let get = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const [, option, joined] = /^(--[\w-]+)=(.*)$/su.exec(word) ?? /^(-[XHdbuAeFo])(.+)$/su.exec(word) ?? [undefined, word, undefined];
    const value = (): string => joined ?? words[++index] ?? '';
    if (option === '-X' || option === '--request') method = value();
    else if (option === '-H' || option === '--header') {
      const [, name, text] = /^([^:]+):\s*(.*)$/su.exec(value()) ?? [];
      if (name !== undefined) headers[name] = text ?? '';
    } else if (option === '--json') {
      headers['content-type'] = 'application/json';
      data.push(value());
    } else if (/^(?:-d|--data(?:-raw|-binary|-ascii|-urlencode)?)$/u.test(option ?? '')) data.push(value());
    else if (option === '-G' || option === '--get') get = true;
    else if (option === '-I' || option === '--head') method = 'HEAD';
    else if (option === '--url') address = value();
    else if (
      /^(?:-u|--user|-b|--cookie|-A|--user-agent|-e|--referer|-o|--output|-m|--max-time|--connect-timeout|-x|--proxy|--cacert|-E|--cert|--key|--resolve|--oauth2-bearer|-F|--form|--retry|-w|--write-out)$/u.test(
        option ?? '',
      )
    )
      value();
    else if (!word.startsWith('-')) address ??= word;
  }
  const body = data.length === 0 ? undefined : data.join('&');
  const spelled = address !== undefined && !/^[a-z]+:\/\//iu.test(address) ? `https://${address}` : (address ?? '');
  const url = strictUrl(get && body !== undefined ? `${spelled}${spelled.includes('?') ? '&' : '?'}${body}` : spelled);
  if (typeof url === 'string') throw wrong('The curl line', url);
  return {
    method: methodOf(method ?? (body === undefined || get ? 'GET' : 'POST'), 'The curl line'),
    url,
    headers,
    body: get ? undefined : body,
  };
}

function fromHar(file: string): readonly Plain[] {
  let har: unknown;
  try {
    if (statSync(file).size > MAX_HAR_BYTES) throw new RangeError(`it is larger than ${MAX_HAR_BYTES} bytes`);
    har = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw wrong(file, error instanceof Error ? error.message.slice(0, 300) : String(error));
  }
  const entries = isObject(har) && isObject(har['log']) ? list(har['log']['entries']) : [];
  const out: Plain[] = [];
  for (const entry of entries) {
    const request = isObject(entry) && isObject(entry['request']) ? entry['request'] : undefined;
    const response = isObject(entry) && isObject(entry['response']) ? entry['response'] : {};
    if (request === undefined) continue;
    const url = strictUrl(String(request['url']));
    const method = METHODS.find((each) => each === String(request['method']).toUpperCase());
    const content = isObject(response['content']) ? String(response['content']['mimeType'] ?? '') : '';
    // Pictures, scripts and pages are no API.
    if (
      typeof url === 'string' ||
      method === undefined ||
      !/json|xml|text\/(?:plain|csv)|^$/iu.test(content) ||
      /\.(?:js|css|html?|png|jpe?g|svg|woff2?)$/iu.test(url.pathname)
    )
      continue;
    const headers = Object.fromEntries(
      list(request['headers']).flatMap((each) => (isObject(each) ? [[String(each['name']), String(each['value'])]] : [])),
    );
    const post = isObject(request['postData']) ? request['postData']['text'] : undefined;
    out.push({ method, url, headers, body: typeof post === 'string' ? post : undefined });
  }
  if (out.length === 0) throw wrong(file, 'It holds no API request.');
  return out;
}

function nameOf({ method, url }: Plain): string {
  const words = url.pathname.split('/').filter((segment) => segment !== '' && !/^\d+$|^[0-9a-f-]{24,}$/iu.test(segment));
  return `${method.toLowerCase()}_${words.length === 0 ? url.hostname : words.join('_')}`;
}

/** A schema from one example: its types, nothing of its values. */
function jsonSchemaOf(body: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (body === undefined) return undefined;
  try {
    return shapeOf(JSON.parse(body), 0);
  } catch {
    return undefined;
  }
}

/** The fields of a form, when that is what it looks like. */
function formSchemaOf(body: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (body === undefined || !/^[^=&\s{}<>]+=[^&]*(?:&[^=&\s]+=[^&]*)*$/u.test(body)) return undefined;
  const names = new Set(new URLSearchParams(body).keys());
  return { type: 'object', properties: Object.fromEntries([...names].map((name) => [name, { type: 'string' }])) };
}

function shapeOf(value: unknown, depth: number): Readonly<Record<string, unknown>> {
  if (depth > 8 || value === null) return {};
  if (Array.isArray(value)) return { type: 'array', ...(value.length === 0 ? {} : { items: shapeOf(value[0], depth + 1) }) };
  if (typeof value === 'object')
    return { type: 'object', properties: Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shapeOf(each, depth + 1)])) };
  return { type: typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'boolean' : 'string' };
}

/** The words of a POSIX shell line: quotes, `$'…'`, backslashes, continued lines. Nothing is expanded. */
function shellWords(line: string): readonly string[] {
  const words: string[] = [];
  const token = /\$'((?:[^'\\]|\\.)*)'|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(\r?\n|.)|(\s+)|([^\s'"\\$]+|\$)/gsu;
  let word: string | undefined;
  for (const [, ansi, single, double, escaped, blank, bare] of line.matchAll(token)) {
    if (blank !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (escaped !== undefined && /\n/u.test(escaped)) continue;
    else
      word =
        (word ?? '') + (ansi === undefined ? (single ?? double?.replace(/\\(["\\$`])/gu, '$1') ?? escaped ?? bare ?? '') : ansiText(ansi));
  }
  if (word !== undefined) words.push(word);
  return words;
}

function ansiText(text: string): string {
  const plain: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
  return text.replace(/\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|(.))/giu, (_all, unicode?: string, hex?: string, one?: string) =>
    unicode === undefined && hex === undefined
      ? (plain[one ?? ''] ?? one ?? '')
      : String.fromCharCode(Number.parseInt(unicode ?? hex ?? '', 16)),
  );
}

function methodOf(text: string, where: string): Method {
  const method = METHODS.find((each) => each === text.toUpperCase());
  if (method === undefined) throw wrong(where, `Its method ${text.slice(0, 20)} is not sent.`);
  return method;
}

function wrong(what: string, why: string): SignalboxError {
  return new SignalboxError('SBX_PLUGIN_SETTINGS', `${what} cannot be imported.`, {
    why,
    fix: 'Correct "import" in the settings: a curl line or the path of a HAR file.',
  });
}
