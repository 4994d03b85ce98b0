/** Where a protected server says who issues its tokens: the challenge (RFC 6750 section 3) and the metadata (RFC 9728). */
import { isObject, type JsonObject } from '../../protocol/message.ts';

/** The parameters of a Bearer challenge, names in lower case; undefined without one. */
export function challengeOf(header: string | undefined): Readonly<Record<string, string>> | undefined {
  const start = /(?:^|,\s*)Bearer(?:\s+|$)/i.exec(header ?? '');
  if (header === undefined || start === null) return undefined;
  const parameters: Record<string, string> = {};
  const rest = header.slice(start.index + start[0].length);
  for (const [, name = '', quoted, token] of rest.matchAll(/([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g))
    parameters[name.toLowerCase()] ??= quoted === undefined ? (token ?? '') : quoted.replaceAll(/\\(.)/g, '$1');
  return parameters;
}

/** What was found where. */
export interface Metadata {
  /** The URL that answered. */
  readonly place: string | undefined;
  readonly document: JsonObject | undefined;
  /** What became of each URL, for people. */
  readonly tried: readonly string[];
}

const LIMIT_MS = 5000;
const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/**
 * Looks for the protected resource metadata as a client does: where the challenge says, else at the well-known URI with the path, else without.
 * A place on another host is asked over https only, and redirects are not followed: a server under test must not send the tester elsewhere.
 */
export async function metadataOf(endpoint: string, named: string | undefined, remark: (text: string) => void): Promise<Metadata> {
  const own = new URL(endpoint);
  const path = own.pathname.replace(/\/$/, '');
  const places = named === undefined ? [...new Set([`${own.origin}${WELL_KNOWN}${path}`, `${own.origin}${WELL_KNOWN}`])] : [named];
  const tried: string[] = [];
  for (const place of places) {
    const problem = await ask(place, own);
    remark(`GET ${place}: ${typeof problem === 'string' ? problem : JSON.stringify(problem)}`);
    if (typeof problem !== 'string') return { place, document: problem, tried };
    tried.push(`GET ${place}: ${problem}`);
  }
  return { place: undefined, document: undefined, tried };
}

async function ask(place: string, own: URL): Promise<JsonObject | string> {
  if (!URL.canParse(place)) return 'that is no URL';
  const url = new URL(place);
  if (url.hostname !== own.hostname && url.protocol !== 'https:') return 'another host, and not https: not asked';
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    const text = (await response.text()).slice(0, 65_536);
    if (response.status !== 200) return `HTTP ${response.status}`;
    const document: unknown = JSON.parse(text);
    return isObject(document) ? document : 'JSON, but no object';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Whether the resource of the metadata means this endpoint: itself, or a parent path of the same origin (RFC 8707). */
export function sameResource(resource: unknown, endpoint: string): boolean {
  if (typeof resource !== 'string' || !URL.canParse(resource)) return false;
  const [one, other] = [new URL(resource), new URL(endpoint)];
  const path = one.pathname.replace(/\/$/, '');
  return (
    one.origin === other.origin &&
    (other.pathname === path || other.pathname.replace(/\/$/, '') === path || other.pathname.startsWith(`${path}/`))
  );
}
