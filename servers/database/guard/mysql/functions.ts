/** MySQL's and MariaDB's functions without side effects, and words that may stand before a parenthesis. What is not named is refused. */

/** Not here: load_file, sleep, benchmark, get_lock, release_lock, master_pos_wait, nextval, setval, last_insert_id(x), sys_exec, … */
export const FUNCTIONS: ReadonlySet<string> = new Set(
  `abs acos add_months adddate addtime aes_decrypt aes_encrypt any_value area asin astext asbinary aswkb aswkt atan atan2 avg bin
  bin_to_uuid bit_and bit_count bit_length bit_or bit_xor boundary buffer cast ceil ceiling centroid char char_length character_length charset
  chr coalesce coercibility collation compress concat concat_ws connection_id conv convert convert_tz convexhull cos cot count crc32 crc32c
  cume_dist curdate current_date current_role current_time current_timestamp current_user curtime database date date_add date_format
  date_sub datediff day dayname dayofmonth dayofweek dayofyear decode_oracle default degrees dense_rank elt encrypt exp
  export_set extract extractvalue field find_in_set first_value floor format format_bytes format_pico_time found_rows from_base64 from_days
  from_unixtime geomfromtext geometryfromtext get_format greatest group_concat grouping hex hour if ifnull inet6_aton inet6_ntoa inet_aton
  inet_ntoa insert instr is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6 is_uuid isnull json_array json_array_append json_array_insert
  json_array_intersect json_arrayagg json_compact json_contains json_contains_path json_depth json_detailed json_equals json_exists
  json_extract json_insert json_key_value json_keys json_length json_loose json_merge json_merge_patch json_merge_preserve json_normalize
  json_object json_object_filter_keys json_object_to_array json_objectagg json_overlaps json_pretty json_query json_quote json_remove
  json_replace json_schema_valid json_schema_validation_report json_search json_set json_storage_free json_storage_size json_table json_type
  json_unquote json_valid json_value kdf lag last_day last_value lcase lead least left length lengthb ln localtime localtimestamp locate log
  log10 log2 lower lpad ltrim make_set makedate maketime match max mbrcontains mbrintersects mbrwithin md5 median microsecond mid min minute
  mod month monthname natural_sort_key now nth_value ntile nullif nvl nvl2 oct octet_length ord percent_rank percentile_cont percentile_disc
  period_add period_diff pi point position pow power quarter quote radians rand rank regexp_instr regexp_like regexp_replace regexp_substr
  repeat replace reverse right round row_count row_number rownum rpad rtrim schema sec_to_time second session_user sformat sha sha1 sha2 sign
  sin soundex space sqrt st_area st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_buffer st_centroid st_contains st_crosses st_difference
  st_disjoint st_distance st_distance_sphere st_dimension st_endpoint st_envelope st_equals st_geohash st_geometryn st_geometrytype
  st_geomfromgeojson st_geomfromtext st_geomfromwkb st_intersection st_intersects st_isclosed st_isempty st_isvalid st_latitude st_length
  st_longitude st_numpoints st_overlaps st_pointfromtext st_pointn st_simplify st_srid st_startpoint st_symdifference st_touches st_transform
  st_union st_within st_x st_y std stddev stddev_pop stddev_samp str_to_date strcmp subdate substr substring substring_index subtime sum
  sysdate system_user tan time time_format time_to_sec timediff timestamp timestampadd timestampdiff to_base64 to_char to_days to_number
  to_seconds trim trim_oracle trunc truncate ucase uncompress uncompressed_length unhex unix_timestamp updatexml upper user utc_date utc_time
  utc_timestamp uuid uuid_short uuid_to_bin uuid_v4 uuid_v7 validate_password_strength value values var_pop var_samp variance version week
  weekday weekofyear weight_string wsrep_last_seen_gtid year yearweek random_bytes json_unquote statement_digest statement_digest_text vec_distance
  sys_guid geometrycollection linestring multilinestring multipoint multipolygon polygon name_const st_exteriorring st_geometryfromtext
  st_interiorringn st_isring st_issimple st_linefromtext st_numgeometries st_numinteriorrings st_pointonsurface st_polyfromtext
  st_polygonfromtext st_relate vec_fromtext vec_totext`.split(/\s+/u),
);
/** Words of the language (and types) that may stand before a parenthesis without being a call. */
export const BEFORE_PAREN: ReadonlySet<string> = new Set(
  `select from where and or not in exists any some all as on using join inner left right cross outer natural straight_join union intersect except
  distinct having by order group limit offset with recursive case when then else end between like rlike regexp sounds is null values row
  over partition window filter within interval xor div mod binary key index use force ignore for rollup cube grouping sets against
  char varchar nchar decimal dec numeric float double real int integer signed unsigned bigint smallint tinyint mediumint date datetime time
  timestamp year bit varbinary json text blob inet6 uuid columns nested path escape collate unique primary table explain lateral of
  analyze extended format match array system_time versions member tables dual separator return true false default unknown set update insert
  into delete ignore duplicate check constraint references foreign change modify add alter create view fulltext spatial character varying
  if charset convert replace returning precision enum fields partitions`.split(/\s+/u),
);
/** System variables that tell nothing of files, replication or other logins. */
export const VARIABLES: ReadonlySet<string> = new Set(
  `version version_comment sql_mode time_zone system_time_zone character_set_client character_set_connection character_set_results
  character_set_database character_set_server collation_connection collation_database collation_server lower_case_table_names
  max_allowed_packet transaction_isolation tx_isolation autocommit transaction_read_only tx_read_only auto_increment_increment
  group_concat_max_len lc_time_names max_execution_time max_statement_time interactive_timeout wait_timeout default_storage_engine
  sql_safe_updates div_precision_increment foreign_key_checks unique_checks rand_seed1 rand_seed2 innodb_version protocol_version
  max_connections`.split(/\s+/u),
);
