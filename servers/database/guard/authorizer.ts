/** What SQLite's own authorizer lets a statement do: read, and nothing else. Everything not named here is denied. */
import { constants } from 'node:sqlite';

/** Built-in functions without side effects. Not here: load_extension, fts3_tokenizer, readfile, writefile, edit and whatever comes next. */
const FUNCTIONS = new Set(
  `abs acos acosh asin asinh atan atan2 atanh avg bm25 ceil ceiling changes char coalesce concat concat_ws cos cosh count cume_dist
  current_date current_time current_timestamp date datetime degrees dense_rank exp first_value floor format glob group_concat hex highlight
  if ifnull iif instr json json_array json_array_length json_error_position json_extract json_group_array json_group_object json_insert
  json_object json_patch json_pretty json_quote json_remove json_replace json_set json_type json_valid jsonb jsonb_array jsonb_extract
  jsonb_group_array jsonb_group_object jsonb_insert jsonb_object jsonb_patch jsonb_remove jsonb_replace jsonb_set julianday lag
  last_value lead length like likelihood likely ln log log10 log2 lower ltrim match matchinfo max median min mod nth_value ntile nullif
  octet_length offsets percent_rank percentile percentile_cont percentile_disc pi pow power printf quote radians random randomblob rank
  replace round row_number rtreecheck rtrim sign sin sinh snippet soundex sqlite_source_id sqlite_version sqrt stddev strftime string_agg
  substr substring subtype sum tan tanh time timediff total total_changes trim trunc typeof unhex unicode unistr unistr_quote unixepoch
  unlikely upper zeroblob -> ->>`.split(/\s+/u),
);
/** These only answer questions, whatever their argument. */
const ASKING_PRAGMAS = new Set([
  'table_info',
  'table_xinfo',
  'table_list',
  'index_list',
  'index_info',
  'index_xinfo',
  'foreign_key_list',
  'collation_list',
]);
/** These answer without an argument and write with one. */
const BARE_PRAGMAS = new Set([
  'encoding',
  'page_count',
  'page_size',
  'freelist_count',
  'user_version',
  'schema_version',
  'application_id',
  'data_version',
]);

/** The authorizer: constants.SQLITE_OK or SQLITE_DENY. `denied` hears why, for the message. */
export function readOnlyAuthorizer(
  denied: (what: string) => void,
): (action: number, first: string | null, second: string | null) => number {
  return (action, first, second) => {
    const name = (action === constants.SQLITE_FUNCTION ? (second ?? '') : (first ?? '')).toLowerCase();
    const allowed =
      action === constants.SQLITE_SELECT ||
      action === constants.SQLITE_READ ||
      action === constants.SQLITE_RECURSIVE ||
      (action === constants.SQLITE_FUNCTION && FUNCTIONS.has(name)) ||
      (action === constants.SQLITE_PRAGMA && (ASKING_PRAGMAS.has(name) || (BARE_PRAGMAS.has(name) && second === null)));
    if (allowed) return constants.SQLITE_OK;
    denied(`${actionName(action)}${name === '' ? '' : ` (${name})`}`);
    return constants.SQLITE_DENY;
  };
}

function actionName(action: number): string {
  const found = Object.entries(constants).find(
    ([key, value]) => value === action && !/^SQLITE_(?:OK|DENY|IGNORE|CHANGESET_.*)$/u.test(key),
  );
  return found === undefined ? `action ${action}` : found[0].slice('SQLITE_'.length).replaceAll('_', ' ');
}
