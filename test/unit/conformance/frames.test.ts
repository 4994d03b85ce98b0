/** Rules of single frames, each with one that keeps it and one that breaks it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readFrame } from '../../../daemon/conformance/engine/frame-rules.ts';
import { Judge } from '../../../daemon/conformance/engine/judge.ts';
import { keyOf, Model } from '../../../daemon/conformance/engine/model.ts';
import { validValues } from '../../../daemon/conformance/generators/schema.ts';
import { fullSample } from '../../../daemon/conformance/properties/calling.ts';

/** A connection on which these ids are asked for and not yet answered. */
function asking(ids: readonly unknown[], era: 'legacy' | 'modern' = 'legacy', method = 'tools/call'): Model {
  const model = new Model(new Judge(era, 'stdio', new Map()), {});
  for (const id of ids)
    model.requests.set(keyOf(id), {
      id,
      method,
      params: {},
      wellFormed: true,
      provoked: false,
      channel: 'out',
      answers: 0,
      cancelled: false,
    });
  return model;
}

const read = (model: Model, value: object): ReturnType<typeof readFrame> =>
  readFrame(model, { text: JSON.stringify(value), value: { jsonrpc: '2.0', ...value }, channel: 'out' });
const broken = (model: Model): readonly string[] => [...new Set(model.judge.violations.map(({ id }) => id))];
const done = { content: [{ type: 'text', text: 'done' }] };

describe('frames', () => {
  it('an id whose type was changed answers its request, also when there is another of that id', () => {
    const model = asking([7, '7', 8]);
    read(model, { id: 7, result: done });
    assert.deepEqual(broken(model), []);
    const reading = read(model, { id: 7, result: done });
    assert.deepEqual(broken(model), ['L-RPC-ID-ECHO']);
    assert.equal(reading.kind === 'response' ? reading.asked?.id : undefined, '7');
  });

  it('errors without an id belong to the requests that are left when the others are answered', () => {
    const model = asking([1, 2, 3]);
    for (const message of ['one', 'other']) read(model, { id: null, error: { code: -32602, message } });
    assert.deepEqual([...new Set(broken(model))], ['L-RPC-ERR-ID']);
    assert.deepEqual(model.settled(), []);
    read(model, { id: 2, result: { content: [] } });
    assert.deepEqual(
      model.settled().map(([{ id }, { error }]) => [id, (error as { message: string }).message]),
      [
        [1, 'one'],
        [3, 'other'],
      ],
    );
    assert.deepEqual(model.open(), []);
  });

  it('an error without an id is the answer of the only request that waits', () => {
    const model = asking([1]);
    const reading = read(model, { id: null, error: { code: -32602, message: 'no' } });
    assert.equal(reading.kind === 'response' ? reading.asked?.id : undefined, 1);
  });

  it('a stack trace in the error of a tool is told', () => {
    const model = asking([1, 2]);
    read(model, { id: 1, result: { content: [{ type: 'text', text: 'It failed' }], isError: true } });
    assert.deepEqual(broken(model), []);
    read(model, { id: 2, result: { content: [{ type: 'text', text: 'Error: x\n    at run (/a/b.js:1:2)' }], isError: true } });
    assert.deepEqual(broken(model), ['L-ROB-NO-LEAK']);
  });

  it('a trace context has its format', () => {
    const model = asking([1, 2], 'modern');
    const notice = (traceparent: string): object => ({
      method: 'notifications/progress',
      params: { progressToken: 1, progress: 1, _meta: { traceparent } },
    });
    const told = (): boolean => broken(model).includes('M-OTEL-FORMAT');
    read(model, notice('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'));
    assert.equal(told(), false);
    read(model, notice('nonsense'));
    assert.equal(told(), true);
  });
});

describe('the sample with everything', () => {
  it('has nothing empty that could be full', () => {
    const inputSchema = {
      type: 'object',
      properties: { tags: { type: 'array', items: { type: 'string', pattern: '^[a-z]+$' }, uniqueItems: true } },
    };
    const sample = fullSample({ name: 'x', definition: { inputSchema }, values: validValues(inputSchema), sample: {} });
    assert.ok(JSON.stringify(sample).includes('["'), JSON.stringify(sample));
  });
});
