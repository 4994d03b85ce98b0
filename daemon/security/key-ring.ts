/** The keys of sealed state (AES-256-GCM, NIST SP 800-38D): persisted, so that what a client holds survives a restart; rotated by age. */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Sealer } from '../api/seal.ts';
import type { StateStore } from '../api/state.ts';
import { parseJson } from '../protocol/json.ts';

/** A key is used for sealing this long, and opens for as long again (milliseconds). */
const KEY_LIFE_MS = 24 * 60 * 60_000;
const CONTEXT = Buffer.from('signalbox-sealed-state/1');
const IV_BYTES = 12;
const TAG_BYTES = 16;

interface Key {
  readonly epoch: number;
  /** 32 bytes, base64. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** Seals and opens with the keys of a state store. */
export class KeyRing implements Sealer {
  readonly #store: StateStore;
  readonly #now: () => number;
  /** Does not rotate: what it signs is only a name, and must stay the same. */
  readonly #signing: Buffer;
  #keys: readonly Key[];

  constructor(store: StateStore, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
    this.#keys = store.get<readonly Key[]>('keys', 'seal') ?? [];
    const kept = store.get<string>('keys', 'sign');
    this.#signing = kept === undefined ? randomBytes(32) : Buffer.from(kept, 'base64');
    if (kept === undefined) store.set('keys', 'sign', this.#signing.toString('base64'));
  }

  seal(value: object): string {
    const key = this.#current();
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', Buffer.from(key.key, 'base64'), iv);
    cipher.setAAD(CONTEXT);
    const sealed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
    return `${key.epoch}.${Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')}`;
  }

  open<T extends object>(text: string): T | undefined {
    const [, epoch, body] = /^(\d{1,9})\.([A-Za-z0-9_-]+)$/.exec(text) ?? [];
    const key = this.#keys.find((known) => known.epoch === Number(epoch));
    if (key === undefined || body === undefined || key.createdAt + 2 * KEY_LIFE_MS < this.#now()) return undefined;
    const bytes = Buffer.from(body, 'base64url');
    if (bytes.length <= IV_BYTES + TAG_BYTES || bytes.toString('base64url') !== body) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key.key, 'base64'), bytes.subarray(0, IV_BYTES));
    decipher.setAAD(CONTEXT);
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    try {
      return parseJson(Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8')) as T;
    } catch {
      return undefined; // changed on its way: the tag does not fit
    }
  }

  sign(text: string): string {
    return createHmac('sha256', this.#signing).update(text).digest().subarray(0, 16).toString('base64url');
  }

  #current(): Key {
    const newest = this.#keys.at(-1);
    if (newest !== undefined && newest.createdAt + KEY_LIFE_MS > this.#now()) return newest;
    const made: Key = { epoch: (newest?.epoch ?? 0) + 1, key: randomBytes(32).toString('base64'), createdAt: this.#now() };
    this.#keys = [...this.#keys.filter((key) => key.createdAt + 2 * KEY_LIFE_MS > this.#now()), made];
    this.#store.set('keys', 'seal', this.#keys);
    return made;
  }
}
