import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CODES, type ErrorCode, SignalboxError } from '../../../daemon/api/errors.ts';
import { fromFallback, mayFallBack } from '../../../daemon/router/fallback.ts';

const failure = (code: ErrorCode, cause?: unknown): SignalboxError => new SignalboxError(code, 'm', { why: 'w', fix: 'f', cause });

test('before anything was sent a server that is down may be stood in for; a limit, a refusal or a cancellation is none', () => {
  for (const code of [
    'SBX_SERVER_UNREACHABLE',
    'SBX_SERVER_COMMAND',
    'SBX_SERVER_EXITED',
    'SBX_CIRCUIT_OPEN',
    'SBX_SERVER_DISABLED',
  ] as const)
    assert.equal(mayFallBack(failure(code), false), true, code);
  for (const code of [
    'SBX_BUSY',
    'SBX_RATE_LIMITED',
    'SBX_FEDERATION_LOOP',
    'SBX_DEFINITION_CHANGED',
    'SBX_CALL_INTERRUPTED',
    'SBX_INTERNAL',
  ] as const)
    assert.equal(mayFallBack(failure(code), false), false, code);
  assert.equal(mayFallBack(new DOMException('gone', 'AbortError'), false), false);
});

test('after that only a connection that was never made allows it, whatever the code', () => {
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) assert.equal(mayFallBack(failure(code), true), false, code);
  assert.equal(mayFallBack(failure('SBX_SERVER_UNREACHABLE', { code: 'ECONNREFUSED' }), true), true);
  assert.equal(mayFallBack(failure('SBX_SERVER_UNREACHABLE', { code: 'ECONNRESET' }), true), false);
  assert.equal(mayFallBack(failure('SBX_SERVER_TIMEOUT', { code: 'ECONNREFUSED' }), true), false);
});

test('the answer names who gave it and is otherwise as it was', () => {
  assert.deepEqual(fromFallback({ result: { content: [], 'x-kept': 1, _meta: { a: 1 } } }, 'mirror'), {
    result: { content: [], 'x-kept': 1, _meta: { a: 1, 'dev.signalbox/fallback': { server: 'mirror' } } },
  });
  const error = { error: { code: -32602, message: 'no' } };
  assert.equal(fromFallback(error, 'mirror'), error);
});
