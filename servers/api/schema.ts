/** The part of a parameter's schema that a tool's input can carry: OpenAPI 3.0's dialect becomes JSON Schema 2020-12, anything odd is left out. */
import type { JsonObject } from '../plugin/define.ts';

const KEPT = [
  'enum',
  'const',
  'default',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'multipleOf',
  'minItems',
  'maxItems',
  'uniqueItems',
] as const;
const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null']);
const MAX_DEPTH = 5;

/** The JSON Schema of one parameter. */
export function inputSchemaOf(schema: unknown, description: string | undefined, depth = 0): JsonObject {
  const given: JsonObject = typeof schema === 'object' && schema !== null ? (schema as JsonObject) : {};
  const out: Record<string, unknown> = {};
  for (const key of KEPT) if (given[key] !== undefined) out[key] = given[key];
  const types = (Array.isArray(given['type']) ? given['type'] : [given['type']]).filter((type) => TYPES.has(String(type)));
  if (given['nullable'] === true && types.length > 0) types.push('null');
  if (types.length > 0) out['type'] = types.length === 1 ? types[0] : types;
  for (const bound of ['exclusiveMinimum', 'exclusiveMaximum'] as const) if (typeof given[bound] === 'number') out[bound] = given[bound];
  if (typeof given['pattern'] === 'string' && isPattern(given['pattern'])) out['pattern'] = given['pattern'];
  if (depth < MAX_DEPTH) {
    if (given['items'] !== undefined) out['items'] = inputSchemaOf(given['items'], undefined, depth + 1);
    const { properties } = given;
    if (typeof properties === 'object' && properties !== null) {
      out['properties'] = Object.fromEntries(
        Object.entries(properties).map(([name, each]) => [name, inputSchemaOf(each, undefined, depth + 1)]),
      );
    }
  }
  const words = [description, given['description'], given['format'] === undefined ? undefined : `(${String(given['format'])})`];
  const text = words
    .filter((word) => typeof word === 'string')
    .join(' ')
    .slice(0, 500);
  return text === '' ? out : { ...out, description: text };
}

function isPattern(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').source !== '';
  } catch {
    return false;
  }
}
