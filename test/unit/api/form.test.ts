import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { draftOf, type FormNode, formOf, type Schema, valueOfText } from '../../../daemon/api/form.ts';

const form = (schema: Schema): FormNode => formOf(schema, schema);
const fields = (schema: Schema) => {
  const node = form(schema);
  assert.equal(node.kind, 'object');
  return node.kind === 'object' ? node.fields : [];
};

describe('the form of a schema', () => {
  it('asks for each type in its own way', () => {
    const kinds: [Schema, FormNode['kind']][] = [
      [{ type: 'string' }, 'text'],
      [{ type: 'integer' }, 'number'],
      [{ type: 'boolean' }, 'boolean'],
      [{ type: 'null' }, 'null'],
      [{ enum: ['a', 1, null] }, 'choice'],
      [{ oneOf: [{ const: 'a', title: 'A' }, { const: 'b' }] }, 'choice'],
      [{ type: 'array', items: { enum: ['a'] } }, 'choices'],
      [{ type: 'array', items: { type: 'object' } }, 'list'],
      [{ type: 'array' }, 'list'],
      [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, 'variants'],
      [{ type: ['string', 'null'] }, 'variants'],
      [{ type: ['string'] }, 'text'],
      [{ properties: {} }, 'object'],
      [{}, 'any'],
    ];
    for (const [schema, kind] of kinds) assert.equal(form(schema).kind, kind, JSON.stringify(schema));
  });

  it('names choices by their titles, in both ways MCP has', () => {
    const options = (schema: Schema) => {
      const node = form(schema);
      return node.kind === 'choice' ? node.options.map(({ title }) => title) : [];
    };
    assert.deepEqual(options({ enum: ['a', 'b'], enumNames: ['Alpha', 'Beta'] }), ['Alpha', 'Beta']);
    assert.deepEqual(options({ oneOf: [{ const: 'a', title: 'Alpha' }, { const: 2 }] }), ['Alpha', '2']);
  });

  it('follows references, also recursive ones, one level at a time', () => {
    const schema: Schema = {
      type: 'object',
      properties: { root: { $ref: '#/$defs/node' } },
      required: ['root'],
      $defs: { node: { type: 'object', properties: { value: { type: 'string' }, 'a/b': { $ref: '#/$defs/node' } }, required: ['value'] } },
    };
    const [root] = fields(schema);
    const node = formOf(root?.schema, schema);
    assert.deepEqual(node.kind === 'object' && node.fields.map(({ name, required }) => [name, required]), [
      ['value', true],
      ['a/b', false],
    ]);
    assert.deepEqual(draftOf(schema, schema), { root: { value: '' } });
  });

  it('ends at references that go in a circle', () => {
    const schema: Schema = { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } };
    assert.equal(form(schema).kind, 'any');
    const endless: Schema = { type: 'object', properties: { self: { $ref: '#' } }, required: ['self'] };
    assert.equal(typeof draftOf(endless, endless), 'object');
  });

  it('puts allOf together', () => {
    const schema: Schema = {
      allOf: [{ properties: { a: { type: 'string' } }, required: ['a'] }, { properties: { b: { type: 'number' } } }],
    };
    assert.deepEqual(
      fields(schema).map(({ name, required }) => [name, required]),
      [
        ['a', true],
        ['b', false],
      ],
    );
  });

  it('names variants and gives each what all share', () => {
    const node = form({
      type: 'object',
      properties: { shared: { type: 'string' } },
      oneOf: [
        { title: 'By path', properties: { path: { type: 'string' } }, required: ['path'] },
        { properties: { id: { type: 'integer' } } },
        { $ref: '#/$defs/Third' },
      ],
    });
    assert.equal(node.kind, 'variants');
    if (node.kind !== 'variants') return;
    assert.deepEqual(
      node.variants.map(({ title }) => title),
      ['By path', '{ id }', 'Third'],
    );
    assert.deepEqual(
      fields(node.variants[0]?.schema ?? {}).map(({ name }) => name),
      ['shared', 'path'],
    );
  });

  it('allows further properties where the schema does', () => {
    const others = (schema: Schema) => {
      const node = form(schema);
      return node.kind === 'object' ? node.others : 'none';
    };
    assert.deepEqual(others({ type: 'object', additionalProperties: { type: 'number' } }), { type: 'number' });
    assert.deepEqual(others({ type: 'object' }), {});
    assert.equal(others({ type: 'object', additionalProperties: false }), undefined);
  });
});

