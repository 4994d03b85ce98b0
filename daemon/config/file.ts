import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Binding, ClientEntry, ConfigProblem, EndpointEntry, RedactionRules, ServerEntry } from '../api/config.ts';
import { isAlias } from './alias.ts';
import { type ConfigDocument, type JsonPath, parseDocument } from './document.ts';
import { checkedPattern } from './patterns.ts';
import { redactionRules } from './redaction.ts';
import { validate } from './validation.ts';

/** A configuration file larger than this many bytes is refused: it is not one. */
const LARGEST = 1024 * 1024;

/** The bytes of a file, read once: what is hashed is what is parsed. */
export type ConfigBytes =
  | { readonly state: 'missing' }
  | { readonly state: 'unreadable'; readonly problem: ConfigProblem }
  | { readonly state: 'read'; readonly text: string /** hex SHA-256 of the bytes */; readonly digest: string };

/** One configuration file after validation. An absent `namespaces` or `endpoints` differs from an empty one: only the first is implied. */
export interface LoadedConfig {
  readonly file: string;
  readonly servers: ReadonlyMap<string, ServerEntry>;
  readonly namespaces: ReadonlyMap<string, readonly Binding[]> | undefined;
  readonly endpoints: ReadonlyMap<string, EndpointEntry> | undefined;
  readonly clients: ReadonlyMap<string, ClientEntry & { readonly scopes?: readonly string[] }>;
  readonly messageBytes: number | undefined;
  readonly port: number | undefined;
  readonly idleStopMinutes: number | undefined;
  readonly redaction: RedactionRules;
  /** The file names servers, sound or not: it is not the empty configuration. */
  readonly hasServers: boolean;
  readonly problems: readonly ConfigProblem[];
  /** The file could not be parsed at all. */
  readonly broken: boolean;
  problemAt: ConfigDocument['problemAt'];
  /** The file's own path to a server: `servers.x` or `mcpServers.x`. */
  serverPath(name: string): JsonPath;
}

/** Reads a configuration file once. Only ordinary files up to 1 MiB are read; never blocks on a pipe. */
export function readConfigBytes(file: string): ConfigBytes {
  const unreadable = (message: string, fix: string): ConfigBytes => ({
    state: 'unreadable',
    problem: { file, line: 1, column: 1, path: '', code: 'SBX_CONFIG_READ', message, fix },
  });
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { state: 'missing' };
    return unreadable(`The file cannot be opened (${code ?? String(error)}).`, 'Give yourself the right to read it.');
  }
  try {
    if (!fstatSync(descriptor).isFile()) return unreadable('This is not an ordinary file.', 'Put an ordinary file there, or remove it.');
    const buffer = Buffer.alloc(LARGEST + 1);
    let length = 0;
    for (;;) {
      const count = readSync(descriptor, buffer, length, buffer.length - length, null);
      length += count;
      if (count === 0 || length === buffer.length) break;
    }
    if (length > LARGEST) return unreadable('The file is larger than 1 MiB.', 'A configuration is a few kilobytes; take out the rest.');
    const bytes = buffer.subarray(0, length);
    return { state: 'read', text: bytes.toString('utf8'), digest: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    return unreadable(
      `The file cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`,
      'Check the disk and the rights of the file.',
    );
  } finally {
    closeSync(descriptor);
  }
}

