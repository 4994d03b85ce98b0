/** What was learnt of one server and is kept over a restart: which eras it speaks, whether it asks its clients. */
import type { StateStore } from '../api/state.ts';
import type { Era } from '../protocol/eras.ts';

/** Milliseconds a verdict counts. */
const KEPT_MS = 24 * 60 * 60 * 1000;
/** Milliseconds a verdict from mere silence counts: the server may only have been slow to start. */
const DOUBTFUL_MS = 60 * 60 * 1000;

interface Verdict {
  readonly speaks: boolean;
  /** Milliseconds since 1970. */
  readonly until: number;
}
/** Row of the table `servers`; the key is the server's instance key. */
interface Row {
  readonly legacy?: Verdict;
  readonly modern?: Verdict;
  /** `serverInfo.version` when the verdicts were learnt. */
  readonly version?: string;
  /** When it was first seen asking, ISO 8601. */
  readonly asks?: string;
}

/** The facts of one server. Without a store they last as long as this object. */
export class ServerFacts {
  readonly #store: Pick<StateStore, 'get' | 'set'> | undefined;
  readonly #key: string;
  readonly #now: () => number;
  #row: Row;

  /**
   * @param key instance key of the server
   * @param now clock in milliseconds, for tests
   */
  constructor(store: Pick<StateStore, 'get' | 'set'> | undefined, key: string, now: () => number = Date.now) {
    this.#store = store;
    this.#key = key;
    this.#now = now;
    this.#row = store?.get<Row>('servers', key) ?? {};
  }

  /** Whether it speaks the era, as far as known; `stale` when that should be found out again. */
  verdict(era: Era): { readonly speaks: boolean; readonly stale: boolean } | undefined {
    const verdict = this.#row[era];
    return verdict === undefined ? undefined : { speaks: verdict.speaks, stale: this.#now() >= verdict.until };
  }

  /** Whether it was seen asking its client something only a person or a model can answer. */
  get asks(): boolean {
    return this.#row.asks !== undefined;
  }

  /**
   * Keeps a verdict.
   * @param doubtful it follows from silence only
   */
  learn(era: Era, speaks: boolean, doubtful = false): void {
    const known = this.#row[era];
    const now = this.#now();
    // Not at every start: the store is a file.
    if (known?.speaks === speaks && known.until - now > KEPT_MS / 2) return;
    this.#write({ ...this.#row, [era]: { speaks, until: now + (doubtful ? DOUBTFUL_MS : KEPT_MS) } });
  }

  /** Drops both verdicts: neither holds any more. */
  forgetEras(): void {
    const { legacy: _legacy, modern: _modern, ...rest } = this.#row;
    this.#write(rest);
  }

  /** Notes the version met in `era`; another one than before may speak another era as well. */
  meet(era: Era, version: string | undefined): void {
    if (version === this.#row.version) return;
    const before = this.#row.version;
    const other: Era = era === 'legacy' ? 'modern' : 'legacy';
    const { version: _version, [other]: verdict, ...rest } = this.#row;
    const kept = before === undefined || verdict === undefined ? verdict : { ...verdict, until: 0 };
    this.#write({ ...rest, ...(kept === undefined ? {} : { [other]: kept }), ...(version === undefined ? {} : { version }) });
  }

  /** Notes that it asks. */
  sawAsking(): void {
    if (!this.asks) this.#write({ ...this.#row, asks: new Date(this.#now()).toISOString() });
  }

  #write(row: Row): void {
    this.#row = row;
    this.#store?.set('servers', this.#key, row);
  }
}
