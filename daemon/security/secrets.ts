import { SignalboxError } from '../api/errors.ts';
import { readJson, writePrivately } from './files.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Shorter values are not redacted: replacing every "1" would destroy the text and hide nothing. */
const SHORTEST_REDACTED = 4;

interface Secret {
  readonly value: string;
  readonly grants: readonly string[];
}

/** The user's secrets: names, values, and to which servers of workspaces each was granted. Kept in `secrets.json`, 0600; no value is ever logged. */
export class SecretStore {
  readonly #file: string;
  readonly #secrets = new Map<string, Secret>();
  readonly #listeners = new Set<() => void>();
  /** Values that were replaced or removed may still be in a server's output. */
  readonly #formerValues = new Set<string>();

  /**
   * @param file `Paths.secretsFile`; read now, written on every change
   * @throws SignalboxError `SBX_SECRET_STORE` when the file is there but is not a secret store
   */
  constructor(file: string) {
    this.#file = file;
    const stored = readStore(file);
    for (const [name, secret] of Object.entries(stored)) {
      if (typeof secret?.value !== 'string') throw unreadable(file);
      this.#secrets.set(name, { value: secret.value, grants: Array.isArray(secret.grants) ? secret.grants.map(String) : [] });
    }
  }

  /** Names and grants, never values; sorted by name. */
  list(): readonly { readonly name: string; readonly grants: readonly string[] }[] {
    return [...this.#secrets].map(([name, { grants }]) => ({ name, grants })).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Whether a secret is set. */
  has(name: string): boolean {
    return this.#secrets.has(name);
  }

  /** The value. The caller has checked that it may have it. */
  value(name: string): string | undefined {
    return this.#secrets.get(name)?.value;
  }

  /** Every value, and those that were replaced or removed: for what takes them out of traffic. Never for anybody else. */
  values(): readonly string[] {
    return [...this.#formerValues, ...[...this.#secrets.values()].map(({ value }) => value)];
  }

  /**
   * Sets a value; grants stay.
   * @throws SignalboxError `SBX_USAGE` for a name outside `[A-Za-z0-9][A-Za-z0-9._-]{0,63}` or an empty value
   */
  set(name: string, value: string): void {
    if (!NAME.test(name) || value === '') {
      const why =
        value === ''
          ? 'The value is empty.'
          : 'A name is a letter or digit followed by at most 63 letters, digits, dots, dashes or underscores.';
      throw new SignalboxError('SBX_USAGE', `The secret ${JSON.stringify(name)} cannot be stored.`, {
        why,
        fix: 'Run `signalbox secret set NAME` and give the value on standard input.',
      });
    }
    this.#forget(name);
    this.#secrets.set(name, { value, grants: this.#secrets.get(name)?.grants ?? [] });
    this.#save();
  }

  /** Removes a secret with its grants; whether there was one. */
  remove(name: string): boolean {
    this.#forget(name);
    if (!this.#secrets.delete(name)) return false;
    this.#save();
    return true;
  }

  /**
   * Lets one server use a secret.
   * @param holder who exactly: `ConfigStore` names it so that another URL or another command is another holder
   * @throws SignalboxError `SBX_SECRET_MISSING` when there is no such secret
   */
  grant(name: string, holder: string): void {
    const secret = this.#secrets.get(name);
    if (secret === undefined) throw secretMissing(name);
    if (secret.grants.includes(holder)) return;
    this.#secrets.set(name, { ...secret, grants: [...secret.grants, holder] });
    this.#save();
  }

  /** Whether a secret was granted to a holder. */
  isGranted(name: string, holder: string): boolean {
    return this.#secrets.get(name)?.grants.includes(holder) ?? false;
  }

  /** The text with every known value, plain, base64 or percent-encoded, replaced by `[secret]`. */
  redact(text: string): string {
    const values = this.values().filter((value) => value.length >= SHORTEST_REDACTED);
    const forms = new Set(
      values.flatMap((value) => [
        value,
        JSON.stringify(value).slice(1, -1),
        encodeURIComponent(value.toWellFormed()),
        Buffer.from(value).toString('base64').replace(/=+$/, ''),
      ]),
    );
    let out = text;
    // longest first: a value may be part of another
    for (const form of [...forms].sort((a, b) => b.length - a.length)) out = out.replaceAll(form, '[secret]');
    return out;
  }

  /** Called after every change; returns the function that stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #forget(name: string): void {
    const old = this.#secrets.get(name);
    if (old !== undefined) this.#formerValues.add(old.value);
  }

  #save(): void {
    writePrivately(this.#file, `${JSON.stringify({ secrets: Object.fromEntries(this.#secrets) }, null, 2)}\n`);
    for (const listener of this.#listeners) listener();
  }
}

/** The error for a secret that is not set. */
export function secretMissing(name: string): SignalboxError {
  return new SignalboxError('SBX_SECRET_MISSING', `The secret ${JSON.stringify(name)} is not set.`, {
    why: 'The configuration mentions it, the secret store does not have it.',
    fix: `Run \`signalbox secret set ${name}\` and give the value on standard input.`,
  });
}

function readStore(file: string): Record<string, { value?: unknown; grants?: unknown } | null> {
  const stored = readJson(file);
  if (stored !== undefined) {
    const secrets = (stored as { secrets?: unknown } | null)?.secrets;
    if (typeof secrets !== 'object' || secrets === null) throw unreadable(file);
    return secrets as Record<string, { value?: unknown; grants?: unknown } | null>;
  }
  return {};
}

function unreadable(file: string): SignalboxError {
  return new SignalboxError('SBX_SECRET_STORE', 'The secret store cannot be read.', {
    why: `${file} is not what the daemon writes.`,
    fix: 'Move the file away and set the secrets again with `signalbox secret set NAME`.',
  });
}
