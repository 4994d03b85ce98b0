import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SignalboxError } from '../../../daemon/api/errors.ts';
import { requestDigest } from '../../../daemon/protocol/asking.ts';
import type { JsonObject, Notification, Outcome, Request } from '../../../daemon/protocol/message.ts';
import type { ClientCall } from '../../../daemon/router/call.ts';
import { Parking, type ParkState, type Rounds, type Run } from '../../../daemon/router/parking.ts';
import { KeyRing } from '../../../daemon/security/key-ring.ts';
import { openStateStore } from '../../../daemon/state/state-store.ts';

const CAPABILITIES = { elicitation: {}, sampling: {} };
const FORM = { mode: 'form', message: 'Who?', requestedSchema: { type: 'object', properties: {} } };

function setup(lifeMs?: number): { parking: Parking; ring: KeyRing } {
  const ring = new KeyRing(openStateStore(':memory:'));
  return { parking: new Parking({ sealer: ring, ...(lifeMs === undefined ? {} : { lifeMs }) }), ring };
}

function call(
  params: JsonObject = {},
  more: { principal?: string; capabilities?: JsonObject; notify?: (n: Notification) => void } = {},
): ClientCall & {
  readonly cancel: () => void;
} {
  const controller = new AbortController();
  const request: Request = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 't', ...params, _meta: { 'io.modelcontextprotocol/clientCapabilities': more.capabilities ?? CAPABILITIES } },
  };
  return {
    request,
    era: 'modern',
    caller: { principal: more.principal ?? 'p', client: 'c' },
    signal: controller.signal,
    notify: more.notify ?? (() => {}),
    cancel: () => controller.abort(new Error('cancelled')),
  };
}

const ask = (rounds: Rounds, message: string): Promise<Outcome> =>
  rounds.onQuestion({ method: 'elicitation/create', params: { ...FORM, message }, signal: new AbortController().signal });

/** Asks one question after the other and answers with the answers. */
function asking(...questions: string[]): { run: Run; runs: () => number } {
  let runs = 0;
  return {
    runs: () => runs,
    run: async (rounds) => {
      runs += 1;
      const answers: unknown[] = [];
      for (const question of questions) {
        const outcome = await ask(rounds, question);
        answers.push('result' in outcome ? outcome.result : outcome.error.message);
      }
      return { result: { answers } };
    },
  };
}

function begin(parking: Parking, of: ClientCall, run: Run, replaySafe = false): Promise<Outcome> {
  return parking.begin(of, { digest: () => requestDigest(of.request), replaySafe }, run);
}

function required(outcome: Outcome): { keys: string[]; requests: Record<string, JsonObject>; state: string } {
  assert.ok('result' in outcome, JSON.stringify(outcome));
  assert.equal(outcome.result['resultType'], 'input_required');
  const requests = outcome.result['inputRequests'] as Record<string, JsonObject>;
  return { keys: Object.keys(requests), requests, state: String(outcome.result['requestState']) };
}

function resume(
  { parking, ring }: { parking: Parking; ring: KeyRing },
  state: string,
  inputResponses: JsonObject,
  { run, ...more }: { run?: Run; principal?: string; params?: JsonObject } = {},
): Promise<Outcome> {
  const retry = call({ inputResponses, requestState: state, ...more.params }, more);
  const opened = ring.open<ParkState>(state);
  assert.ok(opened !== undefined);
  return parking.resume(retry, opened, requestDigest(retry.request), run);
}

const code = (expected: string) => (error: unknown) => (error as SignalboxError).code === expected;

