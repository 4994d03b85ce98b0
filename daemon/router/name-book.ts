/** Which exposed name stands for which tool or prompt: without collisions, and remembered, so that a name outlives a renaming. */
import type { StateStore } from '../api/state.ts';
import { hashedName } from './names.ts';

/** What has names. */
export type NamedKind = 'tools' | 'prompts';
/** Something that wants a name. */
export interface Naming {
  /** The server's name in the configuration. */
  readonly server: string;
  /** The server's own name of it. */
  readonly own: string;
  /** The exposed name it would have alone. */
  readonly wanted: string;
  /** Whether `wanted` comes from the server's own name and not from an override. */
  readonly plain: boolean;
}
/** What a name once stood for. */
export interface FormerName {
  readonly exposed: string;
  readonly server: string;
  readonly own: string;
}

/** Names of a server kept beside those it has now. */
const FORMER_LIMIT = 1000;

/**
 * One name each, all different, whatever the order: where several want the same one, the server's own name goes before an
 * override, then the smaller identity; the others get a hash.
 */
export function assignNames(namings: readonly Naming[]): readonly string[] {
  const wanting = new Map<string, Naming[]>();
  for (const naming of namings) {
    const others = wanting.get(naming.wanted);
    if (others === undefined) wanting.set(naming.wanted, [naming]);
    else others.push(naming);
  }
  if (wanting.size === namings.length) return namings.map(({ wanted }) => wanted);
  const names = new Map<Naming, string>();
  const losers: Naming[] = [];
  for (const group of wanting.values()) {
    const [winner, ...others] = group.sort(
      (a, b) => Number(b.plain) - Number(a.plain) || compare(a.server, b.server) || compare(a.own, b.own),
    );
    if (winner !== undefined) names.set(winner, winner.wanted);
    losers.push(...others);
  }
  const taken = new Set(names.values());
  for (const loser of losers.sort((a, b) => compare(a.server, b.server) || compare(a.own, b.own))) {
    let salt = '';
    while (taken.has(hashedName(loser.wanted, `${loser.server}\n${loser.own}${salt}`))) salt += '\n';
    const name = hashedName(loser.wanted, `${loser.server}\n${loser.own}${salt}`);
    names.set(loser, name);
    taken.add(name);
  }
  return namings.map((naming) => names.get(naming) ?? naming.wanted);
}

/**
 * The names of one endpoint. Table `names`: key = endpoint path, kind and server, one a line; value = exposed name → own name,
 * oldest first.
 */
export class NameBook {
  readonly #state: StateStore | undefined;
  readonly #path: string;
  readonly #books = new Map<string, Map<string, string>>();

  /** @param path of the endpoint */
  constructor(state: StateStore | undefined, path: string) {
    this.#state = state;
    this.#path = path;
    for (const [key, value] of state?.entries<unknown>('names', `${path}\n`) ?? []) {
      if (typeof value !== 'object' || value === null) continue;
      this.#books.set(key.slice(path.length + 1), new Map(Object.entries(value as Record<string, string>)));
    }
  }

  /** Remembers what names stand for now. Written only when one is new. */
  remember(kind: NamedKind, server: string, names: ReadonlyMap<string, string>): void {
    const key = `${kind}\n${server}`;
    const book = this.#books.get(key) ?? new Map<string, string>();
    const fresh = [...names].filter(([exposed, own]) => book.get(exposed) !== own);
    if (fresh.length === 0) return;
    for (const [exposed, own] of fresh) {
      book.delete(exposed);
      book.set(exposed, own);
    }
    for (const exposed of book.keys()) {
      if (book.size <= names.size + FORMER_LIMIT) break;
      if (!names.has(exposed)) book.delete(exposed);
    }
    this.#books.set(key, book);
    this.#state?.set('names', `${this.#path}\n${key}`, Object.fromEntries(book));
  }

  /** Every name that was ever given out and is still remembered. */
  *former(kind: NamedKind): Iterable<FormerName> {
    for (const [key, book] of this.#books) {
      const [of, server] = key.split('\n');
      if (of !== kind || server === undefined) continue;
      for (const [exposed, own] of book) yield { exposed, server, own };
    }
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
