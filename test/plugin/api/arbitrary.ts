/** Arguments generated from a tool's own schema. */
import fc from 'fast-check';
import type { Operation } from '../../../servers/api/description/operation.ts';
import { SHORTENED } from '../../../servers/api/description/schema.ts';
import { fromJsonSchema, type JsonObject } from '../../../servers/plugin/define.ts';

type Arbitrary = fc.Arbitrary<unknown>;
class Unsupported extends Error {}

/** Valid arguments; undefined when the schema has something that cannot be generated (a pattern, say). */
export function argumentsFor(schema: JsonObject, operation: Operation): fc.Arbitrary<Record<string, unknown>> | undefined {
  const { _select: _one, _pages: _two, ...properties } = schema['properties'] as Record<string, unknown>;
  const defs = (schema['$defs'] ?? {}) as Record<string, unknown>;
  // A list of objects has no form in a query (OpenAPI leaves it undefined); ours is JSON, which no other implementation reads. One that is either a text
  // or a list is read as a list by openapi-backend, whatever came.
  for (const { in: place, property, schema: each } of operation.parameters)
    if (
      place === 'query' &&
      (each['oneOf'] !== undefined ||
        each['anyOf'] !== undefined ||
        /"items":\{[^}]*"(?:type":"(?:object|array)|properties|allOf|oneOf|anyOf)/u.test(JSON.stringify(each)))
    )
      delete properties[property];
  try {
    const validate = fromJsonSchema(schema)['~standard'].validate;
    const base = generated({ ...schema, properties }, defs, 0, operation) as fc.Arbitrary<Record<string, unknown>>;
    const fits = (args: Record<string, unknown>): boolean => {
      const result = validate(args);
      return !(result instanceof Promise) && result.issues === undefined;
    };
    if (fc.sample(base, { numRuns: 20, seed: 1 }).filter(fits).length < 2) return undefined;
    return base.filter(fits);
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

function generated(schema: unknown, defs: Readonly<Record<string, unknown>>, depth: number, operation: Operation): Arbitrary {
  if (schema === true) return fc.constant('any');
  if (typeof schema !== 'object' || schema === null || depth > 12) throw new Unsupported();
  const node = schema as Readonly<Record<string, unknown>>;
  const sub = (each: unknown): Arbitrary => generated(each, defs, depth + 1, operation);
  if (typeof node['$ref'] === 'string') return sub(defs[node['$ref'].replace('#/$defs/', '')]);
  if (node['const'] !== undefined) return fc.constant(node['const']);
  if (Array.isArray(node['enum'])) return fc.constantFrom(...(node['enum'] as unknown[]));
  if (String(node['description']).endsWith(SHORTENED)) throw new Unsupported();
  for (const key of ['oneOf', 'anyOf'] as const) {
    if (!Array.isArray(node[key])) continue;
    const choices = (node[key] as unknown[]).flatMap((each) =>
      attempt(() => sub(mergeAll([{ ...node, [key]: undefined, oneOf: key === 'oneOf' ? undefined : node['oneOf'] }, each]))),
    );
    if (choices.length === 0) throw new Unsupported();
    return fc.oneof(...choices);
  }
  if (Array.isArray(node['allOf'])) {
    const { allOf, ...rest } = node;
    return sub(mergeAll([rest, ...(allOf as unknown[]).map((each) => resolved(each, defs))]));
  }
  const types = Array.isArray(node['type']) ? (node['type'] as unknown[]) : [node['type']];
  const type =
    types.find((each) => each !== 'null') ??
    (node['properties'] === undefined ? (node['items'] === undefined ? 'string' : 'array') : 'object');
  if (type === 'object') return objectOf(node, sub);
  if (type === 'array') {
    const min = Number(node['minItems'] ?? 0);
    const max = Math.max(min, Math.min(Number(node['maxItems'] ?? 3), 3));
    const item = attempt(() => sub(node['items'] ?? { type: 'string' }))[0];
    if (item === undefined) {
      if (min > 0) throw new Unsupported();
      return fc.constant([]);
    }
    const lengths = { minLength: Math.max(min, Math.min(1, max)), maxLength: Math.max(1, max) };
    return node['uniqueItems'] === true
      ? fc.uniqueArray(item, { ...lengths, selector: (each) => JSON.stringify(each) })
      : fc.array(item, lengths);
  }
  return scalarOf(node, type);
}

function scalarOf(node: Readonly<Record<string, unknown>>, type: unknown): Arbitrary {
  const examples = Array.isArray(node['examples']) ? (node['examples'] as unknown[]) : [];
  if (type === 'boolean') return fc.boolean();
  if (type === 'integer' || type === 'number') {
    const step = Number(node['multipleOf'] ?? 1);
    const min = Math.ceil(
      Number(node['minimum'] ?? (node['exclusiveMinimum'] === undefined ? 1 : Number(node['exclusiveMinimum']) + 1)) / step,
    );
    const max = Math.floor(
      Number(node['maximum'] ?? (node['exclusiveMaximum'] === undefined ? min + 1000 : Number(node['exclusiveMaximum']) - 1)) / step,
    );
    return max < min
      ? fc.constant(examples[0] ?? min)
      : fc.integer({ min: Math.max(min, -2147483648), max: Math.min(max, 2147483647) }).map((each) => each * step);
  }
  if (node['format'] === 'date-time') return fc.constant('2026-11-21T17:00:00Z');
  if (node['format'] === 'date') return fc.constant('2026-11-21');
  if (node['format'] === 'uuid') return fc.uuid();
  if (node['format'] === 'email') return fc.constant('someone@example.com');
  if (node['format'] === 'ipv4') return fc.constant('192.0.2.1');
  if (node['format'] === 'ipv6') return fc.constant('2001:db8::1');
  if (node['contentEncoding'] === 'base64') return fc.base64String({ maxLength: 40 });
  if (typeof node['pattern'] === 'string' && node['contentEncoding'] === undefined) {
    if (examples.length > 0) return fc.constant(examples[0]);
    return fc.stringMatching(new RegExp(node['pattern'], 'u'));
  }
  if (/\(pattern /u.test(String(node['description']))) {
    if (examples.length > 0) return fc.constant(examples[0]);
    throw new Unsupported();
  }
  const min = Math.max(1, Number(node['minLength'] ?? 1));
  const plain = fc.string({
    minLength: min,
    maxLength: Math.max(min, Math.min(Number(node['maxLength'] ?? 30), 30)),
    unit: fc.constantFrom(...'abc 012-_äß/&=?#+,;:@"\''),
  });
  // A path value must not be one the guard refuses.
  return plain.map((text) => (/^[\s.]*$/u.test(text) ? 'x'.repeat(min) : text.trim().padEnd(min, 'x')));
}

function objectOf(node: Readonly<Record<string, unknown>>, sub: (each: unknown) => Arbitrary): Arbitrary {
  const required = new Set((node['required'] ?? []) as string[]);
  const record: Record<string, Arbitrary> = {};
  for (const [key, each] of Object.entries((node['properties'] ?? {}) as Record<string, unknown>)) {
    const found = required.has(key) ? [sub(each)] : attempt(() => sub(each));
    if (found[0] !== undefined) record[key] = found[0];
  }
  for (const key of required) record[key] ??= fc.constant('given');
  return fc.record(record, { requiredKeys: [...required], noNullPrototype: true });
}

function resolved(each: unknown, defs: Readonly<Record<string, unknown>>): unknown {
  const reference = typeof each === 'object' && each !== null && '$ref' in each ? String(each.$ref) : undefined;
  return reference === undefined ? each : defs[reference.replace('#/$defs/', '')];
}

function mergeAll(parts: readonly unknown[]): Readonly<Record<string, unknown>> {
  const out: Record<string, unknown> = {};
  for (const part of parts) {
    for (const [key, value] of Object.entries((part ?? {}) as Record<string, unknown>)) {
      if (value === undefined) continue;
      if (key === 'properties') out[key] = { ...(out[key] as object | undefined), ...(value as object) };
      else if (key === 'required') out[key] = [...((out[key] as string[] | undefined) ?? []), ...(value as string[])];
      else out[key] = value;
    }
  }
  return out;
}

function attempt<T>(make: () => T): readonly T[] {
  try {
    return [make()];
  } catch (error) {
    if (error instanceof Unsupported) return [];
    throw error;
  }
}
