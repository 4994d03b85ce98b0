/** Whose question it is: never another client's. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InFlight } from '../../../daemon/protocol/in-flight.ts';
import type { Notification, RequestId } from '../../../daemon/protocol/message.ts';
import { askerOf, onlyListener, type UnderWay } from '../../../daemon/upstreams/attribution.ts';
import type { RequestOptions } from '../../../daemon/upstreams/request.ts';

const takes = async (): Promise<{ result: object }> => ({ result: {} });
const call = (asker: string): RequestOptions => ({ asker, onQuestion: takes as NonNullable<RequestOptions['onQuestion']> });
/** A request of a client that takes no questions (`completion/complete`). */
const plain = (asker: string): RequestOptions => ({ asker });
/** A request of the daemon's own (`tools/list`). */
const own: RequestOptions = {};
const underWay = (...requests: readonly RequestOptions[]): UnderWay => {
  const open: UnderWay = new InFlight<RequestId, { readonly options: RequestOptions }>();
  for (const [index, options] of requests.entries()) open.set(index + 1, { options });
  return open;
};
const who = (open: UnderWay, method = 'elicitation/create', related?: RequestId): string | RequestId => {
  const asker = askerOf(open, method, related);
  return typeof asker === 'string' ? asker : asker.id;
};

describe('whose a question is', () => {
  it('is told by the stream where there is one', () => {
    assert.equal(who(underWay(call('a'), call('b')), 'elicitation/create', 2), 2);
  });

  it('is nobody else’s when its stream belongs to a request that takes no questions', () => {
    assert.equal(who(underWay(call('a'), plain('b')), 'elicitation/create', 2), 'nobody');
    assert.equal(who(underWay(call('a'), own), 'sampling/createMessage', 2), 'nobody');
  });

  it('is nobody else’s when the request of its stream is over', () => {
    assert.equal(who(underWay(call('a')), 'elicitation/create', 7), 'nobody');
  });

  it('is certain without a stream when one client alone is there', () => {
    assert.equal(who(underWay(own, call('a'), own)), 2);
    assert.equal(who(underWay(call('a'), call('a'))), 1);
    assert.equal(who(underWay(plain('a'), call('a'))), 2);
    assert.equal(who(underWay(call('a'), plain('a'))), 1);
  });

  it('is not guessed where two clients are there, whatever they asked for', () => {
    assert.equal(who(underWay(call('a'), call('b'))), 'ambiguous');
    assert.equal(who(underWay(call('a'), plain('b'))), 'ambiguous');
    assert.equal(who(underWay(plain('b'), call('a'))), 'ambiguous');
    assert.equal(who(underWay({ ...call('a'), asker: undefined } as unknown as RequestOptions, call('a'))), 'ambiguous');
  });

  it('is the connection’s own where it is about roots, or where nothing is under way', () => {
    assert.equal(who(underWay(call('a')), 'roots/list'), 'nobody');
    assert.equal(who(underWay(own)), 'nobody');
  });
});

describe('who wants the log', () => {
  const heard: string[] = [];
  const wants = (asker: string): RequestOptions => ({ asker, logLevel: 'debug', onNotification: () => heard.push(asker) });
  const note: Notification = { jsonrpc: '2.0', method: 'notifications/message' };

  it('is one client for certain, or nobody', () => {
    onlyListener(underWay(own, wants('a'), plain('b')))?.(note);
    assert.deepEqual(heard, ['a']);
    assert.equal(onlyListener(underWay(wants('a'), wants('b'))), undefined);
    assert.equal(onlyListener(underWay(own)), undefined);
  });
});
