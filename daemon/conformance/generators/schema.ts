/**
 * From a JSON Schema to values that satisfy it, as a fast-check arbitrary that shrinks. Ajv is the oracle: what the construction below
 * cannot promise (`not`, `if`, `contains`, `dependent…`) is filtered, after a probe that the filter lets enough through.
 */
import fc from 'fast-check';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { compile } from '../engine/validator.ts';
import { anyJson, anyText } from './text.ts';

const DEPTH = 4;
/** Samples drawn to see whether a filtered arbitrary ends. */
const PROBES = 60;

/**
 * Valid values of a schema.
 * @returns the arbitrary, or why there is none: the schema does not compile, or nothing valid was found
 */
export function validValues(schema: unknown): fc.Arbitrary<unknown> | string {
  const validate = compile(schema);
  if (validate instanceof Error) return `the schema does not compile: ${validate.message}`;
  let made: fc.Arbitrary<unknown>;
  try {
    made = build(schema, schema, DEPTH);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const wellFormed = made.map(withoutHoles);
  const good = fc.sample(wellFormed, { numRuns: PROBES, seed: 1 }).filter((value) => validate(value) === undefined).length;
  if (good < 3) return `only ${good} of ${PROBES} generated values are valid`;
  return good === PROBES
    ? wellFormed.filter((value) => validate(value) === undefined)
    : wellFormed.filter((value) => validate(value) === undefined);
}

/** JSON has no undefined, NaN or -0 that survives. */
function withoutHoles(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? 'null');
}

function build(schema: unknown, root: unknown, depth: number): fc.Arbitrary<unknown> {
  if (schema === true || schema === undefined) return anyJson;
  if (!isObject(schema)) throw new Error('nothing satisfies this schema');
  if (typeof schema['$ref'] === 'string') {
    const { $ref, ...rest } = schema;
    const target = resolveReference(root, String($ref));
    return build(isObject(target) ? merged(target, rest) : target, root, depth - 1);
  }
  if (Object.hasOwn(schema, 'const')) return fc.constant(schema['const']);
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
  for (const key of ['anyOf', 'oneOf'] as const) {
    const branches = schema[key];
    if (!Array.isArray(branches)) continue;
    const { [key]: _branches, ...rest } = schema;
    const built = branches.flatMap((branch) =>
      attempt(() => build(isObject(branch) ? merged(rest, branch) : branch === true ? rest : false, root, depth)),
    );
    if (built.length === 0) throw new Error(`no branch of ${key} can be generated`);
    return fc.oneof(...built);
  }
  if (Array.isArray(schema['allOf'])) {
    const { allOf, ...rest } = schema;
    const parts = (allOf as unknown[]).map((part) =>
      isObject(part) && typeof part['$ref'] === 'string' ? resolveReference(root, part['$ref']) : part,
    );
    return build(
      parts.reduce<JsonObject>((sum, part) => (isObject(part) ? merged(sum, part) : sum), rest),
      root,
      depth,
    );
  }
  if (isObject(schema['then']) || isObject(schema['else'])) {
    const { if: condition, then, else: otherwise, ...rest } = schema;
    const holds = isObject(condition) && isObject(then) ? merged(merged(rest, condition), then) : rest;
    const fails = isObject(otherwise) ? merged(rest, otherwise) : rest;
    return fc.oneof(...[holds, fails].flatMap((branch) => attempt(() => build(branch, root, depth))));
  }
  const type = Array.isArray(schema['type']) ? (schema['type'] as unknown[]) : [schema['type'] ?? inferred(schema)];
  return fc.oneof(...type.map((one) => ofType(String(one), schema, root, depth)));
}

function inferred(schema: JsonObject): string {
  if (schema['properties'] !== undefined || schema['required'] !== undefined || schema['additionalProperties'] !== undefined)
    return 'object';
  if (schema['items'] !== undefined || schema['prefixItems'] !== undefined) return 'array';
  if (schema['pattern'] !== undefined || schema['minLength'] !== undefined || schema['format'] !== undefined) return 'string';
  if (schema['minimum'] !== undefined || schema['maximum'] !== undefined) return 'number';
  return 'any';
}

function ofType(type: string, schema: JsonObject, root: unknown, depth: number): fc.Arbitrary<unknown> {
  if (type === 'string') return texts(schema);
  if (type === 'integer' || type === 'number') return numbers(schema, type);
  if (type === 'boolean') return fc.boolean();
  if (type === 'null') return fc.constant(null);
  if (type === 'array') return arrays(schema, root, depth);
  if (type === 'object') return objects(schema, root, depth);
  return anyJson;
}

