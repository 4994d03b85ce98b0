/** The era of a POST: our own rules against those of the SDK's server package, over generated requests and headers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classifyInboundRequest } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { META } from '../../../daemon/protocol/eras.ts';
import { inboundRoute } from '../../../daemon/protocol/inbound.ts';
import type { Message } from '../../../daemon/protocol/message.ts';

const VERSIONS = ['2026-07-28', '2025-11-25', '2030-01-01', ' 2026-07-28 '];
const METHODS = ['initialize', 'tools/call', 'tools/list', 'resources/read', 'notifications/cancelled'];

/** Mostly what is right, sometimes what is wrong, sometimes nothing. */
function value<T>(right: T, ...others: unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 6, arbitrary: fc.constant(right as unknown) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
}
const meta = fc.record(
  {
    [META.version]: value('2026-07-28', '2025-11-25', '2030-01-01', 7, null),
    [META.clientCapabilities]: value({}, 'none', null, []),
    [META.clientInfo]: value({ name: 'c', version: '1' }, { name: 'c' }, 'c'),
    [META.logLevel]: value('info', 'loud', 3),
    progressToken: fc.constantFrom('p', 5), // the SDK refuses others with its schema; we pass them on
    'x.example/own': fc.anything({ maxDepth: 1 }),
  },
  { requiredKeys: [] },
);
const params = fc.record({ name: fc.constant('a__b'), uri: fc.constant('x://ü'), _meta: meta }, { requiredKeys: [] });
const message = fc.oneof(
  fc.record(
    { jsonrpc: fc.constant('2.0'), id: fc.constant(1), method: fc.constantFrom(...METHODS), params },
    { requiredKeys: ['jsonrpc', 'id', 'method'] },
  ),
  fc.record({ jsonrpc: fc.constant('2.0'), method: fc.constantFrom(...METHODS), params }, { requiredKeys: ['jsonrpc', 'method'] }),
  fc.constant({ jsonrpc: '2.0', id: 1, result: {} }),
  fc.constant({ jsonrpc: '2.0', id: 1, error: { code: -1, message: '' } }),
);
const headers = fc.record(
  {
    version: fc.constantFrom(...VERSIONS),
    method: fc.constantFrom(...METHODS),
    name: fc.constantFrom('a__b', '=?base64?eDovL8O8?=', 'other'),
  },
  { requiredKeys: [] },
);

test('a message goes where the SDK would send it, or is refused with the same code', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(message, headers, (body, { version, method, name }) => {
      const theirs = classifyInboundRequest({
        httpMethod: 'POST',
        body,
        ...(version === undefined ? {} : { protocolVersionHeader: version }),
        ...(method === undefined ? {} : { mcpMethodHeader: method }),
        ...(name === undefined ? {} : { mcpNameHeader: name }),
      });
      const ours = inboundRoute(body as Message, { version, method, name });
      const label = `${theirs.kind} ${ours.kind}`;
      seen.set(label, (seen.get(label) ?? 0) + 1);
      if (ours.kind === 'refused' && theirs.kind === 'modern') {
        // What the SDK checks in a second step: the headers a request must have.
        assert.equal(ours.code, -32020);
        assert.ok(version === undefined || method === undefined || name !== undefined || /Mcp-Name is missing/.test(ours.why), ours.why);
      } else if (ours.kind === 'refused') {
        assert.ok(theirs.kind !== 'legacy' && theirs.kind !== 'modern', label);
        assert.equal(ours.code, theirs.code, ours.why);
      } else {
        assert.equal(ours.kind, theirs.kind);
        if (ours.kind === 'modern' && theirs.kind === 'modern') assert.equal(ours.revision, theirs.classification.revision);
      }
    }),
    { numRuns: 5000, seed: 20260728 },
  );
  for (const label of ['legacy legacy', 'modern modern', 'modern refused']) assert.ok((seen.get(label) ?? 0) > 50, `${label} was tried`);
});

test('the name in a header is compared decoded, and required where the body has one', () => {
  const request = (uri: string): Message => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'resources/read',
    params: { uri, _meta: { [META.version]: '2026-07-28', [META.clientCapabilities]: {} } },
  });
  const of = (uri: string, name?: string) => inboundRoute(request(uri), { version: '2026-07-28', method: 'resources/read', name });
  assert.equal(of('x://ü', '=?base64?eDovL8O8?=').kind, 'modern');
  assert.equal(of('x://u', ' x://u ').kind, 'modern');
  assert.deepEqual(of('x://u'), { kind: 'refused', code: -32020, why: 'Mcp-Name is missing, the body says "x://u".' });
  assert.deepEqual(of('x://u', '=?base64?%%?='), {
    kind: 'refused',
    code: -32020,
    why: 'Mcp-Name is "=?base64?%%?=", the body says "x://u".',
  });
  assert.deepEqual(of('x://u', 'x://v'), { kind: 'refused', code: -32020, why: 'Mcp-Name is "x://v", the body says "x://u".' });
});
