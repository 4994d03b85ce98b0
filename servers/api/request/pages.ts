/** Where the next page is, and how pages become one answer. */

import type { Pagination } from '../description/operation.ts';
import { CURSOR_FIELDS } from '../description/pagination.ts';
import type { Fetched } from '../guard/exchange.ts';
import { pointed } from './select.ts';

type Json = Readonly<Record<string, unknown>>;
const LISTS = ['data', 'items', 'results', 'value', 'values', 'records', 'entries', 'rows', 'objects', 'elements', 'resources', 'hits'];

/**
 * The address of the next page, if there is one.
 * @param page its parsed JSON
 * @param linkSeen whether an earlier page gave a link to its next
 * @param first number of items of the first page; a shorter one is the last where pages are numbered
 */
export function nextPage(
  pagination: Pagination,
  url: URL,
  fetched: Fetched,
  page: unknown,
  first: number,
  linkSeen: boolean,
): URL | undefined {
  const linked = linkNext(fetched.headers['link']);
  if (linked !== undefined) return resolved(linked, fetched.url, url);
  // An API that pages by links says by their absence that this was the last.
  if (linkSeen || /;\s*rel\s*=\s*"?(?:prev|first|last)\b/iu.test(fetched.headers['link'] ?? '')) return undefined;
  if (pagination.more !== undefined && pointed(page, pagination.more) !== true) return undefined;
  const items = itemsOf(pagination, page);
  const count = items?.length ?? 0;
  if (pagination.kind === 'cursor') {
    if (pagination.lastItem !== undefined) {
      const last = items?.at(-1);
      const cursor = typeof last === 'object' && last !== null ? (last as Json)[pagination.lastItem] : undefined;
      return typeof cursor === 'string' || typeof cursor === 'number'
        ? withParameter(url, pagination.parameter, String(cursor))
        : undefined;
    }
    const cursor =
      pagination.next === undefined ? CURSOR_FIELDS.map((field) => pointed(page, field)).find(isCursor) : pointed(page, pagination.next);
    if (!isCursor(cursor)) return undefined;
    if (/^(?:https?:\/\/|\/|\?)/iu.test(String(cursor))) return resolved(String(cursor), fetched.url, url);
    return withParameter(url, pagination.parameter, String(cursor));
  }
  const address = [
    '/next',
    '/links/next',
    '/links/next/href',
    '/_links/next/href',
    '/_links/next',
    '/paging/next',
    '/@odata.nextLink',
    '/nextLink',
    '/meta/next',
  ]
    .map((field) => pointed(page, field))
    .find((value) => typeof value === 'string' && /^(?:https?:\/\/|\/|\?)/iu.test(value));
  if (typeof address === 'string') return resolved(address, fetched.url, url);
  if (pagination.kind === 'link' || count === 0 || count < first) return undefined;
  const now = Number(url.searchParams.get(pagination.parameter ?? '') ?? Number.NaN);
  if (pagination.kind === 'page') return withParameter(url, pagination.parameter, String((Number.isNaN(now) ? 1 : now) + 1));
  return withParameter(url, pagination.parameter, String((Number.isNaN(now) ? 0 : now) + count));
}

/** The items of a page: where the pagination says, the page itself, its only list, or the one with a usual name. */
export function itemsOf(pagination: Pagination, page: unknown): readonly unknown[] | undefined {
  const place = itemsPlace(pagination, page);
  const items = place === undefined ? undefined : pointed(page, place);
  return Array.isArray(items) ? (items as readonly unknown[]) : undefined;
}

/** The last page, whose cursor leads on, with the items of all. */
export function joined(pagination: Pagination, pages: readonly unknown[], maxItems: number): unknown {
  const place = itemsPlace(pagination, pages[0]);
  if (place === undefined) return pages.length === 1 ? pages[0] : pages;
  const items = pages.flatMap((page) => itemsOf(pagination, page) ?? []).slice(0, maxItems);
  return replaced(pages.at(-1), place === '' ? [] : place.slice(1).split('/'), items);
}

function itemsPlace(pagination: Pagination, page: unknown): string | undefined {
  if (pagination.items !== undefined && Array.isArray(pointed(page, pagination.items))) return pagination.items;
  if (Array.isArray(page)) return '';
  if (typeof page !== 'object' || page === null) return undefined;
  const lists = Object.entries(page).filter(([, value]) => Array.isArray(value));
  const key = LISTS.find((name) => lists.some(([each]) => each === name)) ?? (lists.length === 1 ? lists[0]?.[0] : undefined);
  return key === undefined ? undefined : `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function replaced(node: unknown, path: readonly string[], items: readonly unknown[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return items;
  const name = key.replaceAll('~1', '/').replaceAll('~0', '~');
  return { ...(node as Json), [name]: replaced((node as Json)[name], rest, items) };
}

/** The target of `rel="next"` in a Link header (RFC 8288). */
export function linkNext(header: string | undefined): string | undefined {
  for (const [, target, parameters] of (header ?? '').matchAll(
    /<([^>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]+))?)*)/gu,
  )) {
    const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))/iu.exec(parameters ?? '');
    if ((relation?.[1] ?? relation?.[2] ?? '').toLowerCase().split(/\s+/u).includes('next')) return target;
  }
  return undefined;
}

/** An address from an answer, spelled strictly; the guard checks the rest when it is asked for. */
function resolved(target: string, from: string, asked: URL): URL | undefined {
  if (/[\u0000-\u0020\u007f\\]/u.test(target) || !URL.canParse(target, from)) return undefined;
  const url = new URL(target, from);
  // Behind a proxy that ends TLS an API often gives its own address without it; the known scheme stays.
  if (url.protocol !== asked.protocol && url.hostname === asked.hostname && (url.port === '' || url.port === asked.port)) {
    url.protocol = asked.protocol;
    url.port = asked.port;
  }
  return url;
}

function withParameter(url: URL, name: string | undefined, value: string): URL | undefined {
  if (name === undefined) return undefined;
  const next = new URL(url);
  next.searchParams.set(name, value);
  return next;
}

function isCursor(value: unknown): value is string | number {
  return (typeof value === 'string' && value !== '') || typeof value === 'number';
}
