/** `subscriptions/listen` of 2026-07-28. */
import { META } from '../../protocol/eras.ts';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { keyOf } from '../engine/model.ts';
import { type Property, property } from '../engine/property.ts';
import { call, reporting } from './calling.ts';

const listen = property<{ id: string | number; filter: JsonObject }>({
  name: 'streams/listen',
  area: 'subscriptions',
  phase: 'stateful',
  stems: [
    'SUB-ACK-FIRST',
    'SUB-ID',
    'SUB-ACK-SUBSET',
    'SUB-REQ-SCOPED-NOT',
    'SUB-FILTER',
    'SUB-CANCEL',
    'PAT-NOTIF-SCOPED',
    'CAN-SERVER-ONLY-LISTEN',
  ],
  eras: ['modern'],
  fresh: true,
  skip: (subject) =>
    ['tools', 'resources', 'prompts'].some((name) => at(subject.capabilities, name, 'listChanged') === true) ||
    at(subject.capabilities, 'resources', 'subscribe') === true
      ? undefined
      : 'the server declares nothing to listen to',
  cases(subject) {
    const uri = subject.resources[0]?.['uri'];
    const filters: JsonObject[] = [
      { toolsListChanged: true },
      { promptsListChanged: true, resourcesListChanged: true },
      {},
      ...(uri === undefined ? [] : [{ resourceSubscriptions: [uri] }]),
    ];
    return {
      boundaries: [
        ...['listen-1', 0, '7'].map((id) => ({ id, filter: filters[0] ?? {} })),
        ...filters.slice(1).map((filter) => ({ id: 'listen-1', filter })),
      ],
    };
  },
  async run({ session, subject }, { id, filter }) {
    const { judge, model } = session;
    model.listens.set(keyOf(id), { acknowledged: false, filter, ended: false });
    const before = session.frames.length;
    const running = session.ask(session.compose('subscriptions/listen', { notifications: filter }, { id }), {
      limitMs: 1500,
      provoked: true,
    });
    const state = model.listens.get(keyOf(id));
    for (let round = 0; round < 10 && state?.acknowledged === false && model.requests.get(keyOf(id))?.answers === 0; round++) {
      await session.barrier('request');
      await new Promise((done) => setTimeout(done, 10));
    }
    const first = session.frames
      .slice(before)
      .find(({ value }) => at(value, 'params', '_meta', META.subscriptionId) !== undefined || (at(value, 'id') === id && isObject(value)));
    if (at(first?.value, 'error') === undefined) {
      judge.check('SUB-ACK-FIRST', at(first?.value, 'method') === 'notifications/subscriptions/acknowledged', 'the acknowledgement', () =>
        shown(first?.value),
      );
      judge.check('SUB-ID', at(first?.value, 'params', '_meta', META.subscriptionId) === id, `the subscription id ${shown(id)}`, () =>
        shown(first?.value),
      );
    }
    const role = reporting(subject) ?? subject.roles.find(({ failed }) => !failed);
    if (role !== undefined) await call(session, role, { progressToken: 'while-listening', [META.logLevel]: 'debug' });
    judge.check('SUB-REQ-SCOPED-NOT', true, '', '');
    if (session.wire.kind === 'stdio') await session.notify('notifications/cancelled', { requestId: id }, { settle: false });
    await session.barrier('request');
    if (state !== undefined) state.ended = true;
    await running;
    await session.close();
  },
});

/** The properties of subscriptions. */
export const SUBSCRIPTIONS: readonly Property[] = [listen];
