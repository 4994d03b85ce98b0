import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { readRuntimeFile, removeRuntimeFile, writeRuntimeFile } from '../../../daemon/lifecycle/runtime-file.ts';
import { temporaryPaths } from './fixtures/processes.ts';

const runtime = { pid: 42, port: 12345, controlToken: 'mine', protocol: [1, 1] as const, version: '1', build: 'b', startedAt: 'now' };

test('only its owner reads it, and nothing temporary stays', (t) => {
  const paths = temporaryPaths(t);
  assert.equal(readRuntimeFile(paths), undefined);
  writeRuntimeFile(paths, runtime);
  assert.deepEqual(readRuntimeFile(paths), runtime);
  assert.equal(statSync(paths.runtimeFile).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(paths.stateDir), ['runtime.json']);
});

test('removed only by whom it names', (t) => {
  const paths = temporaryPaths(t);
  writeRuntimeFile(paths, runtime);
  assert.equal(removeRuntimeFile(paths, { pid: 43, controlToken: 'mine' }), false);
  assert.equal(removeRuntimeFile(paths, { pid: 42, controlToken: 'of the successor with a recycled pid' }), false);
  assert.deepEqual(readRuntimeFile(paths), runtime);
  assert.equal(removeRuntimeFile(paths, runtime), true);
  assert.equal(readRuntimeFile(paths), undefined);
  assert.equal(removeRuntimeFile(paths, runtime), false);
});

test('a torn file is none', (t) => {
  const paths = temporaryPaths(t);
  writeRuntimeFile(paths, runtime);
  writeFileSync(paths.runtimeFile, '{"pid": 42,');
  assert.equal(readRuntimeFile(paths), undefined);
});
