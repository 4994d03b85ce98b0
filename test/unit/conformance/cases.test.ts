/** Stored cases on disk, and which properties run and when. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Finding, Target } from '../../../daemon/api/conformance.ts';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { loadFinding, storedFindings, storeFinding } from '../../../daemon/conformance/cases.ts';
import { earlier, selected } from '../../../daemon/conformance/selection.ts';
import { surfaceOf } from '../../../daemon/conformance/surface.ts';
import { scrubber, withTokens } from '../../../daemon/conformance/tokens.ts';

const folder = mkdtempSync(join(tmpdir(), 'signalbox-cases-'));
after(() => rmSync(folder, { recursive: true }));

const finding = (id: string, target: Target): Finding => ({
  id,
  requirement: 'L-RPC-VERSION',
  level: 'MUST',
  severity: 'error',
  area: 'jsonrpc',
  statement: 's',
  specification: 'https://example.com',
  property: 'jsonrpc/x',
  era: 'legacy',
  transport: 'stdio',
  input: { a: 1 },
  expected: 'e',
  got: 'g',
  flaky: false,
  seed: 1,
  shrinks: 0,
  target,
  called: [],
  trace: [],
});
const at = (cwd: string): Target => ({ kind: 'stdio', command: 'node', args: ['server.js'], cwd });
const cwdOf = ({ target }: Finding): string | undefined => (target.kind === 'stdio' ? target.cwd : undefined);

describe('a stored case', () => {
  it('is found where the project is now: its working directory is relative to it', () => {
    storeFinding(folder, finding('0000000001', at(folder)));
    const file = storeFinding(folder, finding('0000000002', at(join(folder, 'packages', 'one'))));
    storeFinding(folder, finding('0000000003', at(tmpdir())));
    assert.doesNotMatch(readFileSync(file, 'utf8'), new RegExp(folder));
    const moved = `${folder}-moved`;
    cpSync(folder, moved, { recursive: true });
    try {
      assert.equal(cwdOf(loadFinding(moved, '0000000001')), moved);
      assert.equal(cwdOf(loadFinding('/', join(moved, '.signalbox', 'conformance', '0000000002.json'))), join(moved, 'packages', 'one'));
      assert.equal(cwdOf(loadFinding(moved, '0000000003')), tmpdir());
    } finally {
      rmSync(moved, { recursive: true });
    }
  });

  it('is named by the beginning of its id when that is one, and says what is wrong otherwise', () => {
    const refused = (id: string, text: RegExp): void =>
      assert.throws(
        () => loadFinding(folder, id),
        (error: unknown) => error instanceof SignalboxError && error.code === 'SBX_CONFORM_CASE' && text.test(error.message),
      );
    assert.equal(loadFinding(folder, '0000000002').id, '0000000002');
    refused('00', /more than one/);
    refused('f', /no stored case/);
    const bad = join(folder, '.signalbox', 'conformance', 'eeeeeeeeee.json');
    writeFileSync(bad, '{');
    refused('e', /cannot be read/);
    writeFileSync(bad, '{"finding": {}}');
    refused('e', /is no stored case/);
    // what cannot be read is left out of the list, and other files are no cases
    writeFileSync(join(folder, '.signalbox', 'conformance', 'notes.json'), '{}');
    assert.deepEqual(
      storedFindings(folder)
        .map(({ id }) => id)
        .sort(),
      ['0000000001', '0000000002', '0000000003'],
    );
    assert.deepEqual(storedFindings(join(folder, 'nothing')), []);
  });
});

describe('the choice of properties', () => {
  const names = (only: string | readonly string[] | undefined): readonly string[] => selected(only).map(({ name }) => name);
  it('takes whole names for one, parts for many, ids for those that look at them', () => {
    assert.deepEqual(names('tools/invalid-arguments'), ['tools/invalid-arguments']);
    assert.ok(names('tools/').length > 3);
    assert.deepEqual(names(['L-TOOL-UNKNOWN']), names(['M-TOOL-UNKNOWN']));
    assert.deepEqual(
      new Set(names(['lifecycle/handshake', 'tools/invalid-arguments'])),
      new Set(['lifecycle/handshake', 'tools/invalid-arguments']),
    );
    assert.deepEqual(names(['no such thing']), []);
    assert.ok(names(undefined).length > 60);
  });

  it('puts first what failed and the areas that are not as they were', () => {
    const lists = { tools: [{ name: 'a' }], resources: [{ uri: 'x' }] };
    const before = surfaceOf({ capabilities: { tools: {} } }, lists);
    const after = surfaceOf({ capabilities: { tools: {} } }, { ...lists, tools: [{ name: 'b' }] });
    assert.deepEqual(
      Object.keys(before).filter((area) => before[area] !== after[area]),
      ['tools'],
    );
    const first = earlier(selected(undefined), { properties: ['resources/read'], surface: before }, after);
    assert.ok(first.has('resources/read') && first.has('tools/invalid-arguments'));
    assert.ok(!first.has('prompts/get'));
    assert.equal(earlier(selected(undefined), undefined, after).size, 0);
    const changed = surfaceOf({ capabilities: {} }, lists);
    assert.ok(earlier(selected(undefined), { properties: [], surface: before }, changed).has('lifecycle/handshake'));
  });
});

describe('credentials', () => {
  it('are taken out of every text, in a header, a body and a query string, and nothing else is', () => {
    const target = withTokens(
      {
        kind: 'http',
        url: 'http://127.0.0.1/mcp',
        headers: { Authorization: 'Bearer one/two==', 'X-Api-Key': 'key-123456', Accept: 'application/json' },
      },
      { second: 'three-four' },
    );
    assert.equal(target.kind === 'http' ? target.tokens?.valid : undefined, 'one/two==');
    const seen = scrubber(target)({
      text: 'Bearer one/two== and key-123456',
      list: ['?access_token=one%2Ftwo%3D%3D', { deep: 'three-four', plain: 'application/json' }],
      count: 3,
    });
    assert.doesNotMatch(JSON.stringify(seen), /one\/two|one%2Ftwo|three-four|key-123456/);
    assert.deepEqual(seen.count, 3);
    assert.match(JSON.stringify(seen), /application\/json/);
  });
});
