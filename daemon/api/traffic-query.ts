/** The query language of traffic, the same on the command line and in the editor: `client:claude-code server:files is:error "text to find"`. */
import type { TrafficQuery } from './sessions.ts';

/** The members a query may set. */
type Wanted = Pick<TrafficQuery, 'session' | 'client' | 'endpoint' | 'workspace' | 'server' | 'edge' | 'method' | 'errors' | 'search'>;

/** A query as understood, and what was not understood, in words. */
export interface ParsedTrafficQuery {
  readonly query: Wanted;
  readonly problems: readonly string[];
}

const TOKEN = /(?:([a-z]+):)?(?:"((?:[^"\\]|\\.)*)"?|(\S+))/g;

/**
 * Reads a query: `key:value` pairs and words; what has blanks or looks like a pair stands in double quotes. All of it must fit a row.
 * Words are joined by one blank and searched in method, target, server, text and message. `tool:NAME` is `method:tools/call` and the
 * name as a word; `is:error` keeps errors only; `edge:` is `client` or `server`.
 *
 * @param text what the person typed; empty means everything
 */
export function parseTrafficQuery(text: string): ParsedTrafficQuery {
  const query: { -readonly [K in keyof Wanted]: Wanted[K] } = {};
  const problems: string[] = [];
  const words: string[] = [];
  for (const [whole, key, quoted, bare = ''] of text.matchAll(TOKEN)) {
    const value = quoted === undefined ? bare : quoted.replaceAll(/\\(.)/g, '$1');
    switch (key) {
      case 'session':
      case 'client':
      case 'endpoint':
      case 'workspace':
      case 'server':
      case 'method':
        query[key] = value;
        break;
      case 'tool':
        query.method = 'tools/call';
        words.push(value);
        break;
      case 'edge':
        if (value === 'client' || value === 'server') query.edge = value;
        else problems.push(`edge: is client or server, not ${value}`);
        break;
      case 'is':
        if (value === 'error' || value === 'errors') query.errors = true;
        else problems.push(`is: takes error, not ${value}`);
        break;
      case undefined:
        words.push(value);
        break;
      default:
        words.push(whole); // a word with a colon in it, such as a URI
    }
  }
  if (words.length > 0) query.search = words.join(' ');
  return { query, problems };
}

/** Writes a query so that {@link parseTrafficQuery} reads the same. */
export function formatTrafficQuery(query: Wanted): string {
  const { errors, search, ...pairs } = query;
  const parts = Object.entries(pairs).flatMap(([key, value]) => (value === undefined ? [] : `${key}:${quote(value)}`));
  if (errors === true) parts.push('is:error');
  if (search !== undefined && search !== '') parts.push(/^[^\s":]+$/.test(search) ? search : quoted(search));
  return parts.join(' ');
}

function quote(value: string): string {
  return /^[^\s"]+$/.test(value) ? value : quoted(value);
}

function quoted(value: string): string {
  return `"${value.replaceAll(/(["\\])/g, '\\$1')}"`;
}
