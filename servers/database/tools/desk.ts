/** What all tools share: the databases, and how a call names one. */
import { createHash } from 'node:crypto';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { JsonObject, PluginContext } from '../../plugin/define.ts';
import type { Bindable, Database, Params } from '../engines/engine.ts';
import type { ConnectionSettings } from '../engines/settings.ts';
import { nearest } from '../guard/suggestion.ts';
import type { Exports } from './kept.ts';

/** One connection: the guarded database and its settings. */
export interface Entry {
  readonly database: Database;
  readonly settings: ConnectionSettings;
}
/** What the tools work with. */
export interface Desk {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly audit: PluginContext['audit'];
  /** Audit lines carry the statement's text. */
  readonly auditText: boolean;
  readonly exports: Exports;
  /** Names of the databases some call has asked for: only they are looked at for changes. */
  readonly used: Set<string>;
}

/** Input of every tool that asks one database. */
export function connectionSchema(desk: Desk): JsonObject {
  const names = [...desk.entries.keys()];
  return { type: 'string', enum: names, default: names[0], description: 'Which database.' };
}

/** @throws SignalboxError `SBX_DB_CONNECTION` */
export function choose(desk: Desk, name: unknown): Entry {
  const asked = typeof name === 'string' ? name : [...desk.entries.keys()][0];
  const entry = asked === undefined ? undefined : desk.entries.get(asked);
  if (entry !== undefined) {
    desk.used.add(entry.database.name);
    return entry;
  }
  const near = nearest(String(asked), [...desk.entries.keys()]);
  throw new SignalboxError('SBX_DB_CONNECTION', `There is no connection "${asked}".`, {
    why: 'The settings do not name it.',
    fix: near === undefined ? `Use one of: ${[...desk.entries.keys()].join(', ')}.` : `Did you mean "${near}"?`,
  });
}

const SCALAR = { type: ['string', 'number', 'boolean', 'null'] };
/** JSON Schema of the values for placeholders. */
export const PARAMS_SCHEMA: JsonObject = {
  description: 'Values for ? (SQLite, MySQL), $1 (PostgreSQL), or by name for :name (SQLite). Numbers beyond 2^53 as text.',
  anyOf: [
    { type: 'array', items: SCALAR, maxItems: 999 },
    { type: 'object', additionalProperties: SCALAR },
  ],
};

/** The values of a call. */
export function paramsOf(given: unknown): Params {
  if (Array.isArray(given)) return given as readonly Bindable[];
  if (typeof given === 'object' && given !== null) return given as Readonly<Record<string, Bindable>>;
  return [];
}

/** A cursor is where to go on in the answer of the same statement; nothing is held open meanwhile. */
export function makeCursor(key: string, skip: number): string {
  return Buffer.from(JSON.stringify([skip, digest(key)])).toString('base64url');
}

/** @throws SignalboxError `SBX_CURSOR_INVALID` for a cursor of another statement */
export function readCursor(key: string, cursor: unknown): number {
  if (cursor === undefined) return 0;
  try {
    const [skip, hash] = JSON.parse(Buffer.from(String(cursor), 'base64url').toString()) as [unknown, unknown];
    if (typeof skip === 'number' && Number.isSafeInteger(skip) && skip >= 0 && hash === digest(key)) return skip;
  } catch {
    // Not one of ours: refused below.
  }
  throw new SignalboxError('SBX_CURSOR_INVALID', 'The cursor does not belong to this statement.', {
    why: 'A cursor holds for the same connection, SQL and values only.',
    fix: 'Call again without a cursor.',
  });
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
