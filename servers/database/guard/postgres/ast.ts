/** PostgreSQL's own parser (libpg-query, WASM) and the shape of what it gives. */
import { loadModule, parseSync } from 'libpg-query';
import { SignalboxError } from '../../../../daemon/api/errors.ts';
import { checkText, refusal } from '../refusal.ts';

/** A part of the tree: `{NodeName: {…}}` or the inside of one. */
export type Node = Readonly<Record<string, unknown>>;

/** Loads the parser; 20 ms once. */
export async function loadParser(): Promise<void> {
  await loadModule();
}

/**
 * The one statement of a text.
 * @throws SignalboxError `SBX_DB_REFUSED` for none or several statements, `SBX_DB_SQL` for a syntax error
 */
export function parseOne(sql: string): Node {
  checkText(sql);
  let tree: { stmts?: readonly { stmt?: unknown }[] };
  try {
    tree = parseSync(sql) as { stmts?: readonly { stmt?: unknown }[] };
  } catch (thrown) {
    const details = (thrown as { sqlDetails?: { cursorPosition?: number } }).sqlDetails;
    const place = details?.cursorPosition === undefined ? '' : ` at character ${details.cursorPosition + 1}`;
    throw new SignalboxError('SBX_DB_SQL', 'The statement is not valid PostgreSQL.', {
      why: `${thrown instanceof Error ? thrown.message : String(thrown)}${place} (42601)`,
      fix: 'Correct the statement.',
      cause: thrown,
    });
  }
  const found = tree.stmts ?? [];
  if (found.length === 0) throw refusal('It is empty.');
  if (found.length > 1) throw refusal('A second statement follows the first.');
  const stmt = found[0]?.stmt;
  if (!isNode(stmt)) throw refusal('The parser gave no statement.');
  return stmt;
}

/** Whether a value is a node of the parser's tree. */
export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The name and inside of a wrapped node. */
export function unwrap(node: unknown): readonly [string, Node] | undefined {
  if (!isNode(node)) return undefined;
  const entries = Object.entries(node);
  const [entry] = entries;
  if (entries.length !== 1 || entry === undefined || !/^[A-Z]/u.test(entry[0]) || !isNode(entry[1])) return undefined;
  return [entry[0], entry[1]];
}

/** Texts of a list of String nodes; stars are `*`. */
export function names(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return [];
  return list.map((item) => {
    const [kind, inside] = unwrap(item) ?? [];
    return kind === 'String' ? String(inside?.['sval'] ?? '') : kind === 'A_Star' ? '*' : '';
  });
}

/** Calls `visit` for every node, wrapped or not, with its name (or the key it stands under). */
export function walk(value: unknown, visit: (name: string, node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const key in value) {
    const inside: unknown = (value as Node)[key];
    if (typeof inside !== 'object' || inside === null) continue;
    if (!Array.isArray(inside)) visit(key, inside as Node);
    walk(inside, visit);
  }
}