const FORMATS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  date: fc.constantFrom('2024-02-29', '1970-01-01', '2026-07-28'),
  time: fc.constantFrom('00:00:00Z', '23:59:59.5+02:00'),
  'date-time': fc.constantFrom('2024-02-29T12:00:00Z', '1970-01-01T00:00:00.000+01:00'),
  email: fc.constantFrom('a@example.com', 'first.last+tag@example.org'),
  uri: fc.constantFrom('https://example.com/', 'urn:example:a'),
  'uri-reference': fc.constantFrom('https://example.com/', '/a?b#c'),
  hostname: fc.constantFrom('example.com', 'localhost'),
  ipv4: fc.constantFrom('127.0.0.1', '192.0.2.1'),
  ipv6: fc.constantFrom('::1', '2001:db8::1'),
  uuid: fc.uuid(),
};

function texts(schema: JsonObject): fc.Arbitrary<string> {
  const format = schema['format'];
  if (typeof format === 'string' && Object.hasOwn(FORMATS, format)) return FORMATS[format] ?? anyText;
  if (typeof schema['pattern'] === 'string') return fc.stringMatching(new RegExp(schema['pattern'], 'u'));
  const [least, most] = [count(schema['minLength'], 0), count(schema['maxLength'], Number.POSITIVE_INFINITY)];
  const lengths = { minLength: least, maxLength: Math.min(most, Math.max(least, 40)) };
  const plain = fc.string({ ...lengths });
  const wild = fc.string({ ...lengths, unit: 'grapheme' });
  const fitting = anyText.filter((text) => [...text].length >= least && [...text].length <= most);
  return least === 0 && most >= 4 ? fc.oneof({ arbitrary: plain, weight: 2 }, wild, fitting) : fc.oneof(plain, wild);
}

function numbers(schema: JsonObject, type: string): fc.Arbitrary<number> {
  const bound = (key: string): number | undefined => (typeof schema[key] === 'number' ? Number(schema[key]) : undefined);
  const step = bound('multipleOf');
  const low = Math.max(bound('minimum') ?? -1e9, bound('exclusiveMinimum') ?? -1e9);
  const high = Math.min(bound('maximum') ?? Math.max(1e9, low + 10), bound('exclusiveMaximum') ?? Number.POSITIVE_INFINITY);
  if (step !== undefined && step > 0) {
    const [first, last] = [Math.ceil(low / step), Math.floor(high / step)];
    return fc.integer({ min: Math.max(first, -(2 ** 31)), max: Math.min(last, 2 ** 31 - 1) }).map((factor) => factor * step);
  }
  const [min, max] = [
    Math.ceil(low) + (bound('exclusiveMinimum') === Math.ceil(low) ? 1 : 0),
    Math.floor(high) - (bound('exclusiveMaximum') === Math.floor(high) ? 1 : 0),
  ];
  const whole = min <= max ? fc.integer({ min: Math.max(min, -(2 ** 53) + 1), max: Math.min(max, 2 ** 53 - 1) }) : undefined;
  const small = min <= max && min <= 10 && max >= -10 ? fc.integer({ min: Math.max(min, -10), max: Math.min(max, 10) }) : undefined;
  const integers = [whole, small].filter((one) => one !== undefined);
  if (type === 'integer' && integers.length === 0) throw new Error('no integer is in range');
  // Integers first: floats shrink to -5e-324, which nobody wants to read.
  const halves =
    high - low >= 1
      ? [fc.integer({ min: Math.ceil(Math.max(low, -1e6)), max: Math.floor(Math.min(high, 1e6)) - 1 }).map((one) => one + 0.5)]
      : [fc.constant((low + high) / 2)];
  return fc.oneof(...integers, ...(type === 'integer' ? [] : halves));
}

