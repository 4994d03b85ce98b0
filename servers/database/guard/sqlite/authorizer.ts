/** What SQLite's own authorizer lets a statement do. Everything not named here is denied. */
import { constants } from 'node:sqlite';
import type { Access } from '../../engines/engine.ts';
import { columnRule, type Masking, type Policy, protectedColumns, restricts, tableDenied } from '../policy.ts';
import { ASKING_PRAGMAS, BARE_PRAGMAS, DENIED_TABLES, FUNCTIONS } from './functions.ts';

const ROWS: ReadonlySet<number> = new Set([constants.SQLITE_INSERT, constants.SQLITE_UPDATE, constants.SQLITE_DELETE]);
const DEFINITIONS: ReadonlySet<number> = new Set([
  constants.SQLITE_CREATE_INDEX,
  constants.SQLITE_CREATE_TABLE,
  constants.SQLITE_CREATE_VIEW,
  constants.SQLITE_DROP_INDEX,
  constants.SQLITE_DROP_TABLE,
  constants.SQLITE_DROP_VIEW,
  constants.SQLITE_ALTER_TABLE,
  constants.SQLITE_REINDEX,
  constants.SQLITE_ANALYZE,
]);

/** A reading of a protected column, as the authorizer saw it. */
export interface ProtectedRead {
  readonly table: string;
  readonly column: string;
  readonly masking: Masking;
  /** The view or trigger it happened in. */
  readonly inside: string | null;
}
/** What the authorizer noticed while one statement was compiled. */
export interface Notes {
  denied: string | undefined;
  readonly reads: ProtectedRead[];
  /** Protected columns of the tables the statement touches: a NATURAL or USING join compares them without a word to the authorizer. */
  readonly near: Set<string>;
  wrote: boolean;
  defined: boolean;
}

/** Makes the callback of `setAuthorizer`. `notes` is renewed by the caller for every statement. */
export function makeAuthorizer(
  access: Access,
  policy: Policy,
  notes: () => Notes,
): (action: number, first: string | null, second: string | null, room: string | null, inside: string | null) => number {
  const limited = restricts(policy);
  const known = new Map<string, ReadonlySet<string>>();
  const secrets = (table: string, room: string | null): ReadonlySet<string> => {
    const found = known.get(table) ?? protectedColumns(policy, room ?? undefined, table);
    known.set(table, found);
    return found;
  };
  return (action, first, second, room, inside) => {
    const noted = notes();
    const problem = judge(action, first, second, room, inside, noted);
    if (problem === undefined) return constants.SQLITE_OK;
    noted.denied ??= problem;
    return constants.SQLITE_DENY;
  };

  function judge(
    action: number,
    first: string | null,
    second: string | null,
    room: string | null,
    inside: string | null,
    noted: Notes,
  ): string | undefined {
    if (action === constants.SQLITE_SELECT || action === constants.SQLITE_RECURSIVE) return undefined;
    if (action === constants.SQLITE_FUNCTION) {
      const name = (second ?? '').toLowerCase();
      const open = (FUNCTIONS.has(name) || policy.allowFunctions.includes(name)) && !policy.denyFunctions.includes(name);
      return open ? undefined : `the function ${name}`;
    }
    if (action === constants.SQLITE_PRAGMA) {
      const name = (first ?? '').toLowerCase();
      const open = ASKING_PRAGMAS.has(name) || (BARE_PRAGMAS.has(name) && second === null);
      if (!open) return `PRAGMA ${name}${second === null ? '' : ' with a value'}`;
      return limited && second !== null && tableDenied(policy, room ?? undefined, second)
        ? `the table ${second}, which the settings hide`
        : undefined;
    }
    if (action === constants.SQLITE_READ) return readProblem(first ?? '', second ?? '', room, inside, noted);
    if (action === constants.SQLITE_TRANSACTION || action === constants.SQLITE_SAVEPOINT) return 'a transaction of its own';
    const table = first ?? '';
    if (ROWS.has(action)) {
      // Definitions are rows of sqlite_schema: written by the engine inside a CREATE, never by a statement itself (defensive mode).
      const schemaRow = /^sqlite_(?:schema|master|temp_schema|temp_master|sequence|stat[0-9])$/iu.test(table);
      noted.wrote = true;
      if (access === 'read') return `${actionName(action)} (${table})`;
      if (schemaRow && access !== 'admin' && table.toLowerCase() !== 'sqlite_sequence') return `${actionName(action)} (${table})`;
      if (limited && !schemaRow && tableDenied(policy, room ?? undefined, table)) return `the table ${table}, which the settings hide`;
      if (action === constants.SQLITE_UPDATE && columnRule(policy, room ?? undefined, table, second ?? '') === 'deny')
        return `the column ${second}`;
      return undefined;
    }
    if (DEFINITIONS.has(action)) {
      noted.wrote = true;
      noted.defined = true;
      const altered = second ?? '';
      if (
        action === constants.SQLITE_ALTER_TABLE &&
        limited &&
        (tableDenied(policy, first ?? undefined, altered) || secrets(altered.toLowerCase(), first).size > 0)
      )
        return `ALTER TABLE ${altered}, whose columns are protected by name`;
      return access === 'admin' ? undefined : `${actionName(action)} (${table})`;
    }
    return `${actionName(action)}${first === null ? '' : ` (${first})`}`;
  }

  function readProblem(table: string, column: string, room: string | null, inside: string | null, noted: Notes): string | undefined {
    const name = table.toLowerCase();
    if (DENIED_TABLES.has(name)) return `the table ${table}`;
    if (!limited) return undefined;
    if (name === 'dbstat' || /^sqlite_stat[0-9]$/u.test(name)) return `the table ${table}, which holds samples`;
    // A virtual table keeps its rows in shadow tables beside it.
    const base = [...policy.columns.keys(), ...policy.denyTables].map(
      (rule) =>
        rule
          .split('.')
          .slice(0, rule.includes('.') ? -1 : 1)
          .at(-1) ?? rule,
    );
    if (
      base.some(
        (one) => name.startsWith(`${one}_`) && /_(?:content|data|idx|docsize|config|segments|segdir|stat|node|parent|rowid)$/u.test(name),
      )
    )
      return `the table ${table}, which holds rows of a protected one`;
    const system = name.startsWith('sqlite_') || name.startsWith('pragma_') || name === 'json_each' || name === 'json_tree' || name === '';
    if (!system && tableDenied(policy, room ?? undefined, table)) return `the table ${table}, which the settings hide`;
    for (const secret of secrets(name, room)) noted.near.add(secret);
    const masking = column === '' ? undefined : columnRule(policy, room ?? undefined, table, column);
    if (masking === undefined) return undefined;
    if (masking === 'deny') return `the column ${table}.${column}, which the settings hide`;
    noted.reads.push({ table: name, column: column.toLowerCase(), masking, inside });
    return undefined;
  }
}

function actionName(action: number): string {
  const found = Object.entries(constants).find(
    ([key, value]) => value === action && !/^SQLITE_(?:OK|DENY|IGNORE|CHANGESET_.*)$/u.test(key),
  );
  return found === undefined ? `action ${action}` : found[0].slice('SQLITE_'.length).replaceAll('_', ' ');
}
