/** Values that break a schema in exactly one keyword, each confirmed invalid by Ajv. */
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { compile, withoutFormats } from '../engine/validator.ts';
import { resolveReference } from './schema.ts';

/** One way to break a valid value. */
export interface Breakage {
  /** The keyword that no longer holds. */
  readonly keyword: string;
  /** Where, as a JSON pointer into the value. */
  readonly pointer: string;
  readonly value: unknown;
}

const DEPTH = 3;
const LAST_LINE_BREAK = 'pattern, by a last line break';
/** Breakages that validators differ about: `format` asserts only where one chooses so (2020-12 Validation, 7.2.1; draft-07 7.2), and dialects of patterns differ. */
export const DEBATABLE: ReadonlySet<string> = new Set(['format', LAST_LINE_BREAK]);

/**
 * Every way to break `valid` in one keyword.
 * @param valid a value that satisfies the schema
 */
export function breakages(schema: unknown, valid: unknown): readonly Breakage[] {
  const [strict, lenient] = [compile(schema), compile(withoutFormats(schema))];
  if (strict instanceof Error || lenient instanceof Error) return [];
  // Ajv leaves `__proto__` out of `properties`: it cannot say what is valid there
  if (JSON.stringify(schema).includes('"__proto__"')) return [];
  const found: Breakage[] = [];
  const seen = new Set<string>();
  for (const { keyword, pointer, change } of changes(schema, schema, valid, '', DEPTH)) {
    const value = replaced(valid, pointer, change);
    const key = JSON.stringify(value);
    if (key === undefined || seen.has(key) || strict(value) === undefined) continue;
    seen.add(key);
    // whatever was meant, nothing but a format is broken: which asserts only where a validator chooses so
    found.push({ keyword: lenient(value) === undefined ? 'format' : keyword, pointer, value });
  }
  return found;
}

interface Change {
  readonly keyword: string;
  readonly pointer: string;
  readonly change: (value: unknown) => unknown;
}

const OTHERS: readonly (readonly [type: string, value: unknown])[] = [
  ['string', 'text'],
  ['number', 7.5],
  ['boolean', true],
  ['null', null],
  ['array', []],
  ['object', {}],
];

function* changes(schema: unknown, root: unknown, value: unknown, pointer: string, depth: number): Generator<Change> {
  if (!isObject(schema) || depth < 0) return;
  if (typeof schema['$ref'] === 'string') {
    try {
      yield* changes(resolveReference(root, schema['$ref']), root, value, pointer, depth - 1);
    } catch {
      return; // a reference we do not follow
    }
  }
  const to = (keyword: string, other: unknown): Change => ({ keyword, pointer, change: () => other });
  if (isObject(value) && Array.isArray(schema['required']))
    for (const key of schema['required'] as string[])
      yield {
        keyword: 'required',
        pointer,
        change: (whole) => Object.fromEntries(Object.entries(isObject(whole) ? whole : {}).filter(([name]) => name !== key)),
      };
  // the root of a tool's arguments is an object by the protocol: another type there is a fault of the envelope
  if (schema['type'] !== undefined && pointer !== '') for (const [, other] of OTHERS) yield to('type', other);
  if (Array.isArray(schema['enum']) && pointer !== '') yield* [to('enum', 'not-one-of-these'), to('enum', 424_242)];
  if (Object.hasOwn(schema, 'const') && pointer !== '') yield to('const', 'not-this');
  yield* numberChanges(schema, to);
  yield* textChanges(schema, value, to);
  yield* arrayChanges(schema, value, pointer, to);
  if (isObject(value)) {
    if (schema['additionalProperties'] === false || schema['unevaluatedProperties'] === false)
      yield { keyword: 'additionalProperties', pointer, change: (whole) => ({ ...(isObject(whole) ? whole : {}), unexpectedProperty: 1 }) };
    yield* memberChanges(schema, value, pointer, to);
    if (isObject(schema['properties']))
      for (const [key, inner] of Object.entries(schema['properties'])) {
        if (Object.hasOwn(value, key)) yield* changes(inner, root, value[key], `${pointer}/${escapeKey(key)}`, depth - 1);
        else if (isObject(inner) && inner['type'] !== undefined)
          for (const [, other] of OTHERS)
            yield { keyword: 'type', pointer, change: (whole) => ({ ...(isObject(whole) ? whole : {}), [key]: other }) };
      }
  }
  if (Array.isArray(value) && isObject(schema['items']) && value.length > 0)
    yield* changes(schema['items'], root, value[0], `${pointer}/0`, depth - 1);
  for (const key of ['allOf', 'anyOf', 'oneOf'])
    if (Array.isArray(schema[key])) for (const part of schema[key] as unknown[]) yield* changes(part, root, value, pointer, depth - 1);
}

