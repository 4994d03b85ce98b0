import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readLines } from '../../../daemon/protocol/lines.ts';

describe('lines of a stream', () => {
  it('end with a line feed only, however the bytes are cut', async () => {
    // JSON.stringify writes U+2028 as it is; node:readline ended the line there and a conformance run died of it.
    const line = fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\u2028', '\u2029', '\u0085', '\v', ' ') });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        async (lines, cuts) => {
          const input = new PassThrough();
          const heard: string[] = [];
          const reader = readLines(input, (each) => heard.push(each));
          const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(''));
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const next = at + (cuts[turn % cuts.length] ?? 1);
            input.write(bytes.subarray(at, next));
            at = next;
          }
          input.end();
          await reader.closed;
          assert.deepEqual(heard, lines);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('may end without one, and with a carriage return before it', async () => {
    const input = new PassThrough();
    const heard: string[] = [];
    const reader = readLines(input, (each) => heard.push(each));
    input.end('one\r\ntwo');
    await reader.closed;
    assert.deepEqual(heard, ['one', 'two']);
  });

  it('are told no more once it is closed', async () => {
    const input = new PassThrough();
    const heard: string[] = [];
    const reader = readLines(input, (each) => {
      heard.push(each);
      reader.close();
    });
    input.end('one\ntwo\n');
    await reader.closed;
    assert.deepEqual(heard, ['one']);
  });
});
