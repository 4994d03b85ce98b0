import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { InFlight } from '../../../daemon/protocol/in-flight.ts';
import type { RequestId } from '../../../daemon/protocol/message.ts';

const id: fc.Arbitrary<RequestId> = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer(),
  fc.constantFrom(1.5, 2 ** 40, '1', '1.5', '-3', '__proto__', 'constructor', ''),
  fc.string(),
);
const command = fc.oneof(
  fc.record({ do: fc.constant('set' as const), id, value: fc.integer() }),
  fc.record({ do: fc.constantFrom('delete' as const, 'get' as const, 'has' as const), id }),
  fc.record({ do: fc.constant('clear' as const), id }),
);

describe('what is in flight', () => {
  it('is kept as a Map keeps it', () => {
    const sorted = (entries: Iterable<readonly [RequestId, number]>): string[] =>
      [...entries].map((entry) => `${typeof entry[0]} ${JSON.stringify(entry)}`).sort();
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const model = new Map<RequestId, number>();
        const real = new InFlight<RequestId, number>();
        for (const each of commands) {
          if (each.do === 'set') {
            model.set(each.id, each.value);
            real.set(each.id, each.value);
          } else if (each.do === 'clear') {
            model.clear();
            real.clear();
          } else assert.equal(real[each.do](each.id), model[each.do](each.id), each.do);
          assert.equal(real.size, model.size);
        }
        assert.deepEqual(sorted(real), sorted(model));
        assert.deepEqual([...real.keys()].map(String).sort(), [...model.keys()].map(String).sort());
        assert.deepEqual([...real.values()].sort(), [...model.values()].sort());
      }),
    );
  });

  it('may be changed while it is gone through', () => {
    const real = new InFlight<RequestId, number>();
    for (let at = 0; at < 10; at++) real.set(at % 2 === 0 ? at : String(at), at);
    let seen = 0;
    for (const [each] of real) {
      seen++;
      real.delete(each);
      real.set(`new ${String(each)}`, 1);
    }
    assert.deepEqual([seen, real.size], [10, 10]);
  });
});