function* memberChanges(
  schema: JsonObject,
  value: JsonObject,
  pointer: string,
  to: (keyword: string, value: unknown) => Change,
): Generator<Change> {
  const extra = schema['additionalProperties'];
  if (isObject(extra))
    for (const [, other] of OTHERS)
      yield { keyword: 'additionalProperties', pointer, change: (whole) => ({ ...(isObject(whole) ? whole : {}), extra: other }) };
  if (schema['propertyNames'] !== undefined) yield to('propertyNames', { ...value, 'Not a name!': Object.values(value)[0] ?? 0 });
  if (typeof schema['minProperties'] === 'number' && schema['minProperties'] > 0) yield to('minProperties', {});
  if (typeof schema['maxProperties'] === 'number' && schema['maxProperties'] < 100)
    yield to('maxProperties', {
      ...value,
      ...Object.fromEntries(
        Array.from({ length: schema['maxProperties'] + 1 }, (_, index) => [
          `k${'abcdefghij'.charAt(index % 10)}${index}`,
          Object.values(value)[0] ?? 0,
        ]),
      ),
    });
}

function* numberChanges(schema: JsonObject, to: (keyword: string, value: unknown) => Change): Generator<Change> {
  const bound = (key: string): number | undefined => (typeof schema[key] === 'number' ? Number(schema[key]) : undefined);
  const step = bound('multipleOf') ?? 1;
  const [least, most, above, below] = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'].map(bound);
  if (least !== undefined) yield to('minimum', least - step);
  if (most !== undefined) yield to('maximum', most + step);
  if (above !== undefined) yield to('exclusiveMinimum', above);
  if (below !== undefined) yield to('exclusiveMaximum', below);
  if (bound('multipleOf') !== undefined) yield to('multipleOf', (least ?? 0) + (step > 1 ? 1 : step * 1.5));
  if (schema['type'] === 'integer') yield to('type', (least ?? 0) + 0.5);
}

function* textChanges(schema: JsonObject, value: unknown, to: (keyword: string, value: unknown) => Change): Generator<Change> {
  if (typeof schema['minLength'] === 'number' && schema['minLength'] > 0)
    yield to(
      'minLength',
      typeof value === 'string' ? [...value].slice(0, schema['minLength'] - 1).join('') : 'a'.repeat(schema['minLength'] - 1),
    );
  if (typeof schema['maxLength'] === 'number' && schema['maxLength'] < 100_000)
    yield to(
      'maxLength',
      `${typeof value === 'string' ? value : ''}${'a'.repeat(schema['maxLength'] + 1)}`.slice(0, schema['maxLength'] + 1),
    );
  if (typeof schema['pattern'] === 'string')
    yield* ['', '\u0000', ' ', 'x', '!!', 'A1-_', `${String(value)}!`].map((text) => to('pattern', text));
  // `$` is the end of the text in ECMA-262, and before a last line break too in Python and Perl
  if (typeof schema['pattern'] === 'string') yield to(LAST_LINE_BREAK, `${String(value)}\n`);
}

function* arrayChanges(
  schema: JsonObject,
  value: unknown,
  pointer: string,
  to: (keyword: string, value: unknown) => Change,
): Generator<Change> {
  if (!Array.isArray(value)) return;
  if (typeof schema['minItems'] === 'number' && schema['minItems'] > 0) yield to('minItems', value.slice(0, schema['minItems'] - 1));
  if (typeof schema['maxItems'] === 'number' && value.length > 0) {
    const most = schema['maxItems'];
    if (most < 10_000)
      yield to(
        'maxItems',
        Array.from({ length: most + 1 }, (_, index) => value[index % value.length]),
      );
  }
  if (schema['uniqueItems'] === true && value.length > 0) yield to('uniqueItems', [...value, value[0]]);
  if (schema['items'] !== undefined)
    for (const [, other] of OTHERS) yield { keyword: 'items', pointer, change: (whole) => [...(Array.isArray(whole) ? whole : []), other] };
}

function escapeKey(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function replaced(value: unknown, pointer: string, change: (value: unknown) => unknown): unknown {
  if (pointer === '') return change(value);
  const [head = '', ...rest] = pointer.slice(1).split('/');
  const key = head.replaceAll('~1', '/').replaceAll('~0', '~');
  const deeper = rest.length === 0 ? '' : `/${rest.join('/')}`;
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === key ? replaced(item, deeper, change) : item));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, name === key ? replaced(item, deeper, change) : item]));
}
