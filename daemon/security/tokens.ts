import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientCredential } from '../api/control.ts';
import { makePrivateFolder, readJson, writePrivately } from './files.ts';

/** What a credential is for: a client and the path of an endpoint, `/mcp/<endpoint>` or `/mcp/<workspace>/<endpoint>`. */
export interface CredentialKey {
  readonly client: string;
  readonly path: string;
}

interface Credential extends CredentialKey {
  /** hex SHA-256 of the token. */
  readonly hash: string;
  readonly createdAt: string;
  readonly lastUsedAt?: string;
}

/** A use is written down once in this many milliseconds: `lastUsedAt` is for people, not worth a write per call. */
const USE_NOTED_EVERY = 60 * 60 * 1000;

/**
 * The credentials of clients, one per client and endpoint: 256 random bits, stored hashed in `tokens.json`; the plain token is in one 0600 file
 * each, where the bridge and `signalbox clients token` find it. Survives restarts, so that nothing has to be wired again.
 */
export class TokenStore {
  readonly #file: string;
  readonly #folder: string;
  readonly #byHash = new Map<string, Credential>();
  readonly #onGone: (key: CredentialKey) => void;
  #changes = 0;

  /**
   * @param paths `tokensFile` (read now) and `clientsDir` of `Paths`
   * @param onGone told of every credential that was taken back or replaced
   */
  constructor(paths: { readonly tokensFile: string; readonly clientsDir: string }, onGone: (key: CredentialKey) => void = () => {}) {
    this.#onGone = onGone;
    this.#file = paths.tokensFile;
    this.#folder = paths.clientsDir;
    const stored = readJson(this.#file) as { tokens?: unknown } | null | undefined;
    if (!Array.isArray(stored?.tokens)) return;
    for (const credential of stored.tokens as Partial<Credential>[]) {
      if (typeof credential.hash === 'string' && typeof credential.client === 'string' && typeof credential.path === 'string')
        this.#byHash.set(credential.hash, { createdAt: '', ...credential } as Credential);
    }
  }

  /** Counts up when a credential is made, replaced or taken back: a verdict of {@link verify} holds until then. */
  get changes(): number {
    return this.#changes;
  }

  /** The token of a client for an endpoint; made if there is none or its file is lost. */
  ensure(key: CredentialKey): { readonly token: string; readonly file: string } {
    const file = credentialFile(this.#folder, key);
    const stored = readJson(file) as { client?: unknown; path?: unknown; token?: unknown } | null | undefined;
    if (typeof stored?.token === 'string') {
      const credential = this.#byHash.get(hashOf(stored.token));
      if (credential !== undefined && isFor(credential, key)) return { token: stored.token, file };
    }
    return this.rotate(key);
  }

  /** Replaces the token of a client for an endpoint; the old one stops working at once. */
  rotate({ client, path }: CredentialKey): { readonly token: string; readonly file: string } {
    const token = randomBytes(32).toString('base64url');
    this.#changes += 1;
    for (const old of [...this.#byHash.values()]) {
      if (!isFor(old, { client, path })) continue;
      this.#byHash.delete(old.hash);
      this.#onGone({ client, path });
    }
    const hashed = hashOf(token);
    this.#byHash.set(hashed, { client, path, hash: hashed, createdAt: new Date().toISOString() });
    this.#write();
    makePrivateFolder(this.#folder);
    const file = credentialFile(this.#folder, { client, path });
    writePrivately(file, `${JSON.stringify({ client, path, token }, null, 2)}\n`);
    return { token, file };
  }

  /**
   * Takes credentials back.
   * @param path the endpoint; without it, every endpoint of the client
   * @returns how many there were
   */
  revoke(client: string, path?: string): number {
    const gone = [...this.#byHash.values()].filter(
      (credential) => credential.client === client && (path === undefined || credential.path === path),
    );
    this.#changes += 1;
    for (const credential of gone) {
      this.#byHash.delete(credential.hash);
      this.#onGone(credential);
      rmSync(credentialFile(this.#folder, credential), { force: true });
    }
    if (gone.length > 0) this.#write();
    return gone.length;
  }

  /**
   * Who presents a token. The token is hashed first, so that the time a look-up takes says nothing about any token.
   * @param bearer what stood after `Bearer `
   * @param path endpoint that was asked for, as in {@link CredentialKey}
   */
  verify(bearer: string, path: string): { readonly client: string } | 'unknown' | 'other-endpoint' {
    const hashed = hashOf(bearer);
    const credential = this.#byHash.get(hashed);
    if (credential === undefined || !timingSafeEqual(Buffer.from(hashed), Buffer.from(credential.hash))) return 'unknown';
    if (credential.path !== path) return 'other-endpoint';
    const now = new Date();
    if (now.getTime() - Date.parse(credential.lastUsedAt ?? '1970-01-01T00:00:00Z') > USE_NOTED_EVERY) {
      this.#byHash.set(hashed, { ...credential, lastUsedAt: now.toISOString() });
      this.#write();
    }
    return { client: credential.client };
  }

  /** Every credential, without its token; by client, then path. */
  list(): readonly (ClientCredential & { readonly path: string })[] {
    return [...this.#byHash.values()]
      .map(({ client, path, createdAt, lastUsedAt }) => ({
        client,
        path,
        ...endpointOf(path),
        createdAt,
        ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
      }))
      .sort((a, b) => (`${a.client} ${a.path}` < `${b.client} ${b.path}` ? -1 : 1));
  }

  /** Removes token files that belong to no credential any more (a crash between two writes); called once at start. */
  sweep(): void {
    const known = new Set([...this.#byHash.values()].map((credential) => credentialFile(this.#folder, credential)));
    let names: readonly string[] = [];
    try {
      names = readdirSync(this.#folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    for (const name of names) if (!known.has(join(this.#folder, name))) rmSync(join(this.#folder, name), { force: true });
  }

  #write(): void {
    writePrivately(this.#file, `${JSON.stringify({ tokens: [...this.#byHash.values()] }, null, 2)}\n`);
  }
}

/**
 * Where the token of a client for an endpoint is: `<clients>/<client>--<endpoint path slug>.json`, content `{client, path, token}`.
 * The slug is the path after `/mcp/` with `_` for `/`, which no name contains.
 */
export function credentialFile(clientsDir: string, { client, path }: CredentialKey): string {
  return join(clientsDir, `${fileWord(client)}--${fileWord(path.replace(/^\/mcp\//, '').replaceAll('/', '_'))}.json`);
}

/** A name as part of a file name: as it is when harmless, else cleaned with a hash of it. */
function fileWord(name: string): string {
  if (/^[a-z0-9](?:[a-z0-9_]|-(?!-)|\.(?!\.)){0,99}$/.test(name) && !/[-.]$/.test(name)) return name;
  const clean = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  return `${clean === '' ? 'x' : clean}.${hashOf(name).slice(0, 10)}`;
}

function endpointOf(path: string): { readonly endpoint: string; readonly workspace?: string } {
  const parts = path.split('/').slice(2);
  const [first = '', second] = parts;
  return second === undefined ? { endpoint: first } : { endpoint: second, workspace: first };
}

function hashOf(token: string): string {
  return hash('sha256', token);
}

function isFor(credential: CredentialKey, key: CredentialKey): boolean {
  return credential.client === key.client && credential.path === key.path;
}
