/**
 * What is under way, by id. Not a Map: when V8 moves a Map's entries to a larger or cleaner table, the old table keeps pointing to what it
 * held and to the next one. Ids come and go for ever and never all at once, so such tables form a chain that minor collections take for
 * living, and each request with all that hangs on it is promoted: measured at 16 callers, a fifth of the processor in the collector and a
 * heap of 150 MB instead of 30. A dictionary of properties has no such chain. The ids 1 and "1" are two.
 */
import type { RequestId } from './message.ts';

/** The part of a Map that is needed; what it iterates over is a copy. */
export class InFlight<K extends RequestId, V> {
  readonly #numbers: Record<number, V> = Object.create(null);
  readonly #strings: Record<string, V> = Object.create(null);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: K): V | undefined {
    return typeof id === 'number' ? this.#numbers[id] : this.#strings[id as string];
  }

  has(id: K): boolean {
    return typeof id === 'number' ? id in this.#numbers : (id as string) in this.#strings;
  }

  set(id: K, value: V): this {
    if (!this.has(id)) this.#size++;
    if (typeof id === 'number') this.#numbers[id] = value;
    else this.#strings[id as string] = value;
    return this;
  }

  delete(id: K): boolean {
    if (!this.has(id)) return false;
    this.#size--;
    return typeof id === 'number' ? delete this.#numbers[id] : delete this.#strings[id as string];
  }

  clear(): void {
    for (const [id] of this) this.delete(id);
  }

  /** Ids that are numbers in ascending order, then the others as they came. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    const numbers = Object.entries(this.#numbers).map(([id, value]): [K, V] => [Number(id) as K, value]);
    return [...numbers, ...Object.entries(this.#strings).map(([id, value]): [K, V] => [id as K, value])].values();
  }

  keys(): IterableIterator<K> {
    return [...this].map(([id]) => id).values();
  }

  values(): IterableIterator<V> {
    return [...this].map(([, value]) => value).values();
  }
}
