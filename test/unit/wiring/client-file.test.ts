import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { bytesOf, readClientFile, replaceFile, textWith } from '../../../daemon/wiring/client-file.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sbx-json-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const conflict = { code: 'SBX_WIRE_CONFLICT' };

describe('compare and swap', () => {
  it('leaves a file alone that was written after it was read', () => {
    const file = join(dir, 'a.json');
    writeFileSync(file, '{}');
    const json = readClientFile(file, 'json');
    writeFileSync(file, '{"theirs":1}');
    assert.throws(() => replaceFile(json, bytesOf(json, textWith(json, ['ours'], 1)), 0o600), conflict);
    assert.throws(() => replaceFile(json, undefined, 0o600), conflict);
    assert.equal(readFileSync(file, 'utf8'), '{"theirs":1}');
    assert.deepEqual(readdirSync(dir), ['a.json'], 'no temporary file stays');
  });

  it('leaves a file alone that appeared after it was looked for', () => {
    const file = join(dir, 'a.json');
    const json = readClientFile(file, 'json');
    writeFileSync(file, '{"theirs":1}');
    assert.throws(() => replaceFile(json, bytesOf(json, textWith(json, ['ours'], 1)), 0o600), conflict);
    assert.equal(readFileSync(file, 'utf8'), '{"theirs":1}');
  });

  it('notices a file that was removed', () => {
    const file = join(dir, 'a.json');
    writeFileSync(file, '{}');
    const json = readClientFile(file, 'json');
    rmSync(file);
    assert.throws(() => replaceFile(json, bytesOf(json, '{"ours":1}'), 0o600), conflict);
    assert.equal(existsSync(file), false);
  });
});
