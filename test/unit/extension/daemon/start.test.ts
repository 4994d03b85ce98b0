import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDocument, reportedError } from '../../../../extension/daemon/start.ts';

describe('what the command line prints', () => {
  it('is the whole document or its last line', () => {
    assert.deepEqual(parseDocument('{\n "a": 1\n}\n'), { a: 1 });
    assert.deepEqual(parseDocument('note\n{"a":1}\n'), { a: 1 });
    assert.equal(parseDocument('nothing'), undefined);
  });

  it('becomes the error it reports', () => {
    const shape = { code: 'SBX_NO_PORT', message: 'm', cause: 'c', fix: 'f' };
    assert.deepEqual(reportedError(shape)?.toJSON(), shape);
    assert.deepEqual(reportedError({ error: shape })?.toJSON(), shape);
    assert.equal(reportedError({ code: 'ENOENT', message: 'm' }), undefined);
  });
});
