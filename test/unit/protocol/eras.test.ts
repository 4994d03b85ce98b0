import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { bridgeOutcome, decodeHeader, headerValue, META, withEnvelope, withoutEnvelope } from '../../../daemon/protocol/eras.ts';
import { checkMessage, idAtEdge, parseMessage } from '../../../daemon/protocol/message.ts';

const identity = { name: 'signalbox' };
const json = fc.dictionary(fc.string(), fc.jsonValue());

describe('the modern envelope', () => {
  it('comes off and leaves every other _meta key', () => {
    fc.assert(
      fc.property(json, json, (params, meta) => {
        const clean = { ...params, _meta: { ...meta, kept: 1 } };
        const dressed = withEnvelope(clean, identity, {});
        assert.deepEqual(withoutEnvelope(dressed), clean);
      }),
    );
  });
});

describe('header values', () => {
  it('carry any name and come back equal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const header = headerValue(name);
        assert.match(header, /^[\x20-\x7e]*$/);
        assert.equal(decodeHeader(header), name);
      }),
    );
  });
});

describe('bridging an outcome', () => {
  it('keeps every field the eras do not define', () => {
    fc.assert(
      fc.property(json, (fields) => {
        const { resultType: _r, ttlMs: _t, cacheScope: _c, _meta: _m, ...result } = fields;
        const there = bridgeOutcome({ result }, 'tools/list', 'legacy', 'modern', identity);
        const back = bridgeOutcome(there, 'tools/list', 'modern', 'legacy', identity);
        assert.deepEqual(back, { result: { ...result, _meta: { [META.serverInfo]: identity } } });
      }),
    );
  });

  it('leaves a question as it is: the router asks it, and knows it by its resultType', () => {
    const result = { resultType: 'input_required', inputRequests: { roots: { method: 'roots/list' } }, requestState: 'x' };
    assert.deepEqual(bridgeOutcome({ result }, 'tools/call', 'modern', 'legacy', identity), { result });
  });

  it('wraps structured content that is no object for a legacy client, a number JavaScript cannot hold among them', () => {
    for (const value of ['[1]', '9007199254740993', '-0', '"x"', 'null']) {
      const message = parseMessage(`{"jsonrpc":"2.0","id":1,"result":{"structuredContent":${value}}}`) as { result: object };
      const outcome = bridgeOutcome({ result: { ...message.result } }, 'tools/call', 'modern', 'legacy', identity);
      assert.equal(JSON.stringify(outcome), `{"result":{"structuredContent":{"result":${value}}}}`);
    }
  });

  it('turns "resource not found" into the modern code, and into no other', () => {
    const error = { code: -32002, message: 'no', data: { uri: 'x' } };
    assert.deepEqual(bridgeOutcome({ error }, 'resources/read', 'legacy', 'modern', identity), { error: { ...error, code: -32602 } });
    assert.deepEqual(bridgeOutcome({ error }, 'resources/read', 'legacy', 'legacy', identity), { error });
  });
});

describe('the envelope of a message', () => {
  it('is refused with a code, a cause and a fix when it is wrong', () => {
    const wrong = [
      '{',
      '[]',
      '[{"jsonrpc":"2.0","id":1,"method":"a"}]',
      '{"id":1,"method":"a"}',
      '{"jsonrpc":"2.0","id":null,"method":"a"}',
      '{"jsonrpc":"2.0","id":1}',
      '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}',
      '{"jsonrpc":"2.0","method":5}',
      '{"jsonrpc":"2.0","method":"a","params":[]}',
    ];
    for (const text of wrong)
      assert.throws(
        () => parseMessage(text),
        (error) => error instanceof SignalboxError && error.code === 'SBX_MESSAGE_INVALID' && error.why !== '' && error.fix !== '',
        text,
      );
  });

  it('is all that is checked: unknown members stay', () => {
    fc.assert(
      fc.property(json, (extra) => {
        const message = { ...extra, jsonrpc: '2.0', id: 1, method: 'any', params: extra };
        assert.equal(checkMessage(message), message);
      }),
    );
  });
});

describe('the id at the edge of a message too large to be read', () => {
  it('is found before or after the large member, and never inside it', () => {
    const big = 'x'.repeat(600);
    const cases: readonly [string, unknown][] = [
      [`{"jsonrpc":"2.0","id":7,"result":{"id":9,"text":"${big}"}}`, 7],
      [`{"result":{"id":9,"text":"${big}"},"jsonrpc":"2.0","id":"a b"}`, 'a b'],
      [`{"method":"tools/call","params":{"t":"${big}","id":9},"id":3,"jsonrpc":"2.0"}`, 3],
      [`{"result":{"text":"${big}","id":9}}`, undefined],
      [`{"result":{"id":9,"text":"${big}"}}`, undefined],
      [`{"jsonrpc":"2.0","result":{"text":"${big}},\\"id\\":5"}}`, undefined],
    ];
    for (const [text, id] of cases) assert.equal(idAtEdge(text.slice(0, 256), text.slice(-256)), id, text.slice(0, 40));
  });
});
