/** The requests under way: whatever comes and goes in whatever order, exactly those are there that came and did not go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ModernCall, ModernCalls } from '../../../daemon/endpoints/modern-call.ts';

test('calls come and go in any order', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat({ max: 20 })), { maxLength: 60 }), (steps) => {
      const calls = new ModernCalls();
      const there: ModernCall[] = [];
      for (const step of steps) {
        if (step === null || there.length === 0) {
          const call = new ModernCall({ jsonrpc: '2.0', id: 1, method: 'ping' }, undefined as never);
          calls.add(call);
          there.push(call);
        } else {
          const [gone] = there.splice(step % there.length, 1);
          if (gone !== undefined) calls.remove(gone);
        }
        assert.equal(calls.size, there.length);
        assert.deepEqual(new Set(calls.all()), new Set(there));
      }
    }),
  );
});
