/** Kept sessions: whose they are, how long they last. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionState } from '../../../daemon/endpoints/session.ts';
import { SESSION_IDLE_MS, SessionStore } from '../../../daemon/endpoints/session-store.ts';
import { openStateStore } from '../../../daemon/state/state-store.ts';

const state: SessionState = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: {}, initialized: true, subscribed: ['a://b'] };

test('only the client and the endpoint a session was opened with find it', () => {
  const store = new SessionStore(openStateStore(':memory:'));
  store.keep('id', 'claude', '/mcp/default', state);
  assert.deepEqual(store.find('id', 'claude', '/mcp/default')?.state, state);
  assert.equal(store.find('id', 'other', '/mcp/default'), undefined);
  assert.equal(store.find('id', 'claude', '/mcp/other'), undefined);
  assert.equal(store.find('other', 'claude', '/mcp/default'), undefined);
  store.remove('id');
  assert.equal(store.find('id', 'claude', '/mcp/default'), undefined);
});

test('an hour unused is the end; a use now and then is noted, a change of state keeps when it began', () => {
  let now = 1_000_000_000_000;
  const rows = openStateStore(':memory:');
  const store = new SessionStore(rows, () => now);
  for (const id of ['used', 'unused', 'alive']) store.keep(id, 'c', '/mcp/e', state);
  const began = now;
  now += SESSION_IDLE_MS / 2;
  store.used('used');
  store.used('never kept');
  now += SESSION_IDLE_MS / 2 + 1;
  store.sweep((id) => id === 'alive');
  assert.deepEqual(
    rows.entries('sessions').map(([id]) => id),
    ['alive', 'used'],
  );
  assert.equal(store.find('alive', 'c', '/mcp/e'), undefined, 'too old to be taken up again');
  store.keep('used', 'c', '/mcp/e', { ...state, level: 'error' });
  assert.deepEqual(store.find('used', 'c', '/mcp/e'), {
    client: 'c',
    path: '/mcp/e',
    state: { ...state, level: 'error' },
    createdAt: began,
    usedAt: now,
  });
});
