/** Changes and who is told: lists and resources that change, to everybody who asked, and to nobody else. */

import { META } from '../../protocol/eras.ts';
import type { JsonObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { keyOf } from '../engine/model.ts';
import { type Property, property } from '../engine/property.ts';
import type { Session } from '../engine/session.ts';
import type { Role, Subject } from '../engine/subject.ts';
import { call } from './calling.ts';
import { arrives, type Listening, listening } from './listening.ts';
import { type Snapshot, snapshot } from './observation.ts';

/** Lists, the notifications of their changes and the requirements about them. */
const KINDS = [
  ['tools', 'toolsListChanged', 'TOOL'],
  ['resources', 'resourcesListChanged', 'RES'],
  ['prompts', 'promptsListChanged', 'PRM'],
] as const;
const changers = (subject: Subject): readonly Role[] =>
  subject.roles.filter(({ changes, mutates, failed, asks }) => (changes === true || mutates === true) && !failed && !asks).slice(0, 6);
const unchanging = (subject: Subject): string | undefined =>
  changers(subject).length === 0 ? 'no tool that may be called changes a list or a resource' : undefined;
const declares = (subject: Subject, member: string): boolean => at(subject.capabilities, member, 'listChanged') === true;
const uris = (subject: Subject): readonly string[] =>
  at(subject.capabilities, 'resources', 'subscribe') === true ? subject.resources.slice(0, 5).map(({ uri }) => String(uri)) : [];

/** What differs between two looks. */
function differences(before: Snapshot, after: Snapshot): { readonly lists: readonly string[]; readonly reads: readonly string[] } {
  return {
    lists: KINDS.map(([member]) => member).filter((member) => before.lists[member] !== after.lists[member]),
    reads: Object.keys(before.reads).filter((uri) => before.reads[uri] !== after.reads[uri]),
  };
}

const announced = property<{ tool: string }>({
  name: 'changes/announced',
  area: 'resources',
  phase: 'stateful',
  stems: ['TOOL-LISTCHANGED', 'RES-LISTCHANGED', 'PRM-LISTCHANGED', 'RES-UPDATED-SENT', 'RES-UPDATED-ONLY-SUB'],
  eras: ['legacy'],
  fresh: true,
  skip: unchanging,
  cases: (subject) => ({ boundaries: changers(subject).map(({ tool }) => ({ tool: tool.name })) }),
  async run({ session, subject }, { tool }) {
    const role = changers(subject).find((one) => one.tool.name === tool);
    if (role === undefined) return;
    const { judge, model } = session;
    for (const uri of uris(subject)) {
      model.subscribed.add(uri);
      await session.request('resources/subscribe', { uri });
    }
    const before = await snapshot(session, subject);
    const from = session.frames.length;
    await call(session, role, {});
    const changed = differences(before, await snapshot(session, subject));
    for (const [member, , stem] of KINDS) {
      if (!changed.lists.includes(member) || !declares(subject, member)) continue;
      const told = await arrives(session, from, (frame) => at(frame?.value, 'method') === `notifications/${member}/list_changed`);
      judge.check(`${stem}-LISTCHANGED`, told, `notifications/${member}/list_changed after ${tool} changed the list`, 'none came');
    }
    for (const uri of changed.reads) {
      if (!model.subscribed.has(uri)) continue;
      const told = await arrives(session, from, (frame) => updates(frame?.value, uri));
      judge.check('RES-UPDATED-SENT', told, `notifications/resources/updated for ${uri}, which ${tool} changed`, 'none came');
    }
    for (const uri of uris(subject)) {
      await session.request('resources/unsubscribe', { uri });
      model.subscribed.delete(uri);
    }
    await call(session, role, {});
    judge.check('RES-UPDATED-ONLY-SUB', true, '', '');
    await arrives(session, session.frames.length, () => false, 60);
  },
});

function updates(value: unknown, uri: string): boolean {
  return at(value, 'method') === 'notifications/resources/updated' && uri.startsWith(String(at(value, 'params', 'uri')));
}

const subscribed = property<{ tool: string; scope: 'all' | 'one' | 'none' }>({
  name: 'changes/subscribed',
  area: 'subscriptions',
  phase: 'stateful',
  stems: [
    'TOOL-LISTCHANGED',
    'RES-LISTCHANGED',
    'PRM-LISTCHANGED',
    'RES-UPDATED-SENT',
    'RES-UPDATED-ONLY-SUB',
    'SUB-DELIVER',
    'SUB-MULTI',
    'SUB-FILTER',
    'SUB-CANCEL',
    'SUB-NO-STATE',
    'SUB-GRACEFUL',
    'CAN-TEARDOWN',
  ],
  eras: ['modern'],
  fresh: true,
  skip: unchanging,
  cases: (subject) => ({
    boundaries: changers(subject).flatMap(({ tool }) => (['all', 'one', 'none'] as const).map((scope) => ({ tool: tool.name, scope }))),
  }),
  async run({ session, subject, open }, { tool, scope }) {
    const role = changers(subject).find((one) => one.tool.name === tool);
    if (role === undefined) return;
    const watched = scope === 'all' ? uris(subject) : scope === 'one' ? uris(subject).slice(0, 1) : [];
    const kinds = KINDS.filter(([member]) => declares(subject, member));
    const wide: JsonObject = {
      ...Object.fromEntries((scope === 'none' ? [] : kinds).map(([, key]) => [key, true])),
      ...(watched.length === 0 ? {} : { resourceSubscriptions: watched }),
    };
    const first = await listening(session, 'changes-a', wide);
    // one that asks for less, or for the very same
    const narrow: JsonObject = scope === 'one' ? wide : Object.fromEntries(kinds.slice(-1).map(([, key]) => [key, true]));
    const second = await listening(session, 17, narrow);
    if (!first.acknowledged() || !second.acknowledged()) return;
    const told = await delivered(session, subject, role, [
      [first, wide, 'SUB-DELIVER'],
      [second, narrow, 'SUB-MULTI'],
    ]);
    graceful(session, first);
    if (scope !== 'all') return;
    await first.cancel();
    await delivered(session, subject, role, [[second, narrow, 'SUB-MULTI']]);
    session.judge.check('SUB-CANCEL', true, '', '');
    session.judge.check('SUB-FILTER', true, '', '');
    await second.cancel();
    if (!told) return;
    const other = await open();
    await call(other, role, {});
    await arrives(other, 0, () => false, 80);
    const stray = other.frames.find(({ value }) => at(value, 'params', '_meta', META.subscriptionId) !== undefined);
    other.judge.check('SUB-NO-STATE', stray === undefined, 'nothing on a connection that has not asked', () => shown(stray?.value));
  },
});

/** Calls the tool and checks that every listener hears what it asked for. Returns whether anything was to be heard. */
async function delivered(
  session: Session,
  subject: Subject,
  role: Role,
  listeners: readonly (readonly [Listening, JsonObject, string])[],
): Promise<boolean> {
  const { judge } = session;
  const before = await snapshot(session, subject);
  const from = session.frames.length;
  await call(session, role, {});
  const changed = differences(before, await snapshot(session, subject));
  let any = false;
  for (const [listener, filter, stem] of listeners) {
    if (listener.response() !== undefined) continue;
    const mine = (value: unknown, method: string): boolean =>
      at(value, 'method') === method && keyOf(at(value, 'params', '_meta', META.subscriptionId)) === keyOf(listener.id);
    const anybodys = (value: unknown, method: string): boolean => at(value, 'method') === method;
    for (const [member, key, list] of KINDS) {
      if (!changed.lists.includes(member) || filter[key] !== true) continue;
      any = true;
      const method = `notifications/${member}/list_changed`;
      const told = await arrives(session, from, (frame) => mine(frame?.value, method));
      const what = `${method} for the subscription ${shown(listener.id)}`;
      judge.check(stem, told, what, 'none came');
      if (!told && !session.frames.slice(from).some(({ value }) => anybodys(value, method)))
        judge.check(`${list}-LISTCHANGED`, false, what, 'none came');
      else judge.check(`${list}-LISTCHANGED`, true, '', '');
    }
    const wanted = Array.isArray(filter['resourceSubscriptions']) ? filter['resourceSubscriptions'] : [];
    for (const uri of changed.reads.filter((one) => wanted.includes(one))) {
      any = true;
      const told = await arrives(
        session,
        from,
        (frame) => updates(frame?.value, uri) && mine(frame?.value, 'notifications/resources/updated'),
      );
      judge.check(stem, told, `notifications/resources/updated for ${uri}`, 'none came');
      judge.check('RES-UPDATED-SENT', told, `notifications/resources/updated for ${uri}`, 'none came');
    }
    judge.check('RES-UPDATED-ONLY-SUB', true, '', '');
  }
  return any;
}

/** The end of a subscription by the server: its response first, or a cancellation; silence is neither. */
function graceful(session: Session, listener: Listening): void {
  const { judge } = session;
  const answer = listener.response();
  if (answer === undefined) return;
  const said = answer.result !== undefined || answer.error !== undefined;
  const cancelled = session.frames.some(
    ({ value }) => at(value, 'method') === 'notifications/cancelled' && at(value, 'params', 'requestId') === listener.id,
  );
  judge.check('CAN-TEARDOWN', said || cancelled, 'a response or notifications/cancelled before the end', 'neither');
  const whole =
    answer.result?.['resultType'] === 'complete' && keyOf(at(answer.result, '_meta', META.subscriptionId)) === keyOf(listener.id);
  judge.check('SUB-GRACEFUL', whole || cancelled, 'the response of the listen, with its subscription id', () => shown(answer.message));
}

const teardown = property<{ tool: string; changer: string }>({
  name: 'changes/teardown',
  area: 'subscriptions',
  phase: 'stateful',
  stems: ['SUB-GRACEFUL', 'CAN-TEARDOWN'],
  eras: ['modern'],
  fresh: true,
  skip: unchanging,
  cases: (subject) => ({
    boundaries: subject.roles
      .filter(({ tool, failed, asks, ms }) => !failed && !asks && ms < 300 && at(tool.definition, 'annotations', 'readOnlyHint') !== true)
      .slice(0, 6)
      .map(({ tool }) => ({ tool: tool.name, changer: changers(subject).find((one) => one.tool !== tool)?.tool.name ?? tool.name })),
  }),
  async run({ session, subject }, { tool, changer }) {
    const role = subject.roles.find((one) => one.tool.name === tool);
    const other = changers(subject).find((one) => one.tool.name === changer);
    if (role === undefined || other === undefined || tool === changer) return;
    const filter: JsonObject = {
      ...Object.fromEntries(KINDS.filter(([member]) => declares(subject, member)).map(([, key]) => [key, true])),
      ...(uris(subject).length === 0 ? {} : { resourceSubscriptions: uris(subject) }),
    };
    const open = await listening(session, 'teardown', filter);
    if (!open.acknowledged()) return;
    const hears = async (): Promise<boolean> => {
      const from = session.frames.length;
      await call(session, other, {});
      return arrives(session, from, (frame) => keyOf(at(frame?.value, 'params', '_meta', META.subscriptionId)) === keyOf('teardown'), 500);
    };
    if (!(await hears())) return;
    await call(session, role, {});
    await session.barrier('request');
    graceful(session, open);
    const cancelled = session.frames.some(({ value }) => at(value, 'method') === 'notifications/cancelled');
    if (open.response() === undefined && !cancelled && session.ended === undefined) {
      const alive = (await hears()) || (await hears());
      const what = `the subscription lives after ${tool}, or its end is told`;
      session.judge.check('CAN-TEARDOWN', alive, what, 'silence');
      session.judge.check('SUB-GRACEFUL', alive, what, 'silence');
    }
    await open.cancel();
  },
});

/** The properties of changes. */
export const CHANGES: readonly Property[] = [announced, subscribed, teardown];
