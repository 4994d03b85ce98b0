/** Valid values at the edges of a schema, one property at a time: what random generation hits too rarely. */
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { compile } from '../engine/validator.ts';

const TEXTS = ['', ' ', 'a', '0', '__proto__', 'é😀', 'a\nb', 'x'.repeat(1000)];
const NUMBERS = [0, 1, -1, 0.5, 2 ** 31, -(2 ** 31), 2 ** 53 - 1];

/**
 * Edge values of the properties of an object schema.
 * @param full a valid value with as many properties as there are
 * @returns valid values: `full`, one with the required properties alone, and others that differ from `full` in one property
 */
export function extremes(schema: unknown, full: JsonObject): readonly JsonObject[] {
  const validate = compile(schema);
  const properties = isObject(schema) ? schema['properties'] : undefined;
  if (validate instanceof Error || !isObject(properties)) return [];
  const required = isObject(schema) && Array.isArray(schema['required']) ? (schema['required'] as unknown[]) : [];
  const found = [full, Object.fromEntries(Object.entries(full).filter(([key]) => required.includes(key)))];
  for (const [key, part] of Object.entries(properties)) for (const value of edges(part)) found.push({ ...full, [key]: value });
  const seen = new Set<string>();
  return found.filter((value) => {
    const text = JSON.stringify(value);
    if (seen.has(text) || validate(value) !== undefined) return false;
    seen.add(text);
    return true;
  });
}

function edges(schema: unknown): readonly unknown[] {
  if (!isObject(schema)) return [];
  const bounds = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'].flatMap((key) =>
    typeof schema[key] === 'number' ? [schema[key], schema[key] + 1, schema[key] - 1] : [],
  );
  const lengths = ['minLength', 'maxLength'].flatMap((key) =>
    typeof schema[key] === 'number' && schema[key] < 10_000 ? ['a'.repeat(schema[key])] : [],
  );
  return [...(Array.isArray(schema['enum']) ? schema['enum'] : []), ...bounds, ...lengths, ...NUMBERS, ...TEXTS, true, false, null, [], {}];
}
