import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verdictOn } from '../../../../daemon/sessions/replay-client/safety.ts';

/** What becomes of a call, by what the recording and the live server say of the tool. */
async function fate(
  recorded: boolean | undefined,
  live: boolean | undefined,
  more: { allowWrites?: boolean; allow?: string[]; method?: string } = {},
): Promise<string> {
  const { allowWrites = false, allow = [], method = 'tools/call' } = more;
  const permissions = { allowWrites, allow, recorded: () => recorded, live: async () => live };
  const verdict = await verdictOn(method, { name: 'tool' }, permissions);
  return verdict.send ? 'sent' : verdict.kind;
}

test('a call is sent only when both sides say that the tool only reads', async () => {
  const table = [
    [true, true, 'sent'],
    [undefined, true, 'sent'],
    [false, true, 'skipped'],
    [true, false, 'skipped'],
    [undefined, false, 'skipped'],
    [false, false, 'skipped'],
    [undefined, undefined, 'skipped'],
    [false, undefined, 'skipped'],
    [true, undefined, 'missing'],
  ] as const;
  for (const [recorded, live, expected] of table) assert.equal(await fate(recorded, live), expected, `${recorded} ${live}`);
});

test('writes that are allowed, all or by name, are sent', async () => {
  assert.equal(await fate(false, false, { allowWrites: true }), 'sent');
  assert.equal(await fate(false, undefined, { allow: ['to*'] }), 'sent');
  assert.equal(await fate(false, undefined, { allow: ['other'] }), 'skipped');
});

test('what reads is sent, what nobody knows is not', async () => {
  for (const method of ['tools/list', 'resources/read', 'prompts/get', 'completion/complete', 'server/discover', 'ping', 'tasks/cancel'])
    assert.equal(await fate(undefined, undefined, { method }), 'sent', method);
  for (const method of ['x-vendor/write', 'resources/write', 'TOOLS/LIST', 'toString'])
    assert.equal(await fate(true, true, { method }), 'skipped', method);
});
