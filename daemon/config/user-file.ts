import { join } from 'node:path';
import type { ConfigProblem } from '../api/config.ts';
import { noConfig } from './defaults.ts';
import { type LoadedConfig, parseConfig, readConfigBytes } from './file.ts';
import { realFolder } from './folders.ts';
import { type FileWatch, watchFile } from './watch.ts';

/** Milliseconds a user's file may be gone before that counts as deleted: some editors delete and write anew. */
const GONE = 400;

/** The user's configuration file, watched. A broken one leaves what last worked. */
export class UserFile {
  readonly path: string;
  readonly #changed: () => void;
  #config: LoadedConfig;
  #digest: string | undefined;
  #problems: readonly ConfigProblem[] = [];
  #watch: FileWatch | undefined;
  #gone: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param changed called after the file on disk changed what is in force or what is wrong with it */
  constructor(path: string, changed: () => void) {
    this.path = path;
    this.#changed = changed;
    this.#config = noConfig(path);
  }

  /** What last worked. */
  get config(): LoadedConfig {
    return this.#config;
  }

  /** What is wrong with the file as it is now. */
  get problems(): readonly ConfigProblem[] {
    return this.#problems;
  }

  /** Reads it and begins to watch. `failed` gets what the watcher cannot do. */
  async start(failed: (error: unknown) => void): Promise<void> {
    const folder = realFolder(join(this.path, '..')) ?? join(this.path, '..');
    const real = join(folder, this.path.split(/[\\/]/).at(-1) ?? 'config.jsonc');
    this.#watch = await watchFile(folder, real, () => this.#reload(), failed);
    this.read();
  }

  /** Reads the file now; a missing one counts as empty. Whether anything changed. */
  read(): boolean {
    return this.#read(true);
  }

  /** Stops watching. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#gone);
    await this.#watch?.close();
  }

  #reload(): void {
    clearTimeout(this.#gone);
    if (this.#closed) return;
    if (readConfigBytes(this.path).state === 'missing' && this.#digest !== undefined)
      this.#gone = setTimeout(() => this.#read(true) && this.#changed(), GONE);
    else if (this.#read(false)) this.#changed();
  }

  #read(acceptMissing: boolean): boolean {
    const read = readConfigBytes(this.path);
    if (read.state === 'missing') {
      const changed = this.#digest !== undefined || this.#problems.length > 0;
      if (acceptMissing) this.#config = noConfig(this.path);
      this.#digest = undefined;
      this.#problems = [];
      return changed;
    }
    if (read.state === 'unreadable') {
      this.#problems = [read.problem];
      return true;
    }
    if (read.digest === this.#digest) return false;
    this.#digest = read.digest;
    const loaded = parseConfig(this.path, read.text);
    this.#problems = loaded.problems;
    if (!loaded.broken) this.#config = loaded;
    return true;
  }
}
