/** SQLite's functions without side effects, and its pragmas that only answer. What is not named is denied. */

/** Not here: load_extension, fts3_tokenizer, readfile, writefile, edit and whatever comes next. */
export const FUNCTIONS: ReadonlySet<string> = new Set(
  `abs acos acosh asin asinh atan atan2 atanh avg bm25 ceil ceiling changes char coalesce concat concat_ws cos cosh count cume_dist
  current_date current_time current_timestamp date datetime degrees dense_rank exp first_value floor format glob group_concat hex highlight
  if ifnull iif instr json json_array json_array_length json_error_position json_extract json_group_array json_group_object json_insert
  json_object json_patch json_pretty json_quote json_remove json_replace json_set json_type json_valid jsonb jsonb_array jsonb_extract
  jsonb_group_array jsonb_group_object jsonb_insert jsonb_object jsonb_patch jsonb_remove jsonb_replace jsonb_set julianday lag
  last_value lead length like likelihood likely ln log log10 log2 lower ltrim match matchinfo max median min mod nth_value ntile nullif
  octet_length offsets percent_rank percentile percentile_cont percentile_disc pi pow power printf quote radians random randomblob rank
  regexp replace round row_number rtreecheck rtrim sign sin sinh snippet soundex sqlite_source_id sqlite_version sqrt stddev strftime
  string_agg substr substring subtype sum tan tanh time timediff total total_changes trim trunc typeof unhex unicode unistr unistr_quote
  unixepoch unlikely upper zeroblob -> ->> geopoly_area geopoly_bbox geopoly_blob geopoly_contains_point geopoly_json geopoly_overlap
  geopoly_within sqlite_compileoption_get sqlite_compileoption_used last_insert_rowid fts5_source_id fts5_locale fts5_get_locale rtreedepth rtreenode jsonb_array_insert json_array_insert`.split(
    /\s+/u,
  ),
);
/** These only answer questions, whatever their argument. */
export const ASKING_PRAGMAS: ReadonlySet<string> = new Set([
  'table_info',
  'table_xinfo',
  'table_list',
  'index_list',
  'index_info',
  'index_xinfo',
  'foreign_key_list',
  'collation_list',
  'database_list',
  'function_list',
  'module_list',
  'pragma_list',
  'compile_options',
  'integrity_check',
  'quick_check',
  'foreign_key_check',
]);
/** These answer without an argument and write with one. */
export const BARE_PRAGMAS: ReadonlySet<string> = new Set([
  'encoding',
  'page_count',
  'page_size',
  'freelist_count',
  'user_version',
  'schema_version',
  'application_id',
  'data_version',
  'journal_mode',
  'foreign_keys',
  'query_only',
  'recursive_triggers',
  'auto_vacuum',
  'cache_size',
  'busy_timeout',
  'synchronous',
  'locking_mode',
  'max_page_count',
  'mmap_size',
  'wal_autocheckpoint',
  'automatic_index',
  'threads',
  'journal_size_limit',
  'secure_delete',
  'analysis_limit',
  'trusted_schema',
  'temp_store',
  'cell_size_check',
  'read_uncommitted',
  'reverse_unordered_selects',
  'ignore_check_constraints',
]);
/** Virtual tables that show raw pages, statements or samples of values. */
export const DENIED_TABLES: ReadonlySet<string> = new Set(['sqlite_dbpage', 'sqlite_stmt', 'sqlite_dbdata', 'sqlite_dbptr']);
