import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { declaredParameters, mirroredValue, parameterFault } from '../../../daemon/protocol/param-headers.ts';

const schema = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    where: { type: 'object', properties: { platform: { type: 'integer', 'x-mcp-header': 'Platform' } } },
    any: { 'x-mcp-header': 'Any' },
    bad: { type: 'string', 'x-mcp-header': 'no header' },
  },
};
const declared = declaredParameters(schema);
const fault = (args: object, headers: Record<string, string>): unknown => parameterFault(declared, args, headers)?.data;

describe('parameters that are headers too', () => {
  it('are declared along properties, with a primitive type and a name a header may have', () => {
    assert.deepEqual(declared, [
      { path: ['region'], header: 'Region' },
      { path: ['where', 'platform'], header: 'Platform' },
    ]);
    assert.deepEqual(
      declared.map((parameter) => mirroredValue(parameter, { region: 'north', where: { platform: 9 } })),
      ['north', '9'],
    );
  });

  it('agree with their headers as text, in base64 or as a number', () => {
    assert.equal(fault({ region: 'Hello' }, { 'mcp-param-region': ' Hello ' }), undefined);
    assert.equal(fault({ region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVsbG8=?=' }), undefined);
    assert.equal(fault({ region: 'SGVsbG8=' }, { 'mcp-param-region': 'SGVsbG8=' }), undefined);
    assert.equal(fault({ where: { platform: 42 } }, { 'mcp-param-platform': '42.0' }), undefined);
    assert.equal(fault({}, { 'mcp-param-region': 'nobody asks' }), undefined);
  });

  it('are refused when they do not', () => {
    const mismatch = { mismatch: { header: 'Mcp-Param-Region', body: 'region' } };
    assert.deepEqual(fault({ region: 'Hello' }, {}), mismatch);
    assert.deepEqual(fault({ region: 'Hello' }, { 'mcp-param-region': 'hello' }), mismatch);
    assert.deepEqual(fault({ region: '42' }, { 'mcp-param-region': '42.0' }), mismatch);
    assert.deepEqual(fault({ region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVsbG8?=' }), mismatch);
    assert.deepEqual(fault({ region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVs!!!bG8=?=' }), mismatch);
  });
});
