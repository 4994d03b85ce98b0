import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { balancer } from '../../../daemon/upstreams/balance.ts';

const three = [0, 1, 2].map((index) => ({ index, busy: 0 }));
const without = (index: number): typeof three => three.filter((candidate) => candidate.index !== index);
const principals = Array.from({ length: 300 }, (_, number) => `client-${number} /mcp/default`);

describe('balancer', () => {
  it('round-robin: in turn, whoever calls, also when one is missing', () => {
    const choose = balancer('round-robin');
    const turns = [three, three, three, three, without(1), without(1), three].map((candidates) => choose(candidates, 'a')?.index);
    assert.deepEqual(turns, [0, 1, 2, 0, 2, 0, 1]);
  });

  it('least-busy: the one with the fewest calls, in turn among equals', () => {
    const choose = balancer('least-busy');
    assert.equal(
      choose(
        [
          { index: 0, busy: 4 },
          { index: 1, busy: 1 },
          { index: 2, busy: 3 },
        ],
        'a',
      )?.index,
      1,
    );
    const equals = [
      { index: 0, busy: 1 },
      { index: 1, busy: 1 },
      { index: 2, busy: 9 },
    ];
    const turns = [1, 2, 3, 4].map(() => choose(equals, 'a')?.index);
    assert.deepEqual(turns.toSorted(), [0, 0, 1, 1]);
  });

  it('sticky: a principal stays; losing one moves only its own principals, and they come back', () => {
    const choose = balancer('sticky');
    const before = principals.map((principal) => choose(three, principal)?.index);
    assert.deepEqual(
      principals.map((principal) => choose(three, principal)?.index),
      before,
    );
    for (const index of [0, 1, 2]) assert.ok(before.filter((chosen) => chosen === index).length > 60, 'spread evenly enough');
    const during = principals.map((principal) => choose(without(1), principal)?.index);
    for (const [number, index] of before.entries())
      if (index === 1) assert.notEqual(during[number], 1);
      else assert.equal(during[number], index);
  });

  it('nobody there: nobody chosen', () => {
    for (const balance of ['round-robin', 'least-busy', 'sticky'] as const) assert.equal(balancer(balance)([], 'a'), undefined);
  });
});
