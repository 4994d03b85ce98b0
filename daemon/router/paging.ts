/** Cursors of our own: an offset that is good for one list, as it was, of one client. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { SignalboxError } from '../api/errors.ts';
import type { StateStore } from '../api/state.ts';
import type { JsonObject } from '../protocol/message.ts';

/**
 * Definitions on a page. A list of one page is sent as the bytes that are kept of it (1 200 tools: 1.1 to 1.6 times the cost of a static
 * body; cut into two pages, 6 to 12 times), and some clients read the first page only. No page is a message anybody refuses.
 */
export const PAGE_SIZE = 5000;

/** A page of a list. */
export interface Page {
  readonly items: readonly JsonObject[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}
/** What a cursor is good for. */
export interface PagedList {
  readonly items: readonly JsonObject[];
  /** Endpoint, client, era and list: a cursor of another one is none. */
  readonly scope: string;
}

const digests = new WeakMap<object, string>();

/** A digest of one definition, made once. */
function itemDigest(item: JsonObject): string {
  const known = digests.get(item);
  if (known !== undefined) return known;
  const digest = createHash('sha256').update(JSON.stringify(item)).digest('base64url');
  digests.set(item, digest);
  return digest;
}

/** A digest of a list: content and order. Made once for each array. */
export function listDigest(items: readonly JsonObject[]): string {
  const known = digests.get(items);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  for (const item of items) hash.update(itemDigest(item));
  const digest = hash.digest('base64url');
  digests.set(items, digest);
  return digest;
}

/** Makes and checks cursors. The key is kept in the table `keys` as `cursor`, so a cursor outlives a restart if its list does. */
export class Cursors {
  readonly #key: Buffer;
  readonly #size: number;

  /** @param size definitions on a page */
  constructor(state: StateStore | undefined, size = PAGE_SIZE) {
    this.#size = size;
    const kept = state?.get<unknown>('keys', 'cursor');
    const known = typeof kept === 'string' ? Buffer.from(kept, 'base64') : undefined;
    this.#key = known?.length === 32 ? known : randomBytes(32);
    if (this.#key !== known) state?.set('keys', 'cursor', this.#key.toString('base64'));
  }

  /**
   * One page of a list.
   * @throws SBX_CURSOR_INVALID when the cursor is not one of ours, is another client's or another list's, or the list has changed since
   */
  page(list: PagedList, cursor: unknown): Page {
    const from = cursor === undefined || cursor === null ? 0 : this.#offset(list, cursor);
    const to = from + this.#size;
    if (from === 0 && to >= list.items.length) return { items: list.items };
    const items = list.items.slice(from, to);
    return to >= list.items.length ? { items } : { items, nextCursor: this.#cursor(list, to) };
  }

  #cursor(list: PagedList, offset: number): string {
    const seal = createHmac('sha256', this.#key)
      .update(JSON.stringify([list.scope, listDigest(list.items), offset]))
      .digest('base64url');
    return `${offset}.${seal}`;
  }

  #offset(list: PagedList, cursor: unknown): number {
    const [, digits] = (typeof cursor === 'string' ? /^(\d{1,9})\.[\w-]{43}$/.exec(cursor) : null) ?? [];
    const offset = Number(digits);
    if (digits === undefined || !equal(String(cursor), this.#cursor(list, offset))) throw invalid();
    return offset;
  }
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function invalid(): SignalboxError {
  return new SignalboxError('SBX_CURSOR_INVALID', 'The cursor is not valid.', {
    why: 'It was given out for another list or client, the list has changed since, or it is not one of ours.',
    fix: 'Start the list again without a cursor.',
  });
}
