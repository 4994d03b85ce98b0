/** Every format a client is configured in. */
import { jsoncFormat, jsonFormat } from './json-format.ts';
import type { FormatName, TextFormat } from './text-format.ts';
import { tomlFormat } from './toml-format.ts';

/** By name. */
export const FORMATS: Readonly<Record<FormatName, TextFormat>> = { json: jsonFormat, jsonc: jsoncFormat, toml: tomlFormat };
