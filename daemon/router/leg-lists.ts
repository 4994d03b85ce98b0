/** The lists of one server in one era: read when the server starts or says they changed, never by a client that waits. */
import { type ErrorShape, errorShape } from '../api/errors.ts';
import type { Era } from '../protocol/eras.ts';
import { DAEMON_KEY } from '../protocol/hops.ts';
import type { Connection } from '../upstreams/connection.ts';
import { ALL_LISTS, type Caching, type ListName, readList, type Snapshot } from './snapshot.ts';

/** Milliseconds between two readings of a server's lists. */
const PAUSE_MS = 250;
/** Characters of another daemon's instructions: of daemons in a circle each tells the other's, longer with every new connection. */
const DAEMON_INSTRUCTIONS = 8192;

/** What reading needs. */
export interface LegParts {
  readonly era: Era;
  /** Name of the server, for errors. */
  readonly server: string;
  /** Our daemon's id. */
  readonly own: string;
  /** The live connection of this era, if there is one now. */
  readonly connection: () => Connection | undefined;
  /** Lists were read; `changed` names those that differ from before. */
  readonly onRead: (changed: readonly ListName[]) => void;
}

/** Reads and keeps the lists of one leg. */
export class LegLists {
  readonly #parts: LegParts;
  /** Lists to be read, or read again because the last reading failed. */
  readonly #wanted = new Set<ListName>();
  readonly #failed = new Set<ListName>();
  readonly #faults = new Map<ListName, readonly ErrorShape[]>();
  readonly #first = Promise.withResolvers<void>();
  #snapshot: Snapshot | undefined;
  #reading: Promise<void> | undefined;
  #readAt = 0;
  #error: ErrorShape | undefined;

  constructor(parts: LegParts, restored?: { readonly snapshot: Snapshot; readonly faults: readonly ErrorShape[] }) {
    this.#parts = parts;
    this.#snapshot = restored?.snapshot;
    if (restored !== undefined && restored.faults.length > 0) this.#faults.set('tools', restored.faults);
  }

  /** The lists as last read; undefined = never. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }
  /** Why a list could not be read. */
  get error(): ErrorShape | undefined {
    return this.#error;
  }
  /** Definitions that were left out, and why. */
  get faults(): readonly ErrorShape[] {
    return [...this.#faults.values()].flat();
  }
  /** Milliseconds since 1970 of the last reading in this process; 0 = none. */
  get readAt(): number {
    return this.#readAt;
  }
  /** Whether everything was read. */
  get complete(): boolean {
    return this.#snapshot !== undefined && this.#failed.size === 0;
  }

  /** Reads these lists soon. */
  read(lists: readonly ListName[] = ALL_LISTS): void {
    for (const list of lists) this.#wanted.add(list);
    this.#reading ??= this.#drain().finally(() => {
      this.#reading = undefined;
    });
  }

  /** Resolves when the lists were read once, or at once when they are known; begins to read if nobody has. Never rejects. */
  first(): Promise<void> {
    if (this.#snapshot !== undefined) return Promise.resolve();
    if (this.#reading === undefined) this.read();
    return this.#first.promise;
  }

  /** Reads what could not be read before. */
  retry(): void {
    if (this.#failed.size > 0 && this.#parts.connection() !== undefined) this.read([...this.#failed]);
  }

  /** One reading at a time with a pause between: a server that announces a change at every reading must not keep us busy for ever. */
  async #drain(): Promise<void> {
    while (this.#wanted.size > 0) {
      const pause = this.#readAt + PAUSE_MS - Date.now();
      if (pause > 0 && this.#snapshot !== undefined) await new Promise<void>((resolve) => setTimeout(resolve, pause).unref());
      const connection = this.#parts.connection();
      const lists = [...this.#wanted];
      this.#wanted.clear();
      if (connection === undefined) return; // the next connection reads everything
      this.#readAt = Date.now();
      await this.#read(connection, lists);
    }
  }

  /** What could be read counts, whatever else failed. */
  async #read(connection: Connection, lists: readonly ListName[]): Promise<void> {
    const { server, own, onRead } = this.#parts;
    const answers = await Promise.allSettled(lists.map((list) => readList(connection, list, server, own)));
    const before = this.#snapshot;
    const next: { [list in ListName]: Snapshot[ListName] } = {
      tools: before?.tools ?? [],
      prompts: before?.prompts ?? [],
      resources: before?.resources ?? [],
      templates: before?.templates ?? [],
    };
    const caching: Partial<Record<ListName, Caching>> = { ...before?.caching };
    this.#error = undefined;
    lists.forEach((list, index) => {
      const answer = answers[index];
      if (answer?.status === 'fulfilled') {
        next[list] = same(before?.[list], answer.value.items);
        delete caching[list];
        if (answer.value.caching !== undefined) caching[list] = answer.value.caching;
        this.#faults.set(list, answer.value.faults);
        this.#failed.delete(list);
      } else {
        this.#failed.add(list);
        this.#error = errorShape(answer?.reason);
      }
    });
    const { capabilities, serverInfo } = connection;
    const instructions = instructionsOf(connection);
    this.#snapshot = { ...next, caching, capabilities, serverInfo, ...(instructions === undefined ? {} : { instructions }) };
    this.#first.resolve();
    onRead(lists.filter((list) => before === undefined || next[list] !== before[list]));
  }
}

/** The definitions as read before where nothing changed: what hangs on their identity (digests, search index) stays good. */
function same(before: Snapshot[ListName] | undefined, after: Snapshot[ListName]): Snapshot[ListName] {
  return before !== undefined && JSON.stringify(before) === JSON.stringify(after) ? before : after;
}

function instructionsOf({ instructions, agreement }: Connection): string | undefined {
  if (instructions === undefined || instructions.length <= DAEMON_INSTRUCTIONS || agreement.meta[DAEMON_KEY] === undefined)
    return instructions;
  return instructions.slice(0, Math.max(0, instructions.lastIndexOf('\n', DAEMON_INSTRUCTIONS)));
}