describe('parked calls', () => {
  it('asks in rounds and delivers the answers to the one run', async () => {
    const parts = setup();
    const { run, runs } = asking('first', 'second');
    const one = required(await begin(parts.parking, call(), run));
    assert.equal(one.keys.length, 1);
    const two = required(await resume(parts, one.state, { [one.keys[0] ?? '']: { action: 'accept', content: { n: 1 } } }));
    assert.notDeepEqual(two.keys, one.keys, 'a key is unique in the scope of the request');
    const done = await resume(parts, two.state, { [two.keys[0] ?? '']: { action: 'decline' } });
    assert.deepEqual(done, { result: { answers: [{ action: 'accept', content: { n: 1 } }, { action: 'decline' }] } });
    assert.equal(runs(), 1);
  });

  it('gathers questions that come together into one round', async () => {
    const parts = setup();
    const run: Run = async (rounds) => ({ result: { all: await Promise.all([ask(rounds, 'a'), ask(rounds, 'b'), ask(rounds, 'c')]) } });
    const { keys, state } = required(await begin(parts.parking, call(), run));
    assert.equal(keys.length, 3);
    const done = await resume(parts, state, Object.fromEntries(keys.map((key) => [key, { action: 'cancel' }])));
    assert.equal('result' in done && (done.result['all'] as unknown[]).length, 3);
  });

  it('asks again for what was not answered, and ignores what was not asked', async () => {
    const parts = setup();
    const run: Run = async (rounds) => ({ result: { all: await Promise.all([ask(rounds, 'a'), ask(rounds, 'b')]) } });
    const first = required(await begin(parts.parking, call(), run));
    const again = required(await resume(parts, first.state, { [first.keys[0] ?? '']: { action: 'accept' }, other: { action: 'accept' } }));
    assert.deepEqual(again.keys, [first.keys[1]]);
    const done = await resume(parts, again.state, { [again.keys[0] ?? '']: { action: 'decline' } });
    assert.deepEqual(done, { result: { all: [{ result: { action: 'accept' } }, { result: { action: 'decline' } }] } });
  });

  it('gives the same outcome to the same retry sent twice, at once and after the end', async () => {
    const parts = setup();
    const { run, runs } = asking('q');
    const { keys, state } = required(await begin(parts.parking, call(), run));
    const answer = { [keys[0] ?? '']: { action: 'accept' } };
    const [one, two] = await Promise.all([resume(parts, state, answer), resume(parts, state, { [keys[0] ?? '']: { action: 'decline' } })]);
    assert.deepEqual(one, two);
    assert.deepEqual(await resume(parts, state, answer), one);
    assert.equal(runs(), 1);
  });

  it('refuses a state of another principal, of other arguments, and one that was changed', async () => {
    const parts = setup();
    const { run } = asking('q');
    const { state } = required(await begin(parts.parking, call(), run));
    assert.throws(() => void resume(parts, state, {}, { principal: 'someone else' }), code('SBX_STATE_INVALID'));
    assert.throws(() => void resume(parts, state, {}, { params: { name: 'other' } }), code('SBX_STATE_INVALID'));
    for (let at = 3; at < state.length; at += 7) {
      const changed = `${state.slice(0, at)}${state[at] === 'A' ? 'B' : 'A'}${state.slice(at + 1)}`;
      assert.equal(parts.ring.open(changed), undefined, `changed at ${at}`);
    }
    assert.equal(new KeyRing(openStateStore(':memory:')).open(state), undefined, 'another daemon has another key');
  });

  it('never asks for what the client did not declare', async () => {
    const parts = setup();
    const { run } = asking('q');
    const outcome = await begin(parts.parking, call({}, { capabilities: { sampling: {} } }), run);
    assert.match(JSON.stringify(outcome), /does not support elicitation\/create/);
    assert.equal(parts.parking.size, 0);
  });

  it('gives up a call whose client stays away, and says so when it comes after all', async () => {
    const parts = setup(30);
    let reason: unknown;
    const run: Run = (rounds) =>
      new Promise((_resolve, reject) => {
        rounds.signal.addEventListener('abort', () => {
          reason = rounds.signal.reason;
          reject(reason);
        });
        void ask(rounds, 'q');
      });
    const { state } = required(await begin(parts.parking, call(), run));
    while (reason === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(parts.parking.size, 0);
    assert.throws(() => void resume(parts, state, {}), code('SBX_CALL_EXPIRED'));
  });

  it('cancels the call when the client goes away in a round, not when a round is over', async () => {
    const parts = setup();
    let aborted = false;
    const run: Run = async (rounds) => {
      rounds.signal.addEventListener('abort', () => {
        aborted = true;
      });
      await ask(rounds, 'q');
      rounds.signal.throwIfAborted();
      return new Promise((_resolve, reject) => rounds.signal.addEventListener('abort', () => reject(rounds.signal.reason)));
    };
    const first = call();
    const { keys, state } = required(await begin(parts.parking, first, run));
    first.cancel();
    assert.equal(aborted, false, 'the answer was given: closing its stream is no cancel');
    const opened = parts.ring.open<ParkState>(state);
    const second = call({ inputResponses: { [keys[0] ?? '']: { action: 'accept' } }, requestState: state });
    const waiting = parts.parking.resume(second, opened as ParkState, requestDigest(second.request), undefined);
    second.cancel();
    await assert.rejects(waiting);
    assert.equal(aborted, true);
  });

  it('after a restart goes on with a replay-safe call from its journal, and never runs another one again', async () => {
    const ring = new KeyRing(openStateStore(':memory:'));
    const before = new Parking({ sealer: ring });
    const one = required(await begin(before, call(), asking('first', 'second', 'third').run, true));
    const two = required(
      await resume({ parking: before, ring }, one.state, { [one.keys[0] ?? '']: { action: 'accept', content: { a: 1 } } }),
    );
    before.close();
    const after = { parking: new Parking({ sealer: ring }), ring };
    const again = asking('first', 'second', 'third');
    const three = required(await resume(after, two.state, { [two.keys[0] ?? '']: { action: 'decline' } }, { run: again.run }));
    assert.match(JSON.stringify(three.requests), /third/);
    const done = await resume(after, three.state, { [three.keys[0] ?? '']: { action: 'cancel' } });
    assert.deepEqual(done, { result: { answers: [{ action: 'accept', content: { a: 1 } }, { action: 'decline' }, { action: 'cancel' }] } });
    assert.equal(again.runs(), 1);
    assert.throws(() => void resume({ parking: new Parking({ sealer: ring }), ring }, one.state, {}), code('SBX_CALL_INTERRUPTED'));
  });

  it('keeps no answers in the state of a call that is not replay-safe', async () => {
    const parts = setup();
    const one = required(await begin(parts.parking, call(), asking('a', 'b').run));
    const two = required(await resume(parts, one.state, { [one.keys[0] ?? '']: { action: 'accept', content: { secret: 'x' } } }));
    assert.deepEqual(parts.ring.open<ParkState>(two.state)?.journal, []);
  });

  it('delivers what a server says that gave up waiting', async () => {
    const parts = setup();
    const run: Run = async (rounds) => {
      void ask(rounds, 'q');
      await new Promise((resolve) => setTimeout(resolve, 60));
      return { result: { gaveUp: true } };
    };
    const { state } = required(await begin(parts.parking, call(), run));
    await new Promise((resolve) => setTimeout(resolve, 80));
    assert.deepEqual(await resume(parts, state, {}), { result: { gaveUp: true } });
  });

  it('keeps what a server says that gave up waiting as long as its client may stay away', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const parts = setup();
    const ended = Promise.withResolvers<Outcome>();
    const begun = begin(parts.parking, call(), async (rounds) => {
      void ask(rounds, 'q');
      return ended.promise;
    });
    t.mock.timers.tick(10);
    const { state } = required(await begun);
    ended.resolve({ result: { gaveUp: true } });
    await ended.promise;
    await Promise.resolve();
    t.mock.timers.tick(9 * 60_000);
    assert.deepEqual(await resume(parts, state, {}), { result: { gaveUp: true } });
    t.mock.timers.tick(10 * 60_000);
    assert.equal(parts.parking.size, 0);
  });

  it('sends progress to the request of the present round', async () => {
    const parts = setup();
    const heard: string[] = [];
    const run: Run = async (rounds) => {
      rounds.current().notify({ jsonrpc: '2.0', method: 'x' });
      await ask(rounds, 'q');
      rounds.current().notify({ jsonrpc: '2.0', method: 'x' });
      return { result: {} };
    };
    const { keys, state } = required(await begin(parts.parking, call({}, { notify: () => heard.push('first') }), run));
    const second = call({ inputResponses: { [keys[0] ?? '']: {} }, requestState: state }, { notify: () => heard.push('second') });
    await parts.parking.resume(second, parts.ring.open<ParkState>(state) as ParkState, requestDigest(second.request), undefined);
    assert.deepEqual(heard, ['first', 'second']);
  });
});
