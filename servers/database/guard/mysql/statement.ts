/**
 * Which statements MySQL and MariaDB may be given. There is no parser of theirs for JavaScript, so this goes by tokens and by lists: first word,
 * words that may not occur, functions that may. The session's `sql_mode` is ours, so the lexer reads what the server reads.
 */
import type { Access } from '../../engines/engine.ts';
import { statements, type Token, tokenize } from '../lexer.ts';
import type { Policy } from '../policy.ts';
import { checkText, refusal } from '../refusal.ts';
import { BEFORE_PAREN, FUNCTIONS, VARIABLES } from './functions.ts';

/** What a checked statement is. */
export type MysqlKind = 'select' | 'show' | 'explain' | 'write' | 'define';

const SHOWN =
  /^(?:full |extended )?(?:tables|columns|fields|table status|index|indexes|keys|databases|schemas|create (?:table|view|database|schema|procedure|function|trigger)|triggers|events|procedure status|function status|character set|charset|collation|warnings|errors|engines|count|open tables|create sequence)\b/u;
/** Reserved words that write files or run procedures, wherever they stand outside quotes. What begins a statement is judged by its first word. */
const FORBIDDEN = new Set(['into', 'outfile', 'dumpfile', 'infile', 'procedure', 'grant', 'revoke', 'purge', 'kill', 'call', 'load']);
const WRITES = new Set(['insert', 'update', 'delete', 'replace']);
const DEFINES = new Set(['create', 'alter', 'drop', 'truncate', 'rename']);
const SCHEMAS = new Set(['mysql', 'performance_schema', 'sys']);
/** Tables of information_schema that tell of other sessions, logins or files. */
const TOLD =
  /^(?:processlist|user_privileges|schema_privileges|table_privileges|column_privileges|global_variables|session_variables|global_status|files|innodb_.*|user_statistics|client_statistics|plugins|all_plugins|system_variables|optimizer_trace|profiling|query_cache_info|user_attributes|applicable_roles|enabled_roles|metadata_lock_info|query_response_time|wsrep_.*|thread_pool_.*|slave_status|periods)$/u;
const HINTS = /set_var|max_execution_time|resource_group/iu;

/**
 * Checks one statement.
 * @throws SignalboxError `SBX_DB_REFUSED` naming the first thing that is not allowed
 */
