import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compile } from '../../../daemon/conformance/engine/validator.ts';
import { extremes } from '../../../daemon/conformance/generators/extremes.ts';
import { breakages, DEBATABLE } from '../../../daemon/conformance/generators/invalid.ts';
import { validValues } from '../../../daemon/conformance/generators/schema.ts';

/** Schemas as tools have them, and the ones generators stumble over. */
const SCHEMAS: Readonly<Record<string, object>> = {
  plain: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'integer' } }, required: ['a'] },
  bounds: {
    type: 'object',
    properties: { n: { type: 'number', exclusiveMinimum: 0, maximum: 1 }, m: { type: 'integer', minimum: 3, multipleOf: 3 } },
    required: ['n', 'm'],
  },
  texts: {
    type: 'object',
    properties: {
      p: { type: 'string', pattern: '^[a-z]{2,5}-\\d+$' },
      l: { type: 'string', minLength: 2, maxLength: 4 },
      d: { type: 'string', format: 'date-time' },
    },
    required: ['p', 'l', 'd'],
  },
  arrays: {
    type: 'object',
    properties: {
      u: { type: 'array', items: { enum: [1, 2, 3] }, uniqueItems: true, minItems: 2 },
      t: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false },
    },
    required: ['u'],
  },
  recursive: {
    type: 'object',
    properties: { node: { $ref: '#/$defs/node' } },
    required: ['node'],
    $defs: { node: { type: 'object', properties: { v: { type: 'integer' }, next: { $ref: '#/$defs/node' } }, required: ['v'] } },
  },
  choice: {
    type: 'object',
    oneOf: [
      { properties: { kind: { const: 'a' }, x: { type: 'integer' } }, required: ['kind', 'x'] },
      { properties: { kind: { const: 'b' }, y: { type: 'string' } }, required: ['kind', 'y'] },
    ],
  },
  condition: {
    type: 'object',
    properties: { on: { type: 'boolean' }, why: { type: 'string' } },
    required: ['on'],
    if: { properties: { on: { const: true } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ['why'] },
  },
  names: { type: 'object', propertyNames: { pattern: '^[a-z]+$' }, additionalProperties: { type: 'integer' }, minProperties: 1 },
  draft7: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { t: { type: 'array', items: [{ type: 'string' }, { type: 'number' }], additionalItems: false } },
    required: ['t'],
  },
  all: {
    allOf: [
      { type: 'object', properties: { a: { type: 'integer', minimum: 1 } } },
      { properties: { a: { maximum: 5 } }, required: ['a'] },
    ],
  },
  nullable: {
    type: 'object',
    properties: { a: { type: ['string', 'null'] }, b: { anyOf: [{ type: 'integer' }, { type: 'null' }] } },
    required: ['a', 'b'],
  },
  closed: { type: 'object', properties: { a: { type: 'string', enum: ['x', 'y'] } }, additionalProperties: false },
  negated: { type: 'object', properties: { a: { type: 'integer', not: { const: 0 } } }, required: ['a'] },
  contains: { type: 'object', properties: { a: { type: 'array', contains: { const: 7 }, minItems: 1 } }, required: ['a'] },
};

describe('values from schemas', () => {
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    const validate = compile(schema);
    assert.ok(!(validate instanceof Error), name);
    it(`${name}: valid ones are valid, and the same seed gives the same`, () => {
      const values = validValues(schema);
      assert.ok(typeof values !== 'string', String(values));
      const draw = (): unknown[] => fc.sample(values, { numRuns: 50, seed: 3 });
      for (const value of draw()) assert.equal(validate(value), undefined, JSON.stringify(value));
      assert.deepEqual(draw(), draw());
    });
    it(`${name}: broken ones are broken, edges are valid`, () => {
      const values = validValues(schema);
      assert.ok(typeof values !== 'string');
      let broken = 0;
      for (const valid of fc.sample(values, { numRuns: 10, seed: 4 })) {
        for (const { value } of breakages(schema, valid)) {
          broken++;
          assert.notEqual(validate(value), undefined, JSON.stringify(value));
        }
        for (const edge of extremes(schema, valid as Record<string, unknown>)) assert.equal(validate(edge), undefined);
      }
      assert.ok(broken > 0, 'at least one way of breaking it');
    });
  }

  it('an impossible schema says why and does not loop', () => {
    assert.equal(
      typeof validValues({ type: 'object', properties: { a: { type: 'integer', minimum: 5, maximum: 4 } }, required: ['a'] }),
      'string',
    );
    assert.equal(typeof validValues({ type: 'nonsense' }), 'string');
  });

  it('what breaks only a format, or only by a last line break, is said to be that', () => {
    const ways = (properties: object, valid: object): readonly (readonly [string, unknown])[] =>
      breakages({ type: 'object', properties }, valid).map(({ keyword, value }) => [keyword, value]);
    const dated = ways({ day: { type: 'string', format: 'date' } }, { day: '2026-01-02' });
    for (const [keyword, value] of dated) assert.equal(keyword === 'format', typeof (value as { day: unknown }).day === 'string');
    assert.ok(dated.some(([keyword]) => keyword === 'format') && dated.some(([keyword]) => keyword === 'type'));
    const named = ways({ name: { type: 'string', pattern: '^a+$' } }, { name: 'aa' });
    for (const [keyword, value] of named) assert.equal(DEBATABLE.has(keyword), (value as { name: unknown }).name === 'aa\n');
    // Ajv cannot say what is valid there
    assert.deepEqual(breakages(JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}'), {}), []);
  });

  it('every kind of keyword can be broken', () => {
    const found = new Set(
      Object.values(SCHEMAS).flatMap((schema) => {
        const values = validValues(schema);
        return typeof values === 'string'
          ? []
          : fc.sample(values, { numRuns: 20, seed: 5 }).flatMap((value) => breakages(schema, value).map(({ keyword }) => keyword));
      }),
    );
    for (const keyword of [
      'required',
      'type',
      'enum',
      'const',
      'pattern',
      'minLength',
      'maxLength',
      'maximum',
      'minimum',
      'exclusiveMinimum',
      'multipleOf',
      'additionalProperties',
      'minItems',
      'uniqueItems',
      'items',
    ])
      assert.ok(found.has(keyword), keyword);
  });
});
