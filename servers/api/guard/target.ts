/** From text to URL: what `new URL` would tidy away is refused before, and a path surely stays beneath its base. */
import { SignalboxError } from '../../../daemon/api/errors.ts';

/**
 * Checks and parses an absolute http(s) URL. Unlike `new URL` it refuses control characters, blanks, backslashes, a user name and an escape
 * in the host, which different programs read differently.
 * @returns the URL, or why it is refused
 */
export function strictUrl(text: string): URL | string {
  // A user name, a password and a query may be secret, and this text stands in errors.
  const shown = JSON.stringify(
    text
      .replace(/\/\/[^/?#]*@/u, '//…@')
      .replace(/[?#].*$/su, '')
      .slice(0, 200),
  );
  if (/[\u0000-\u0020\u007f-\u009f\\\u2028\u2029\ufeff]/u.test(text))
    return `${shown} contains a blank, a control character or a backslash.`;
  if (!text.isWellFormed()) return `${shown} is not well-formed text.`;
  const authority = /^https?:\/\/([^/?#]*)/iu.exec(text)?.[1];
  if (authority === undefined) return `${shown} does not begin with http:// or https://.`;
  if (/[@%]/u.test(authority)) return `${shown} has a user name or an escape in its host.`;
  if (!URL.canParse(text)) return `${shown} is not a URL.`;
  const url = new URL(text);
  return url.username === '' && url.password === '' && url.hostname !== '' ? url : `${shown} has a user name or no host.`;
}

/**
 * Checks and parses the base URL.
 * @throws SignalboxError `SBX_API_SPEC`
 */
export function parseBaseUrl(text: string): URL {
  const url = strictUrl(text);
  const why =
    typeof url === 'string'
      ? url
      : url.search !== '' || url.hash !== ''
        ? `"${url.origin}${url.pathname}" has a query or a fragment behind it.`
        : undefined;
  if (typeof url !== 'string' && why === undefined) return url;
  throw new SignalboxError('SBX_API_SPEC', 'The base URL of the API cannot be used.', {
    why: why ?? String(url),
    fix: 'Set "baseUrl" in the settings to an address such as https://api.example.com/v1.',
  });
}

/**
 * Encodes one value for one place in a path. Refuses what any server, proxy or framework could read as a way out: `.` and `..` between
 * slashes of either kind, however often they are escaped, also with a path parameter (`..;`), an empty value, and control characters.
 * CVE-2026-32871 was a path value that climbed out of the base.
 * @param slashes whether `/` stays as it is (a value of several segments)
 * @throws SignalboxError `SBX_API_INPUT`
 */
export function pathValue(name: string, text: string, slashes = false): string {
  if (text === '') throw badInput(name, 'It is empty, which would change the path.');
  if (!text.isWellFormed()) throw badInput(name, 'It is not well-formed text.');
  const why = climbing(text);
  if (why !== undefined) throw badInput(name, why);
  if (slashes && text.split(/[/\\]/u).slice(0, -1).includes('')) throw badInput(name, 'It has an empty segment.');
  const encoded = encodeURIComponent(text);
  return slashes ? encoded.replaceAll('%2F', '/') : encoded;
}

/** Why a part of a path would leave its place, decoded as often as anybody might; undefined when it stays. */
export function climbing(text: string): string | undefined {
  for (let decoded = text, round = 0; ; round++) {
    if (/[\u0000-\u001f\u007f]/u.test(decoded)) return 'It has a control character, which cannot stand in a path.';
    const segments = decoded.normalize('NFKC').split(/[/\\\u2044\u2215\u29f8\uff0f\uff3c]/u);
    if (segments.some((segment) => /^\s*\.{1,2}\s*(?:[;?#].*)?$/u.test(segment)))
      return `${JSON.stringify(text.slice(0, 100))} would climb out of its place in the path.`;
    const next = unescaped(decoded);
    if (next === decoded || round === 4) return undefined;
    decoded = next;
  }
}

/**
 * Puts an encoded path beneath a base URL, and checks that nothing was tidied away.
 * @param path begins with `/`, every value already encoded by {@link pathValue}
 * @throws SignalboxError `SBX_API_INPUT`
 */
export function urlBeneath(base: URL, path: string, query: string): URL {
  const prefix = base.pathname.replace(/\/$/u, '');
  const url = new URL(base.origin);
  url.pathname = prefix + path;
  if (url.origin !== base.origin || url.pathname !== prefix + path)
    throw badInput('the path', `It becomes ${url.pathname.slice(0, 200)} instead of ${(prefix + path).slice(0, 200)}.`);
  if (query !== '') url.search = `?${query}`;
  if (url.hash !== '' || url.origin !== base.origin) throw badInput('the query', 'It would end the query.');
  return url;
}

/** Percent escapes decoded once, also overlong and `%u` forms that some servers accept. */
function unescaped(text: string): string {
  return text
    .replace(/%u([0-9a-f]{4})/giu, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/%c0%(?:ae|2e)/giu, '.')
    .replace(/%(?:c0%af|c1%9c|c0%2f)/giu, '/')
    .replace(/(?:%[0-9a-f]{2})+/giu, (escapes) => {
      const bytes = Buffer.from(escapes.replaceAll('%', ''), 'hex');
      return bytes.toString('utf8');
    });
}

/** The refusal of an argument. */
export function badInput(name: string, why: string): SignalboxError {
  return new SignalboxError('SBX_API_INPUT', `The value of ${name} cannot be used.`, {
    why,
    fix: 'Give a plain value; the description of the tool says what is expected.',
  });
}