function arrays(schema: JsonObject, root: unknown, depth: number): fc.Arbitrary<unknown[]> {
  const prefix = Array.isArray(schema['prefixItems'])
    ? schema['prefixItems']
    : Array.isArray(schema['items'])
      ? (schema['items'] as unknown[])
      : [];
  const rest = Array.isArray(schema['items']) ? schema['additionalItems'] : schema['items'];
  const [least, most] = [count(schema['minItems'], 0), count(schema['maxItems'], Number.POSITIVE_INFINITY)];
  const heads = prefix.slice(0, Math.min(prefix.length, most)).map((item) => build(item, root, depth - 1));
  const missing = Math.max(0, least - heads.length);
  const item =
    rest === false || depth <= 0
      ? undefined
      : attempt(() => build(schema['contains'] !== undefined && rest === undefined ? schema['contains'] : rest, root, depth - 1))[0];
  if (item === undefined && missing > 0) throw new Error('too few items can be generated');
  const room = Math.max(missing, Math.min(most - heads.length, missing + 4));
  const sizes = { minLength: missing, maxLength: room };
  const tail =
    item === undefined || room <= 0
      ? fc.constant([])
      : schema['uniqueItems'] === true
        ? fc.uniqueArray(item, { ...sizes, selector: (one) => JSON.stringify(one) })
        : fc.array(item, sizes);
  return fc.tuple(fc.tuple(...heads), tail).map(([first, more]) => [...first, ...more]);
}

function objects(schema: JsonObject, root: unknown, depth: number): fc.Arbitrary<JsonObject> {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? (schema['required'] as string[]) : [];
  const made: Record<string, fc.Arbitrary<unknown>> = {};
  for (const key of new Set([...Object.keys(properties), ...required])) {
    const inner = Object.hasOwn(properties, key) ? properties[key] : true;
    const built = depth <= 0 && !required.includes(key) ? [] : attempt(() => build(inner, root, depth - 1));
    if (built[0] !== undefined) Object.defineProperty(made, key, { value: built[0], enumerable: true });
    else if (required.includes(key)) throw new Error(`no value for the required property ${key}`);
  }
  const known = fc.record(made, { requiredKeys: required as never[] });
  const least = count(schema['minProperties'], 0);
  const extra = schema['additionalProperties'];
  if (depth <= 0 || extra === false || (extra === undefined && least <= required.length)) return known as fc.Arbitrary<JsonObject>;
  const names = isObject(schema['propertyNames']) ? texts(schema['propertyNames']) : fc.string({ minLength: 1, maxLength: 8 });
  const value = attempt(() => build(extra, root, depth - 1))[0];
  if (value === undefined) return known as fc.Arbitrary<JsonObject>;
  const room = Math.max(0, Math.min(count(schema['maxProperties'], 1000), 3 + least) - Object.keys(made).length);
  const more = fc.dictionary(
    names.filter((name) => !Object.hasOwn(properties, name)),
    value,
    { minKeys: Math.max(0, least - required.length), maxKeys: Math.max(room, least - required.length) },
  );
  return fc.tuple(known, more).map(([first, second]) => ({ ...second, ...first }));
}

function count(value: unknown, fallback: number): number {
  return typeof value === 'number' && value >= 0 ? value : fallback;
}

function attempt<T>(make: () => T): readonly T[] {
  try {
    return [make()];
  } catch {
    return []; // a branch that cannot be generated leaves the others
  }
}

/** Both schemas at once, as well as one object can say it; Ajv has the last word. */
function merged(one: JsonObject, other: JsonObject): JsonObject {
  const sum: JsonObject = { ...one, ...other };
  if (isObject(one['properties']) && isObject(other['properties'])) {
    const properties: JsonObject = { ...one['properties'] };
    for (const [key, value] of Object.entries(other['properties'])) {
      const known = properties[key];
      properties[key] = isObject(known) && isObject(value) ? merged(known, value) : value;
    }
    sum['properties'] = properties;
  }
  if (Array.isArray(one['required']) && Array.isArray(other['required']))
    sum['required'] = [...new Set([...one['required'], ...other['required']])];
  for (const key of ['minimum', 'minLength', 'minItems', 'minProperties'])
    if (typeof one[key] === 'number' && typeof other[key] === 'number') sum[key] = Math.max(Number(one[key]), Number(other[key]));
  for (const key of ['maximum', 'maxLength', 'maxItems', 'maxProperties'])
    if (typeof one[key] === 'number' && typeof other[key] === 'number') sum[key] = Math.min(Number(one[key]), Number(other[key]));
  return sum;
}

/** A reference inside the same document. Others are never fetched. */
export function resolveReference(root: unknown, reference: string): unknown {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) throw new Error(`the reference ${reference} is outside the schema`);
  return reference
    .slice(2)
    .split('/')
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((current, part) => {
      if (Array.isArray(current)) return current[Number(part)];
      if (isObject(current) && Object.hasOwn(current, part)) return current[part];
      throw new Error(`the reference ${reference} leads nowhere`);
    }, root);
}
