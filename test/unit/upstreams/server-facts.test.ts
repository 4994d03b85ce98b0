import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openStateStore } from '../../../daemon/state/state-store.ts';
import { ServerFacts } from '../../../daemon/upstreams/server-facts.ts';

const HOUR = 3_600_000;

describe('ServerFacts', () => {
  it('keeps verdicts for a day over a restart; then they are stale, not forgotten', (t) => {
    const store = openStateStore(':memory:');
    t.after(() => store.close());
    let now = 0;
    const open = (): ServerFacts => new ServerFacts(store, 'key', () => now);
    assert.equal(open().verdict('modern'), undefined);
    open().learn('modern', false);
    now = 24 * HOUR - 1;
    assert.deepEqual(open().verdict('modern'), { speaks: false, stale: false });
    now = 24 * HOUR;
    assert.deepEqual(open().verdict('modern'), { speaks: false, stale: true });
    assert.equal(new ServerFacts(store, 'other', () => now).verdict('modern'), undefined);
  });

  it('doubts what follows from silence only: an hour', () => {
    let now = 0;
    const facts = new ServerFacts(undefined, 'key', () => now);
    facts.learn('modern', false, true);
    now = HOUR;
    assert.deepEqual(facts.verdict('modern'), { speaks: false, stale: true });
  });

  it('another version makes the verdict on the other era stale; the same one does not', () => {
    const facts = new ServerFacts(undefined, 'key');
    facts.meet('legacy', '1');
    facts.learn('legacy', true);
    facts.learn('modern', false);
    facts.meet('legacy', '1');
    assert.equal(facts.verdict('modern')?.stale, false);
    facts.meet('legacy', '2');
    assert.deepEqual(facts.verdict('modern'), { speaks: false, stale: true });
    assert.deepEqual(facts.verdict('legacy'), { speaks: true, stale: false });
  });

  it('remembers that a server asks, whatever else is forgotten', (t) => {
    const store = openStateStore(':memory:');
    t.after(() => store.close());
    const facts = new ServerFacts(store, 'key');
    facts.learn('legacy', true);
    facts.sawAsking();
    facts.forgetEras();
    assert.equal(new ServerFacts(store, 'key').asks, true);
    assert.equal(new ServerFacts(store, 'key').verdict('legacy'), undefined);
  });
});
