import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { exposedName, exposedUri, NAME_LIMIT } from '../../../daemon/router/names.ts';
import { matchesTemplate } from '../../../daemon/router/pattern.ts';

const alias = fc.stringMatching(/^[a-z][a-z0-9-]{0,11}$/);

describe('exposed names', () => {
  it('stay as they are where every client takes them', () => {
    assert.equal(exposedName('fs', 'read_text_file'), 'fs__read_text_file');
  });

  it('are always within the limit and the allowed characters', () => {
    fc.assert(
      fc.property(alias, fc.string({ unit: 'binary', maxLength: 200 }), (a, name) =>
        new RegExp(`^[A-Za-z0-9_-]{1,${NAME_LIMIT}}$`).test(exposedName(a, name)),
      ),
    );
  });

  it('differ when the tools differ, also when both had to be changed', () => {
    fc.assert(
      fc.property(alias, fc.uniqueArray(fc.string({ maxLength: 80 }), { minLength: 2, maxLength: 20 }), (a, names) => {
        assert.equal(new Set(names.map((name) => exposedName(a, name))).size, names.length);
      }),
    );
    const long = 'x'.repeat(60);
    assert.notEqual(exposedName('a', `${long}1`), exposedName('a', `${long}2`));
  });

  it('a colliding URI keeps its scheme and is one URL', () => {
    fc.assert(
      fc.property(
        alias,
        fc.webUrl(),
        (a, uri) => URL.canParse(exposedUri(a, uri)) && exposedUri(a, uri).split(':')[0] === uri.split(':')[0],
      ),
    );
  });
});

describe('URI templates', () => {
  it('match what they can produce and nothing beside it', () => {
    assert.ok(matchesTemplate('db://{connection}/{table}', 'db://main/stations'));
    assert.ok(!matchesTemplate('db://{connection}/{table}', 'xdb://main/stations'));
    assert.ok(!matchesTemplate('file:///a.b', 'file:///aXb'));
  });
});
