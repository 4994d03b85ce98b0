/** How an operation is paged, as far as its parameters tell. What the answer says (a `Link` header) always counts. */
import type { Method, Pagination, Parameter } from './operation.ts';

const PAGE = /^(?:page|page_?number|page\[number\])$/iu;
const OFFSET = /^(?:offset|skip|start|startAt|start_?index)$/iu;
const CURSOR = /^(?:cursor|page_?token|next_?token|next_?cursor|continue|continuation_?token|after_?cursor|page\[cursor\])$/iu;
/** Where answers put the next cursor, in the order of their use. */
export const CURSOR_FIELDS = [
  '/next_cursor',
  '/nextCursor',
  '/next_page_token',
  '/nextPageToken',
  '/nextToken',
  '/next_token',
  '/cursor/next',
  '/cursors/after',
  '/paging/cursors/after',
  '/meta/next_cursor',
  '/meta/nextCursor',
  '/meta/cursor',
  '/pagination/next_cursor',
  '/pagination/nextCursor',
  '/response_metadata/next_cursor',
  '/metadata/continue',
  '/page/next',
  '/paging/next/after',
  '/next',
  '/links/next',
  '/_links/next/href',
  '/pagination/next',
  '/paging/next',
] as const;

/** The pagination of an operation; `link` where nothing is known, which costs nothing when no such header comes. */
export function paginationOf(method: Method, parameters: readonly Parameter[]): Pagination | undefined {
  if (method !== 'GET') return undefined;
  const query = parameters.filter((each) => each.in === 'query').map((each) => each.name);
  const found = (test: RegExp): string | undefined => query.find((name) => test.test(name));
  const after = query.includes('starting_after') ? 'starting_after' : undefined;
  if (after !== undefined) return { kind: 'cursor', parameter: after, lastItem: 'id', more: '/has_more', items: '/data' };
  const cursor = found(CURSOR);
  if (cursor !== undefined) return { kind: 'cursor', parameter: cursor };
  const page = found(PAGE);
  if (page !== undefined) return { kind: 'page', parameter: page };
  const offset = found(OFFSET);
  if (offset !== undefined) return { kind: 'offset', parameter: offset };
  return { kind: 'link' };
}
