/** Requests without an answer yet, found by the id of the answer. */
import type { RequestId } from '../../protocol/message.ts';

/**
 * Where a transport has no sessions (modern HTTP), several clients with one credential are one session, and may use the same id at once: which
 * of them an answer belongs to, its call tells.
 */
export class OpenRequests<T> {
  readonly #open = new Map<string, { readonly call: number | undefined; readonly value: T }[]>();

  /** @param call number of the client's request it belongs to, as in a line of a recording */
  add(id: RequestId, call: number | undefined, value: T): void {
    const key = keyOf(id);
    const known = this.#open.get(key);
    if (known === undefined) this.#open.set(key, [{ call, value }]);
    else known.push({ call, value });
  }

  /** The request an id means; undefined when there is none. */
  get(id: unknown, call?: number): T | undefined {
    const known = this.#open.get(keyOf(id));
    return (known?.find((one) => one.call === call) ?? known?.[0])?.value;
  }

  /** The same, and it is open no longer. */
  take(id: unknown, call: number | undefined): T | undefined {
    const value = this.get(id, call);
    const left = this.#open.get(keyOf(id))?.filter((one) => one.value !== value) ?? [];
    if (left.length > 0) this.#open.set(keyOf(id), left);
    else this.#open.delete(keyOf(id));
    return value;
  }

  /** Every open request, the oldest first of each id. */
  values(): readonly T[] {
    return [...this.#open.values()].flatMap((list) => list.map(({ value }) => value));
  }

  clear(): void {
    this.#open.clear();
  }
}

/** One text for an id, its type included. */
export function keyOf(id: unknown): string {
  return `${typeof id} ${String(id)}`;
}
