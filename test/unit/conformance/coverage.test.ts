import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { isImplemented, unimplementedReason } from '../../../daemon/conformance/coverage.ts';
import { PROPERTIES } from '../../../daemon/conformance/properties/properties.ts';
import { REQUIREMENTS } from '../../../daemon/conformance/requirements.ts';

const ROOT = new URL('../../../daemon/conformance/', import.meta.url);
const SOURCES = globSync('{engine,properties,transports}/*.ts', { cwd: ROOT }).map((file) => readFileSync(new URL(file, ROOT), 'utf8'));

/** Quoted places of a stem other than the lists of stems. */
function checkedIn(stem: string): boolean {
  // stems put together from a list's name: `${stem}-CAP`
  if (/^(?:TOOL|RES|PRM)-(?:CAP|LIST-SERVED|LIST-NO-VARY|LISTCHANGED)$/.test(stem)) return true;
  return SOURCES.some((text) => text.replaceAll(/(?:stems:|_STEMS =|STEMS =) \[[^\]]*\]/g, '').includes(`'${stem}'`));
}

describe('every requirement is accounted for', () => {
  it('has 564, each with a property or a reason', (t) => {
    assert.equal(REQUIREMENTS.length, 564);
    for (const requirement of REQUIREMENTS)
      assert.equal(isImplemented(requirement), unimplementedReason(requirement) === undefined, requirement.id);
    const implemented = REQUIREMENTS.filter(isImplemented);
    t.diagnostic(
      `implemented: ${implemented.length} of 564; of blackbox ${implemented.filter(({ testability }) => testability === 'blackbox').length} of ${REQUIREMENTS.filter(({ testability }) => testability === 'blackbox').length}`,
    );
  });

  it('says of no property that it looks at what it never checks', () => {
    const stems = [...new Set(PROPERTIES.flatMap((property) => property.stems))];
    assert.deepEqual(
      stems.filter((stem) => !REQUIREMENTS.some(({ id }) => id.slice(2) === stem)),
      [],
    );
    assert.deepEqual(
      stems.filter((stem) => !checkedIn(stem)),
      [],
    );
  });

  it('names every property once', () => {
    const names = PROPERTIES.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
  });
});
