import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { together, type Wait } from '../../../daemon/router/patience.ts';

interface Server extends Wait {
  readonly answer: (healthy: boolean) => void;
  given: number;
}
function server(): Server {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const made: Server = {
    since: Date.now(),
    answered: promise,
    answer: resolve,
    given: 0,
    gaveUp: () => {
      made.given += 1;
    },
  };
  return made;
}
const pending = Symbol('pending');
const now = async (promise: Promise<void>): Promise<unknown> => {
  await new Promise((resolve) => setImmediate(resolve));
  return Promise.race([promise, Promise.resolve(pending)]);
};

describe('waiting for servers together', () => {
  it('ends when all have answered or failed, without giving anyone up', async () => {
    const [a, b] = [server(), server()];
    const list = together([a, b], false);
    a.answer(true);
    assert.equal(await now(list), pending);
    b.answer(false);
    await list;
    assert.deepEqual([a.given, b.given], [0, 0]);
  });

  it('gives up one that hangs soon after the others have answered', async () => {
    const [a, hung] = [server(), server()];
    const list = together([a, hung], false);
    a.answer(true);
    await list;
    assert.deepEqual([a.given, hung.given], [0, 1]);
  });

  it('waits for the first healthy one: a failure at once says nothing about how long starting takes', async () => {
    const [broken, slow] = [server(), server()];
    const list = together([broken, slow], false);
    broken.answer(false);
    await new Promise((resolve) => setTimeout(resolve, 1700));
    assert.equal(await now(list), pending);
    slow.answer(true);
    await list;
    assert.equal(slow.given, 0);
  });

  it('gives new ones only a moment where the list is known', async () => {
    const hung = server();
    await together([hung], true);
    assert.equal(hung.given, 1);
  });
});
