import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../../daemon/config/file.ts';
import { allRules } from '../../../daemon/config/redaction.ts';

describe('redaction in the configuration', () => {
  it('keeps the rules that can be used and says which cannot', () => {
    const { redaction, problems } = parseConfig(
      'config.jsonc',
      JSON.stringify({ redaction: { pointers: ['/params/a~1b', 'params'], fields: ['ssn', ''], patterns: ['a+', '(?=x)', '['] } }, null, 2),
    );
    assert.deepEqual(redaction, { pointers: ['/params/a~1b'], fields: ['ssn'], patterns: ['a+'] });
    assert.deepEqual(
      problems.map(({ path, code, line }) => [path, code, line > 1]),
      [
        ['redaction.pointers[1]', 'SBX_CONFIG_INVALID', true],
        ['redaction.fields[1]', 'SBX_CONFIG_INVALID', true],
        ['redaction.patterns[1]', 'SBX_CONFIG_INVALID', true],
        ['redaction.patterns[2]', 'SBX_CONFIG_INVALID', true],
      ],
    );
  });

  it('adds up over files', () => {
    assert.deepEqual(allRules([{ pointers: ['/a'], patterns: ['x'] }, {}, { pointers: ['/b', '/a'], fields: ['f'] }]), {
      pointers: ['/a', '/b'],
      fields: ['f'],
      patterns: ['x'],
    });
  });
});
