import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EventStreamReader } from '../../../daemon/upstreams/event-stream.ts';
import { LineFramer } from '../../../daemon/upstreams/framing.ts';

/** The bytes cut at the given places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

describe('LineFramer', () => {
  it('gives the same lines however the stream is cut, within characters too', () => {
    fc.assert(
      fc.property(fc.array(fc.json()), fc.array(fc.nat()), (messages, cuts) => {
        const seen: string[] = [];
        const framer = new LineFramer(
          1e6,
          (line) => seen.push(line.toString()),
          (bytes) => assert.fail(`${bytes} bytes were dropped`),
        );
        for (const piece of pieces(Buffer.from(messages.map((message) => `${message}\n`).join('')), cuts)) framer.push(piece);
        assert.deepEqual(seen, messages);
      }),
    );
  });

  it('drops a line over the limit as a whole, says so once, and goes on', () => {
    const seen: string[] = [];
    const over: number[] = [];
    const framer = new LineFramer(
      10,
      (line) => seen.push(line.toString()),
      (bytes) => over.push(bytes),
    );
    for (let i = 0; i < 100; i++) framer.push(Buffer.from('xxxxx'));
    framer.push(Buffer.from('\nnext\r\n'));
    assert.deepEqual([seen, over], [['next'], [500]]);
  });
});

describe('LineFramer at the edges', () => {
  it('copies no byte of a line that came in one chunk', () => {
    const chunk = Buffer.from('one\r\ntwo\nthr');
    const lines: Buffer[] = [];
    const framer = new LineFramer(
      100,
      (line) => lines.push(line),
      (bytes) => assert.fail(String(bytes)),
    );
    framer.push(chunk);
    framer.push(Buffer.from('ee\n'));
    assert.deepEqual(lines.map(String), ['one', 'two', 'three']);
    assert.deepEqual(
      lines.slice(0, 2).map(({ buffer, byteOffset }) => [buffer === chunk.buffer, byteOffset - chunk.byteOffset]),
      [
        [true, 0],
        [true, 5],
      ],
    );
  });

  it('keeps both edges of a line it drops, however it was cut', () => {
    const line = `{"id":1,${'y'.repeat(2000)},"end":2}`;
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        const edges: string[] = [];
        const framer = new LineFramer(
          100,
          () => assert.fail(),
          (bytes, head, tail) => edges.push(String(bytes), head, tail),
        );
        for (const piece of pieces(Buffer.from(`${line}\n`), cuts)) framer.push(piece);
        assert.equal(edges[0], String(line.length));
        assert.ok(line.startsWith(edges[1] ?? '-') && (edges[1] ?? '').length >= 100);
        assert.ok(line.endsWith(edges[2] ?? '-') && (edges[2] ?? '').length > 0);
      }),
    );
  });

  it('gives the last line of a stream that ends without a newline', () => {
    const seen: string[] = [];
    const framer = new LineFramer(
      100,
      (line) => seen.push(line.toString()),
      (bytes) => assert.fail(String(bytes)),
    );
    framer.push(Buffer.from('one\ntwo'));
    framer.end();
    framer.end();
    assert.deepEqual(seen, ['one', 'two']);
  });
});

describe('EventStreamReader', () => {
  const read = (chunks: readonly Buffer[], limit = 1e6): { events: object[]; over: number[] } => {
    const events: object[] = [];
    const over: number[] = [];
    const reader = new EventStreamReader(
      limit,
      ({ data, ...rest }) => events.push({ data: data.toString(), ...rest }),
      (bytes) => over.push(bytes),
    );
    for (const chunk of chunks) reader.push(chunk);
    return { events, over };
  };

  it('joins data lines, passes comments over and keeps the id, however the stream is cut', () => {
    const stream = Buffer.from(
      ': hello\r\n\r\nevent: message\r\nid: 7\r\ndata: {"a":\r\ndata: "ü"}\r\n\r\ndata:tight\n\nid: 8\nretry: 250\ndata\n\nretry: soon\ndata: a:b\n\n',
    );
    const expected = [
      { data: '{"a":\n"ü"}', type: 'message', id: '7' },
      { data: 'tight', id: '7' },
      { data: '', id: '8', retry: 250 },
      { data: 'a:b', id: '8' },
    ];
    fc.assert(fc.property(fc.array(fc.nat()), (cuts) => assert.deepEqual(read(pieces(stream, cuts)), { events: expected, over: [] })));
    assert.deepEqual(read([...stream].map((byte) => Buffer.from([byte]))).events, expected);
  });

  it('leaves out an event over the limit and goes on', () => {
    assert.deepEqual(read([Buffer.from(`data: ${'x'.repeat(50)}\n\ndata: next\n\n`)], 20), { events: [{ data: 'next' }], over: [56] });
  });
});
