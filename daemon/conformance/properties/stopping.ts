/** Calls that are given up: what they do in the world ends, or goes on, as the transport and the era say. */
import { setTimeout as pause } from 'node:timers/promises';
import { modernHeaders } from '../../protocol/eras.ts';
import { at } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import type { Session } from '../engine/session.ts';
import type { Role, Subject } from '../engine/subject.ts';
import { call } from './calling.ts';
import { steady } from './expect.ts';
import { firstDifference, snapshot } from './observation.ts';

/** Slow tools tried. */
const TRIED = 3;
/** Quick tools whose answers are a part of the world. */
const PROBES = 6;

/** Slow tools that may change something; one that says it only reads has nothing to show. */
const workers = (subject: Subject): readonly Role[] =>
  subject.roles
    .filter(
      ({ ms, failed, asks, tool }) =>
        ms > 120 && ms < 5000 && !failed && !asks && at(tool.definition, 'annotations', 'readOnlyHint') !== true,
    )
    .sort((one, other) => one.ms - other.ms)
    .slice(0, TRIED);

type Ending = 'cancelled' | 'disconnected';

const stopped = property<{ tool: string; ending: Ending }>({
  name: 'stopping/effects',
  area: 'cancellation',
  phase: 'stateful',
  stems: ['CAN-STOP', 'CAN-HTTP-DISCONNECT', 'CAN-HTTP-NOT-DISCONNECT'],
  fresh: true,
  skip: (subject) => (workers(subject).length === 0 ? 'no slow tool that may be called could have an effect' : undefined),
  cases: (subject) => ({
    boundaries: workers(subject).flatMap(({ tool }) => {
      const endings: readonly Ending[] =
        subject.transport === 'stdio' ? ['cancelled'] : subject.era === 'modern' ? ['disconnected'] : ['cancelled', 'disconnected'];
      return endings.map((ending) => ({ tool: tool.name, ending }));
    }),
  }),
  async run({ session, subject }, { tool, ending }) {
    const role = workers(subject).find((one) => one.tool.name === tool);
    if (role === undefined) return;
    const { judge } = session;
    const before = await world(session, subject);
    // a world that moves by itself shows nothing
    await pause(role.ms);
    if ((await world(session, subject)) !== before) return;
    await call(session, role, {});
    await pause(60);
    const once = await world(session, subject);
    if (once === before) return;
    await call(session, role, {});
    await pause(60);
    const twice = await world(session, subject);
    await giveUp(session, role, ending);
    await pause(role.ms * 1.4 + 150);
    const after = await world(session, subject);
    const came = (): string => firstDifference(twice, after);
    if (ending === 'disconnected' && subject.era === 'legacy') {
      if (twice !== once)
        judge.check('CAN-HTTP-NOT-DISCONNECT', after !== twice, `${tool} is done although the stream was cut`, 'it was not done');
      return;
    }
    if (twice === once) return;
    judge.check('CAN-STOP', after === twice, `${tool} has no effect once it is ${ending}`, came);
    if (ending === 'disconnected')
      judge.check('CAN-HTTP-DISCONNECT', after === twice, `${tool} has no effect once its stream is cut`, came);
  },
});

/** Starts a call and gives it up at a third of its time. */
async function giveUp(session: Session, role: Role, ending: Ending): Promise<void> {
  const id = session.freshId();
  const params = { name: role.tool.name, arguments: role.tool.sample ?? {} };
  if (ending === 'disconnected') {
    const message = session.compose('tools/call', params, { id });
    const mirrored = session.era === 'modern' ? modernHeaders(message as never) : {};
    const sent = session.wire.send(Buffer.from(JSON.stringify(message)), { headers: { ...session.headers(), ...mirrored } });
    await pause(role.ms * 0.3);
    sent.abort();
    await sent.exchange;
    return;
  }
  const until = pause(role.ms * 1.3 + 300);
  const running = session.request('tools/call', params, { id, provoked: true, until });
  await pause(role.ms * 0.3);
  await session.notify('notifications/cancelled', { requestId: id }, { settle: false });
  await running;
}

/** Lists, resources and the answers of quick tools that only read, as far as they say the same twice. */
async function world(session: Session, subject: Subject): Promise<string> {
  const answers: string[] = [];
  for (const { tool, ms, failed } of subject.roles) {
    if (failed || ms > 120 || answers.length >= PROBES || at(tool.definition, 'annotations', 'readOnlyHint') !== true) continue;
    answers.push(canonical(steady((await session.request('tools/call', { name: tool.name, arguments: tool.sample ?? {} })).result)));
  }
  return canonical([(await snapshot(session, subject)).text, answers]);
}

/** The properties of calls that are given up. */
export const STOPPING: readonly Property[] = [stopped];
