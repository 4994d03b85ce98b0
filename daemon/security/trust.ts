import { readJson, writePrivately } from './files.ts';

/** Folders nobody trusted are forgotten beyond this many, oldest first; trusted ones never. */
const REMEMBERED = 64;

/** Which workspaces the user trusts: real path of the folder and hex SHA-256 of the file that was trusted. Kept in `trust.json`, 0600. */
export class TrustStore {
  readonly #file: string;
  readonly #records = new Map<string, string | undefined>();
  readonly #listeners = new Set<() => void>();

  /** @param file `Paths.trustFile`; read now, written on every change */
  constructor(file: string) {
    this.#file = file;
    const stored = readJson(file) as { workspaces?: readonly { folder?: unknown; digest?: unknown }[] } | null | undefined;
    if (!Array.isArray(stored?.workspaces)) return;
    for (const { folder, digest } of stored.workspaces) {
      if (typeof folder === 'string') this.#records.set(folder, typeof digest === 'string' ? digest : undefined);
    }
  }

  /** The digest that was trusted in a folder (real path), if any. */
  trustedDigest(folder: string): string | undefined {
    return this.#records.get(folder);
  }

  /** Every folder the daemon has served, trusted or not: a client that reconnects after a restart must find its endpoint. */
  folders(): readonly string[] {
    return [...this.#records.keys()];
  }

  /** Notes that a folder is in use. */
  remember(folder: string): void {
    if (this.#records.has(folder)) return;
    this.#records.set(folder, undefined);
    const untrusted = [...this.#records].filter(([, digest]) => digest === undefined).map(([name]) => name);
    for (const old of untrusted.slice(0, Math.max(0, untrusted.length - REMEMBERED))) this.#records.delete(old);
    this.#write();
  }

  /** Trusts one content of one folder's file; any other content of it is not trusted. */
  trust(folder: string, digest: string): void {
    this.#records.set(folder, digest);
    this.#write();
    this.#changed();
  }

  /** Takes the trust back. */
  distrust(folder: string): void {
    if (!this.#records.has(folder)) return;
    this.#records.set(folder, undefined);
    this.#write();
    this.#changed();
  }

  /** Called after every change of trust; returns the function that stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #write(): void {
    const workspaces = [...this.#records].map(([folder, digest]) => (digest === undefined ? { folder } : { folder, digest }));
    writePrivately(this.#file, `${JSON.stringify({ workspaces }, null, 2)}\n`);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