/** Parses and validates the text of a configuration file. Never throws; what is wrong is in `problems`, with line and column. */
export function parseConfig(file: string, text: string): LoadedConfig {
  const document = parseDocument(file, text);
  const { value, problems } = validate(document);
  const raw = (document.value ?? {}) as Record<string, unknown>;
  const found = [...problems];
  const own = section<RawServer>(value, 'servers');
  const serverPath = (name: string): JsonPath => [own.has(name) ? 'servers' : 'mcpServers', name];
  const servers = new Map(
    [...section<RawServer>(value, 'mcpServers'), ...own].map(([name, entry]) => [
      name,
      checkedPattern(normalEntry(entry), (at, message, fix) =>
        found.push(document.problemAt([...serverPath(name), ...at], 'SBX_CONFIG_INVALID', message, fix)),
      ),
    ]),
  );
  const namespaces = Object.hasOwn(raw, 'namespaces')
    ? new Map(
        [...section<readonly (string | Binding)[]>(value, 'namespaces')].map(([name, items]) => [
          name,
          items.map((item) => normalBinding(item)),
        ]),
      )
    : undefined;
  for (const [name, bindings] of namespaces ?? []) {
    for (const { alias } of bindings) {
      if (alias === undefined || isAlias(alias)) continue;
      const path = aliasPath(raw, name, alias);
      found.push(
        document.problemAt(
          path,
          'SBX_ALIAS_INVALID',
          `\`${alias}\` cannot be an alias; one is made from the server's name.`,
          'Use a lower-case letter followed by at most 11 lower-case letters, digits or dashes.',
        ),
      );
    }
  }
  const limits = section<number>(value, 'limits');
  const daemon = section<number>(value, 'daemon');
  return {
    file,
    servers,
    namespaces,
    endpoints: Object.hasOwn(raw, 'endpoints') ? section<EndpointEntry>(value, 'endpoints') : undefined,
    clients: section<ClientEntry & { scopes?: readonly string[] }>(keepScopes(value, raw), 'clients'),
    messageBytes: limits.get('messageBytes'),
    port: daemon.get('port'),
    idleStopMinutes: daemon.get('idleStopMinutes'),
    redaction: redactionRules(value, document, found),
    hasServers: [raw['servers'], raw['mcpServers']].some(
      (part) => typeof part === 'object' && part !== null && Object.keys(part).length > 0,
    ),
    problems: found,
    broken: document.value === undefined,
    problemAt: document.problemAt,
    serverPath,
  };
}

type RawServer = ServerEntry & { readonly disabled?: boolean };

/** What other clients write is put into our words: `disabled`, numbers in `env`, notes that mean nothing here. */
function normalEntry(entry: RawServer): ServerEntry {
  const foreign = new Set(['disabled', 'dev', 'gallery', 'version', 'timeout', 'autoApprove', 'alwaysAllow', 'description']);
  const kept = Object.fromEntries(Object.entries(entry).filter(([key]) => !foreign.has(key)));
  if (entry.disabled === true) kept['enabled'] = false;
  if (entry.env !== undefined)
    kept['env'] = Object.fromEntries(
      Object.entries(entry.env).flatMap(([name, item]: [string, unknown]) => (item === null ? [] : [[name, String(item)]])),
    );
  return kept as unknown as ServerEntry;
}

function normalBinding(item: string | Binding): Binding {
  return typeof item === 'string' ? { server: item } : item;
}

function section<T>(value: Readonly<Record<string, unknown>>, key: string): Map<string, T> {
  const part = Object.hasOwn(value, key) ? value[key] : undefined;
  return new Map(typeof part === 'object' && part !== null ? (Object.entries(part) as [string, T][]) : []);
}

/** Scopes are reserved and taken out of the value, but whether a workspace widens them must still be seen. */
function keepScopes(value: Readonly<Record<string, unknown>>, raw: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const kept = section<object>(value, 'clients');
  const all = section<Record<string, unknown>>(raw, 'clients');
  return { clients: Object.fromEntries([...kept].map(([name, entry]) => [name, { ...entry, ...scopesOf(all.get(name)) }])) };
}

function scopesOf(entry: Record<string, unknown> | undefined): object {
  const scopes = entry?.['scopes'];
  return Array.isArray(scopes) ? { scopes: scopes.map(String) } : {};
}

function aliasPath(raw: Readonly<Record<string, unknown>>, namespace: string, alias: string): JsonPath {
  const items = section<readonly unknown[]>(raw, 'namespaces').get(namespace) ?? [];
  const index = items.findIndex((item) => typeof item === 'object' && item !== null && (item as Binding).alias === alias);
  return ['namespaces', namespace, index, 'alias'];
}