describe('a draft', () => {
  it('has the required ones, by default, constant, example, first choice or type', () => {
    const schema: Schema = {
      type: 'object',
      required: ['path', 'mode', 'depth', 'where', 'tags', 'anything', 'flag', 'k', 'e', 'v'],
      properties: {
        path: { type: 'string' },
        mode: { enum: ['fast', 'slow'] },
        depth: { type: 'integer', default: 3 },
        where: { type: 'object', required: ['x'], properties: { x: { type: 'number', minimum: 1 } } },
        tags: { type: ['array', 'null'] },
        anything: true,
        flag: { type: 'boolean' },
        optional: { type: 'string', default: 'no' },
        k: { const: 7 },
        e: { type: 'string', examples: ['ex'] },
        v: { oneOf: [{ type: 'integer' }, { type: 'string' }] },
      },
    };
    assert.deepEqual(draftOf(schema, schema), {
      path: '',
      mode: 'fast',
      depth: 3,
      where: { x: 1 },
      tags: [],
      anything: null,
      flag: false,
      k: 7,
      e: 'ex',
      v: 0,
    });
    assert.deepEqual(draftOf({ type: 'object' }, {}), {});
  });
});

describe('schemas made to trouble', () => {
  it('circles of references and of allOf end', () => {
    const circle: Schema = {
      allOf: [{ $ref: '#' }, { $ref: '#/$defs/a' }, { $ref: '#' }],
      $defs: { a: { allOf: [{ $ref: '#/$defs/a' }, { $ref: '#' }] } },
    };
    assert.equal(form(circle).kind, 'object');
    assert.equal(form({ $ref: '#' }).kind, 'any');
    // Thirty that each lead to all of them: without the memory of what was followed that is more paths than there is time.
    const names = Array.from({ length: 30 }, (_, index) => `d${index}`);
    const all = { allOf: names.map((name) => ({ $ref: `#/$defs/${name}` })) };
    const $defs = Object.fromEntries(names.map((name) => [name, { ...all, properties: { [name]: {} } }]));
    assert.equal(fields({ ...all, $defs }).length, 30);
  });

  it('a first value of what requires itself twice is small', () => {
    const node = { type: 'object', required: ['a', 'b'], properties: { a: { $ref: '#' }, b: { $ref: '#' } } };
    assert.ok(JSON.stringify(draftOf(node, node)).length < 20_000);
  });

  it('a pattern that does not come to an end is left to the server', () => {
    const node = form({ type: 'string', pattern: '^(a+)+$' });
    assert.ok(node.kind === 'text');
    const text = `${'a'.repeat(60)}!`;
    assert.deepEqual(valueOfText(node, text), { value: text });
  });
});

describe('typed text', () => {
  const read = (schema: Schema, text: string): unknown => {
    const node = form(schema);
    assert.ok(node.kind === 'text' || node.kind === 'number' || node.kind === 'any');
    const outcome = valueOfText(node, text);
    return 'value' in outcome ? outcome.value : outcome.problem;
  };
  it('is checked against length, pattern, format and bounds', () => {
    assert.equal(read({ type: 'string', minLength: 2 }, 'a'), 'At least 2 characters.');
    assert.equal(read({ type: 'string', maxLength: 1 }, '🚂'), '🚂');
    assert.equal(read({ type: 'string', format: 'email' }, 'nobody'), 'This is not an e-mail address.');
    assert.equal(read({ type: 'string', pattern: '^a+$' }, 'b'), 'It must match ^a+$.');
    assert.equal(read({ type: 'string', pattern: '(?<' }, 'b'), 'b');
    assert.equal(read({ type: 'integer' }, '1.5'), 'This is not a whole number.');
    assert.equal(read({ type: 'number', exclusiveMinimum: 0 }, '0'), 'More than 0.');
    assert.equal(read({ type: 'number' }, ''), 'This is not a number.');
    assert.equal(read({ type: 'number' }, '1e3'), 1000);
    assert.deepEqual(read({}, '{"a":1}'), { a: 1 });
    assert.match(String(read({}, 'a')), /not JSON/);
  });
});
