import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ResolvedServer, ToolOverride } from '../../../daemon/api/config.ts';
import type { JsonObject } from '../../../daemon/protocol/message.ts';
import { Definitions, definitionHash, overrideTools } from '../../../daemon/router/definitions.ts';
import { openStateStore } from '../../../daemon/state/state-store.ts';

const tool = (name: string, more: JsonObject = {}): JsonObject => ({
  name,
  description: 'As it was.',
  inputSchema: { type: 'object' },
  ...more,
});
const server = (binding: Partial<ResolvedServer>): ResolvedServer => ({
  name: 's',
  alias: 's',
  entry: { command: 'x' },
  digest: 'd',
  hidden: [],
  ...binding,
});
const names = (binding: Partial<ResolvedServer>, definitions: Definitions, tools: readonly JsonObject[]): string[] =>
  overrideTools(server(binding), undefined, definitions, tools).tools.map(({ own, name }) => `${own} as ${name}`);

describe('the hash of a definition', () => {
  it('is of what is told, in whatever order', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (more) => {
        const definition = { ...more, name: 'x' };
        const turned = Object.fromEntries(Object.entries(definition).reverse());
        assert.equal(definitionHash(definition), definitionHash(turned));
      }),
    );
  });

  it('changes with every word, and not with the way it came', () => {
    const before = definitionHash(tool('x'));
    for (const more of [
      { description: 'As it was' },
      { title: 'X' },
      { inputSchema: { type: 'object', properties: { a: {} } } },
      { annotations: { readOnlyHint: true } },
      { _meta: { ui: 1 } },
      { 'x-vendor': 1 },
    ])
      assert.notEqual(definitionHash(tool('x', more)), before, JSON.stringify(more));
    for (const more of [{ execution: { taskSupport: 'optional' } }, { _meta: {} }, { _meta: { 'dev.signalbox/hops': ['a'] } }])
      assert.equal(definitionHash(tool('x', more)), before, JSON.stringify(more));
  });
});

describe('overrides', () => {
  const overrides: Readonly<Record<string, ToolOverride>> = { a: { name: 'b2', title: 'T' }, h: { hidden: true, description: 'D' } };

  it('hold for the definition they were first applied to, also after a restart', () => {
    const state = openStateStore(':memory:');
    assert.deepEqual(names({ overrides }, new Definitions(state), [tool('a'), tool('h'), tool('c')]), ['a as b2', 'c as c']);
    const later = new Definitions(state);
    const changed = [tool('a', { description: 'Evil' }), tool('h', { description: 'Evil' }), tool('c', { description: 'Evil' })];
    const result = overrideTools(server({ overrides }), undefined, later, changed);
    assert.deepEqual(
      result.tools.map(({ own, name, definition }) => [own, name, definition['title'], definition['description']]),
      [
        ['a', 'b2', undefined, 'Evil'],
        ['c', 'c', undefined, 'Evil'],
      ],
    );
    assert.deepEqual(
      result.changed.map(({ code, message }) => [code, message]),
      [['SBX_DEFINITION_CHANGED', 'Server "s" changed the definition of tool "a".']],
    );
    later.accept(undefined, 's', 'a', changed.slice(0, 1));
    assert.deepEqual(names({ overrides }, new Definitions(state), changed), ['a as b2', 'c as c']);
    const again = overrideTools(server({ overrides }), undefined, new Definitions(state), [tool('a')]);
    assert.equal(again.changed.length, 1, 'the old one is no longer accepted');
    state.close();
  });

  it('a server of both eras may define a tool in two ways, once both were accepted', () => {
    const definitions = new Definitions(undefined);
    const two = [tool('a'), tool('a', { outputSchema: { type: 'object' } })];
    assert.deepEqual(names({ overrides }, definitions, two.slice(0, 1)), ['a as b2']);
    const problems = (one: JsonObject): number => overrideTools(server({ overrides }), undefined, definitions, [one]).changed.length;
    assert.deepEqual(two.map(problems), [0, 1]);
    definitions.accept(undefined, 's', 'a', two);
    assert.deepEqual(two.map(problems), [0, 0]);
  });

  it('pin: what changed is gone, what is new is there', () => {
    const definitions = new Definitions(undefined);
    assert.deepEqual(names({ pin: true }, definitions, [tool('a'), tool('c')]), ['a as a', 'c as c']);
    assert.deepEqual(names({ pin: true }, definitions, [tool('a', { title: 'T' }), tool('c'), tool('n')]), ['c as c', 'n as n']);
    assert.deepEqual(names({ pin: true }, definitions, [tool('a')]), ['a as a'], 'it changed back');
  });

  it('of one workspace say nothing of another', () => {
    const definitions = new Definitions(undefined);
    assert.ok(definitions.accepts('one', 's', 'a', tool('a')));
    assert.ok(definitions.accepts('two', 's', 'a', tool('a', { title: 'T' })));
    assert.ok(!definitions.accepts('one', 's', 'a', tool('a', { title: 'T' })));
  });

  it('a server that invents names neither fills the disk nor pushes out what was accepted', () => {
    const state = openStateStore(':memory:');
    const definitions = new Definitions(state);
    assert.ok(definitions.accepts(undefined, 's', 'deploy', tool('deploy')));
    for (let round = 0; round < 6000; round++) definitions.accepts(undefined, 's', `t${round}`, tool(`t${round}`));
    assert.equal(state.entries('definitions').length, 5000);
    for (const known of [definitions, new Definitions(state)]) {
      assert.ok(!known.accepts(undefined, 's', 'deploy', tool('deploy', { description: 'Evil' })));
      assert.ok(known.accepts(undefined, 's', 'deploy', tool('deploy')));
      assert.ok(!known.accepts(undefined, 's', 'another', tool('another')));
      assert.ok(known.accepts(undefined, 'other', 'another', tool('another')));
    }
    state.close();
  });

  it('nothing is remembered of tools nobody said anything of, and a name of every object is a name like another', () => {
    const state = openStateStore(':memory:');
    assert.deepEqual(names({ overrides: {} }, new Definitions(state), [tool('constructor'), tool('a')]), [
      'constructor as constructor',
      'a as a',
    ]);
    assert.deepEqual(state.entries('definitions'), []);
    state.close();
  });
});
