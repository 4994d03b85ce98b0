/** From a base URL, a path template and arguments to a URL that is surely beneath the base. */
import { SignalboxError } from '../../../daemon/api/errors.ts';

/**
 * Checks and parses the base URL before `new URL` can tidy anything away.
 * @throws SignalboxError `SBX_API_SPEC`
 */
export function parseBaseUrl(text: string): URL {
  const wrong = (why: string): SignalboxError =>
    new SignalboxError('SBX_API_SPEC', 'The base URL of the API cannot be used.', {
      why,
      fix: 'Set "baseUrl" in the settings to an address such as https://api.example.com/v1.',
    });
  if (/[\u0000-\u0020\u007f\\]/u.test(text)) throw wrong(`${JSON.stringify(text)} contains a blank, a control character or a backslash.`);
  const authority = /^https?:\/\/([^/?#]*)/iu.exec(text)?.[1];
  if (authority === undefined) throw wrong(`"${text}" does not begin with http:// or https://.`);
  if (/[@%]/u.test(authority)) throw wrong(`"${text}" has a user name or an escape in its host.`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw wrong(`"${text}" is not a URL.`);
  }
  if (url.search !== '' || url.hash !== '') throw wrong(`"${text}" has a query or a fragment.`);
  return url;
}

/** One argument of a request, in the place the specification gives it. */
export interface Placed {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly value: unknown;
  /** OpenAPI `style`/`explode`, as far as they matter for a query. */
  readonly explode: boolean;
  readonly deep: boolean;
}

/**
 * Builds the URL of a request. Path values are encoded; `.`, `..` and empty ones are refused, and the result must be exactly what was built
 * (CVE-2026-32871 was a path value that climbed out of the base).
 * @throws SignalboxError `SBX_API_INPUT`
 */
export function requestUrl(base: URL, template: string, placed: readonly Placed[]): URL {
  let path = base.pathname.replace(/\/$/u, '') + template;
  for (const { name, value } of placed.filter((each) => each.in === 'path')) {
    const text = String(value);
    if (text === '' || text === '.' || text === '..' || !text.isWellFormed()) throw badInput(name, `"${text}" cannot stand in a path.`);
    path = path.replaceAll(`{${name}}`, () => encodeURIComponent(text));
  }
  const url = new URL(base.origin);
  url.pathname = path;
  if (url.origin !== base.origin || url.pathname !== path) throw badInput('the path', `It becomes ${url.pathname} instead of ${path}.`);
  for (const each of placed.filter((one) => one.in === 'query')) appendQuery(url, each);
  return url;
}

function appendQuery(url: URL, { name, value, explode, deep }: Placed): void {
  if (value === undefined || value === null) return;
  if (Array.isArray(value)) {
    if (explode) for (const item of value) url.searchParams.append(name, String(item));
    else url.searchParams.append(name, value.map(String).join(','));
  } else if (typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) url.searchParams.append(deep ? `${name}[${key}]` : key, String(item));
  } else url.searchParams.append(name, String(value));
}

function badInput(name: string, why: string): SignalboxError {
  return new SignalboxError('SBX_API_INPUT', `The value of ${name} cannot be used.`, {
    why,
    fix: 'Give a plain value without "." or ".." alone.',
  });
}
