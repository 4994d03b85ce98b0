import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { matchesGlob, matchesTemplate } from '../../../daemon/router/pattern.ts';

/** The obvious way, good for short texts only. */
function naive(glob: string, name: string): boolean {
  const source = glob
    .split('*')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`, 's').test(name);
}

describe('globs', () => {
  it('agree with the obvious way', () => {
    const few = fc.string({ unit: fc.constantFrom('a', 'b', '_', '*', '.'), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '_', '.'), maxLength: 10 });
    fc.assert(
      fc.property(few, name, (glob, text) => {
        assert.equal(matchesGlob(glob, text), naive(glob, text));
      }),
      { numRuns: 3000 },
    );
  });

  it('take a pattern made to hurt in their stride', () => {
    // A regular expression made from this would not come back.
    assert.equal(matchesGlob('a*'.repeat(2000), 'a'.repeat(20_000)), true);
    assert.equal(matchesGlob(`${'a*'.repeat(2000)}b`, 'a'.repeat(20_000)), false);
  });
});

describe('URI templates', () => {
  it('match what they can produce and nothing beside it', () => {
    for (const [template, uri, expected] of [
      ['db://{connection}/{table}', 'db://main/stations', true],
      ['db://{connection}/{table}', 'db://main/', false],
      ['db://{connection}/{table}', 'xdb://main/stations', false],
      ['file:///{+path}', 'file:///a/b/c.txt', true],
      ['search://all{?q,page}', 'search://all?q=x&page=2', true],
      ['search://all{?q,page}', 'search://all', true],
      ['plain://one', 'plain://one', true],
      ['plain://one', 'plain://one/', false],
      ['a{b', 'a{b', true],
    ] as const)
      assert.equal(matchesTemplate(template, uri), expected, `${template} ${uri}`);
  });

  it('take a template made to hurt in their stride', () => {
    assert.equal(matchesTemplate(`x://${'{a}{b}'.repeat(500)}!`, `x://${'y'.repeat(50_000)}`), false);
  });
});
