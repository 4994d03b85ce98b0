import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERROR_CODES, errorFromShape, errorShape, SignalboxError } from '../../../daemon/api/errors.ts';

const DOCUMENT = readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8');
const sections = DOCUMENT.split(/^### /m).slice(1);

test('docs/errors.md has one section for every code of the catalogue, and no other', () => {
  const documented = sections.map((section) => section.slice(0, section.indexOf('\n')).trim());
  assert.deepEqual(documented.toSorted(), Object.keys(ERROR_CODES).toSorted());
});

test('every section says what it means, the usual cause and the fix', () => {
  for (const section of sections) assert.match(section, /^SBX_\w+\n\n\S.+\n\n\* \*\*Usual cause:\*\* \S.+\n\* \*\*Fix:\*\* \S.+\n/);
});

test('an error survives the wire', () => {
  const error = new SignalboxError('SBX_USAGE', 'No verb.', { why: 'None was given.', fix: 'Give one.' });
  const back = errorFromShape(JSON.parse(JSON.stringify(error)));
  assert.deepEqual(errorShape(back), { code: 'SBX_USAGE', message: 'No verb.', cause: 'None was given.', fix: 'Give one.' });
});

test('what is not ours becomes SBX_INTERNAL and keeps its message', () => {
  assert.equal(errorShape(new Error('boom')).code, 'SBX_INTERNAL');
  assert.equal(errorShape(new Error('boom')).cause, 'boom');
  assert.equal(errorShape('text').cause, 'text');
});
