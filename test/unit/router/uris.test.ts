import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { exposedUri, originalUri } from '../../../daemon/router/names.ts';
import { exposeUris } from '../../../daemon/router/uris.ts';

const aliases = new Map([['a://x', 'a://two/r/YTovL3g']]);
const link = (uri: string) => ({ type: 'resource_link', uri, name: 'n', 'x-kept': 1 });
const embedded = (uri: string) => ({ type: 'resource', resource: { uri, text: 'a://x is not touched in texts' }, annotations: {} });

describe('URIs inside results', () => {
  it('are as exposed wherever the specification puts one, and nothing else changes', () => {
    const result = (uri: string) => ({
      content: [link(uri), embedded(uri), { type: 'text', text: 'a://x' }, link('a://other')],
      contents: [{ uri, text: '' }, { uri: 'a://other' }],
      messages: [
        { role: 'user', content: embedded(uri) },
        { role: 'user', content: [link(uri)] },
        { role: 'user', content: { type: 'text', text: 'a://x' } },
        null,
      ],
      structuredContent: { uri: 'a://x' },
      _meta: { uri: 'a://x' },
    });
    assert.deepEqual(exposeUris(result('a://x'), aliases), result('a://two/r/YTovL3g'));
  });

  it('the very same object comes back when there is nothing to do', () => {
    for (const result of [{ content: [link('a://other')] }, { contents: 'x' }, {}, { content: [null, 7, { type: 'resource' }] }])
      assert.equal(exposeUris(result, aliases), result);
    const result = { content: [link('a://x')] };
    assert.equal(exposeUris(result, undefined), result);
    assert.equal(exposeUris(result, new Map()), result);
  });
});

describe('exposed URIs', () => {
  it('lead back to what they were made from; others do not', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z0-9-]{0,11}$/), fc.oneof(fc.webUrl(), fc.string({ minLength: 1 })), (alias, uri) => {
        fc.pre(Buffer.from(uri, 'utf8').toString('utf8') === uri);
        assert.deepEqual(originalUri(exposedUri(alias, uri)), { alias, uri });
      }),
    );
    for (const uri of ['a://x', 'https://two/r/', 'https://two/r/!!', 'http://two/r/YTovL3g', 'a://two/r/YTovL3h='])
      assert.equal(originalUri(uri), undefined, uri);
  });
});