export function checkMysql(sql: string, access: Access, policy: Policy): MysqlKind {
  checkText(sql);
  const found = statements(tokenize(sql, 'mysql'));
  if (found.length === 0) throw refusal('It is empty.');
  if (found.length > 1) throw refusal('A second statement follows the first.');
  const tokens = (found[0] ?? []).filter((token) => token.kind !== 'hint');
  for (const { text } of (found[0] ?? []).filter((token) => token.kind === 'hint')) {
    if (HINTS.test(text)) throw refusal('The optimizer hint sets a variable or a time limit.');
    // MySQL reads on behind a "*/" that stands in quotes: what it executes would be a name to us.
    if (/["']/u.test(text) || text.split('`').length % 2 === 0) throw refusal('The optimizer hint has quotes that do not end in it.');
  }
  const kind = kindOf(tokens);
  if (kind === undefined) throw refusal(`A statement that begins with ${tokens[0]?.text.toUpperCase() ?? 'nothing'} is not a reading one.`);
  if (kind === 'write' && access === 'read') throw refusal(`${tokens[0]?.text.toUpperCase()} writes, and this connection only reads.`);
  if (kind === 'define' && access !== 'admin')
    throw refusal(`${tokens[0]?.text.toUpperCase()} changes definitions; that needs access "admin".`);
  // SHOW and DESCRIBE take a WHERE with any expression, functions and subqueries too.
  if (kind !== 'show' || tokens.some((token) => token.kind === 'word' && token.lower === 'where')) checkWords(tokens, kind);
  checkCalls(tokens, policy);
  checkNames(tokens);
  return kind;
}

function kindOf(tokens: readonly Token[]): MysqlKind | undefined {
  const first = tokens.find((token) => token.text !== '(');
  if (first?.kind !== 'word') return undefined;
  const word = first.lower;
  if (word === 'select' || word === 'values' || word === 'table' || word === 'with') return writesInside(tokens) ? 'write' : 'select';
  if (tokens[0] !== first) return undefined;
  if (word === 'show') {
    const rest = tokens
      .slice(1)
      .map((token) => token.lower)
      .join(' ');
    if (!SHOWN.test(rest)) throw refusal(`SHOW ${tokens[1]?.text.toUpperCase() ?? ''} is not among what may be shown.`);
    checkSchemas(tokens);
    return 'show';
  }
  if (word === 'analyze') {
    // MariaDB runs the statement and shows its plan; ANALYZE TABLE writes statistics.
    const reading = tokens.slice(1).find((token) => !/^(?:format|=|json|traditional)$/u.test(token.lower));
    return /^(?:select|with|\()$/u.test(reading?.lower ?? '') && !writesInside(tokens) ? 'explain' : undefined;
  }
  if (word === 'explain' || word === 'describe' || word === 'desc') {
    const options = tokens.findIndex((token, index) => index > 0 && /^(?:select|with|values|table|\()$/u.test(token.lower));
    if (
      tokens
        .slice(1)
        .some((token) => token.kind === 'word' && (WRITES.has(token.lower) || token.lower === 'connection') && !isCall(tokens, token))
    )
      throw refusal('EXPLAIN is for SELECT here.');
    if (options < 0 && word === 'explain' && tokens.length > 4) throw refusal('EXPLAIN is for SELECT and tables here.');
    checkSchemas(tokens);
    return options < 0 ? 'show' : 'explain';
  }
  if (WRITES.has(word)) return 'write';
  if (DEFINES.has(word)) {
    const what = tokens
      .slice(1)
      .find(
        (token) =>
          !/^(?:or|replace|temporary|unique|fulltext|spatial|if|not|exists|online|offline|ignore|algorithm|=|undefined|merge|temptable|sql|security|invoker)$/u.test(
            token.lower,
          ),
      );
    return word === 'truncate' || /^(?:table|tables|view|index|database|schema|column|sequence)$/u.test(what?.lower ?? '')
      ? 'define'
      : undefined;
  }
  return undefined;
}

/** WITH … may end in an UPDATE or DELETE. */
function writesInside(tokens: readonly Token[]): boolean {
  return tokens.some((token, index) => {
    if (token.kind !== 'word' || !/^(?:insert|update|delete)$/u.test(token.lower)) return false;
    const before = tokens[index - 1];
    // A column of that name, its alias, the function INSERT(), FOR UPDATE (refused elsewhere).
    if (before?.text === '.' || before?.lower === 'as' || before?.lower === 'for' || isCall(tokens, token)) return false;
    return before?.text === ')' || before === undefined || before.text === '(';
  });
}

function isCall(tokens: readonly Token[], token: Token): boolean {
  return tokens[tokens.indexOf(token) + 1]?.text === '(';
}

function checkWords(tokens: readonly Token[], kind: MysqlKind): void {
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1];
    const next = tokens[index + 1];
    if (token.kind === 'variable') checkVariable(token);
    if (token.text === ':' && next?.text === '=') throw refusal('":=" sets a variable.');
    if (token.kind !== 'word' || before?.text === '.' || before?.lower === 'as') continue;
    const word = token.lower;
    if (word === 'into' && (kind === 'write' || kind === 'define')) continue;
    if (kind === 'write' || kind === 'define') {
      if (/^(?:data|directory)$/u.test(word) && /^(?:directory|data|index)$/u.test(before?.lower ?? ''))
        throw refusal('A table may not name folders.');
      if (/^connection$/u.test(word) && next?.text === '=') throw refusal('A table may not name another server.');
      if (
        word === 'engine' &&
        /^(?:federated|federatedx|connect|csv|merge|mrg_myisam|spider|s3)$/u.test(
          (next?.text === '=' ? tokens[index + 2] : next)?.lower ?? '',
        )
      )
        throw refusal('This storage engine reaches outside the database.');
    }
    if (FORBIDDEN.has(word)) throw refusal(`The word ${token.text.toUpperCase()} is not allowed.`);
    if (word === 'for' && /^(?:update|share|system_time)$/u.test(next?.lower ?? '') && next?.lower !== 'system_time')
      throw refusal('FOR UPDATE and FOR SHARE take locks.');
    if (word === 'lock' && next?.lower === 'in') throw refusal('LOCK IN SHARE MODE takes locks.');
    if (word === 'value' && /^(?:next|previous)$/u.test(before?.lower ?? '') && next?.lower === 'for')
      throw refusal('NEXT VALUE FOR changes a sequence.');
    if (word === 'set' && next?.lower === 'statement') throw refusal('SET STATEMENT changes the settings.');
  }
}

function checkVariable(token: Token): void {
  // `@a = 1` compares in a SELECT; only `:=` sets, and that is refused where it stands.
  if (!token.text.startsWith('@@')) return;
  const name = token.lower.replace(/^@@(?:global\.|session\.|local\.)?/u, '');
  if (!VARIABLES.has(name)) throw refusal(`The variable ${token.text} is not among those that may be read.`);
}

function checkCalls(tokens: readonly Token[], policy: Policy): void {
  for (const [index, token] of tokens.entries()) {
    if (tokens[index + 1]?.text !== '(' || (token.kind !== 'word' && token.kind !== 'name')) continue;
    const before = tokens[index - 1];
    const name = token.lower;
    if (before?.text === '.') {
      const full = `${tokens[index - 2]?.lower ?? ''}.${name}`;
      if (namesTable(tokens, index)) continue;
      if (!policy.allowFunctions.includes(full)) throw refusal(`It calls the stored function ${full}.`);
      continue;
    }
    if (policy.denyFunctions.includes(name)) throw refusal(`It calls ${token.text}, which the settings deny.`);
    if (token.kind === 'word' && (FUNCTIONS.has(name) || BEFORE_PAREN.has(name))) {
      if (name === 'last_insert_id' || name === 'default') continue;
      continue;
    }
    if (name === 'last_insert_id' && tokens[index + 2]?.text === ')') continue;
    if (policy.allowFunctions.includes(name)) continue;
    if (listOfColumns(tokens, index) || namesTable(tokens, index)) continue;
    throw refusal(
      `It calls the function ${token.text}, which is not among those that only compute.`,
      '"functions.allow" of the settings can name further ones.',
    );
  }
}

/** `WITH a (x, y) AS (`, `… AS d (x, y)`, `) d (x, y)`. */
function listOfColumns(tokens: readonly Token[], index: number): boolean {
  const before = tokens[index - 1];
  let at = index + 2;
  while (at < tokens.length && tokens[at]?.text !== ')') {
    const token = tokens[at];
    if (token?.kind !== 'word' && token?.kind !== 'name' && token?.text !== ',') return false;
    at++;
  }
  if (before?.lower === 'as' && before.kind === 'word') return true;
  if (before?.text === ')' && tokens[at + 1]?.text !== '(') return true;
  const cte = before?.lower === 'with' || before?.lower === 'recursive' || before?.text === ',';
  return cte && tokens[at + 1]?.lower === 'as' && tokens[at + 2]?.text === '(';
}

/** `INSERT INTO t (a, b)`, `CREATE TABLE t (…)`, `CREATE INDEX i ON t (a)`, `REFERENCES t (a)`, `REPLACE t (…)`. */
function namesTable(tokens: readonly Token[], index: number): boolean {
  let at = index - 1;
  if (tokens[at]?.text === '.') at -= 2;
  const before = tokens[at]?.lower ?? '';
  const first = tokens[0]?.lower ?? '';
  if (!WRITES.has(first) && !DEFINES.has(first)) return false;
  if (/^(?:into|references|replace|insert|index|key|constraint)$/u.test(before)) return true;
  if (DEFINES.has(first)) return /^(?:table|exists|view|on|unique)$/u.test(before);
  return false;
}

function checkNames(tokens: readonly Token[]): void {
  checkSchemas(tokens);
  for (const [index, token] of tokens.entries()) {
    if (tokens[index + 1]?.text !== '.' || (token.kind !== 'word' && token.kind !== 'name')) continue;
    const next = tokens[index + 2];
    if (token.lower === 'information_schema' && TOLD.test(next?.lower ?? ''))
      throw refusal(`information_schema.${next?.text} is not readable here.`);
  }
}

function checkSchemas(tokens: readonly Token[]): void {
  for (const [index, token] of tokens.entries()) {
    const asSchema = tokens[index + 1]?.text === '.' && tokens[index - 1]?.text !== '.';
    const shown =
      /^(?:from|in|schema|database|exists)$/u.test(tokens[index - 1]?.lower ?? '') &&
      /^(?:show|create|alter|drop)$/u.test(tokens[0]?.lower ?? '');
    if ((asSchema || shown) && (token.kind === 'word' || token.kind === 'name') && SCHEMAS.has(token.lower))
      throw refusal(`The schema ${token.text} holds logins and other sessions and is not readable here.`);
  }
}
