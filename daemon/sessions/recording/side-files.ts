/** Messages kept beside a recording: read, and held against the digest that is their name, so that a damaged one is never taken for the message. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { FrameLine } from '../../api/recordings.ts';
import { parseJson } from '../../protocol/json.ts';
import { blobFile } from './layout.ts';

/** A message, or why there is none: a part of a sentence that begins with the message. */
type SideMessage = { readonly message: object } | { readonly why: string; readonly cause?: unknown };

const MISSING = { why: 'is missing' };
const CHANGED = 'cannot be read: its side file is not what was recorded (damaged, cut off, or written anew)';

/** The side files of one recording. */
export class SideFiles {
  readonly #folder: string;
  /** Those that were whole, by name, with what tells that they are still the same files: they are not read twice to see that. */
  readonly #sound = new Map<string, string>();
  /** The last one read: whoever is given a line asks for its message next. */
  #last: { readonly blob: string; readonly state: string; readonly found: SideMessage } | undefined;

  /** @param folder that they stand in, whether it is there or not */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Why the message of a frame cannot be read; undefined when it can. */
  async trouble(line: FrameLine): Promise<string | undefined> {
    const { m, blob } = line;
    if (m !== undefined) return undefined;
    const sound = blob === undefined ? undefined : this.#sound.get(blob);
    if (blob !== undefined && sound !== undefined && sound === this.#state(blob)) return undefined;
    const found = await this.read(line);
    return 'why' in found ? found.why : undefined;
  }

  /** The message of a frame that stands in a side file. */
  async read({ blob }: FrameLine): Promise<SideMessage> {
    const file = blob === undefined ? undefined : blobFile(this.#folder, blob);
    const state = blob === undefined ? undefined : this.#state(blob);
    if (blob === undefined || file === undefined || state === undefined) return MISSING;
    if (this.#last?.blob === blob && this.#last.state === state) return this.#last.found;
    const found = await readSideFile(file, blob);
    this.#last = { blob, state, found };
    if ('message' in found) this.#sound.set(blob, state);
    else this.#sound.delete(blob);
    return found;
  }

  /** Size and time of a file; undefined when there is none. What is no file there (a pipe, a device) may have no end. */
  #state(blob: string): string | undefined {
    const file = blobFile(this.#folder, blob);
    const stat = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
    return stat?.isFile() === true ? `${stat.size} ${stat.mtimeMs} ${stat.ino}` : undefined;
  }
}

async function readSideFile(file: string, blob: string): Promise<SideMessage> {
  try {
    const bytes = await readFile(file);
    if (`sha256-${createHash('sha256').update(bytes).digest('hex')}` !== blob) return { why: CHANGED };
    const message = parseJson(bytes.toString('utf8'));
    return typeof message === 'object' && message !== null ? { message } : { why: CHANGED };
  } catch (cause) {
    const why = cause instanceof SyntaxError ? CHANGED : `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
    return { why, cause };
  }
}
