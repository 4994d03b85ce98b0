/** The rounds of 2026-07-28: questions in `input_required`, answered, spoilt, repeated elsewhere. */
import type { JsonObject } from '../../protocol/message.ts';
import { isObject } from '../../protocol/message.ts';
import type { Answer } from '../engine/exchange.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import type { Session } from '../engine/session.ts';
import type { Subject } from '../engine/subject.ts';
import { compile } from '../engine/validator.ts';
import { fullSample } from './calling.ts';
import { ALL, askers, reply } from './client.ts';
import { outcomeText, steady } from './expect.ts';

const ROUNDS = 10;

type Change =
  | 'none'
  | 'other connection'
  | 'state flipped'
  | 'state cut'
  | 'state longer'
  | 'state empty'
  | 'responses dropped'
  | 'extra response'
  | 'wrong response'
  | 'invalid content'
  | 'no roots'
  | 'other arguments'
  | 'other tool'
  | 'decline'
  | 'cancel';

const CHANGES: readonly Change[] = [
  'none',
  'other connection',
  'state flipped',
  'state cut',
  'state longer',
  'state empty',
  'responses dropped',
  'extra response',
  'wrong response',
  'decline',
  'cancel',
  'invalid content',
  'no roots',
  'other arguments',
  'other tool',
];

const rounds = property<{ tool: string; change: Change }>({
  name: 'asking/rounds',
  area: 'mrtr',
  phase: 'stateful',
  stems: [
    'MRTR-COMPLETES',
    'MRTR-INDEPENDENT',
    'MRTR-STATE-INTEGRITY',
    'MRTR-REREQUEST',
    'MRTR-EXTRA-IGNORED',
    'MRTR-VALIDATE',
    'MRTR-ONE-OF',
    'MRTR-REQ-KIND',
    'MRTR-STATE-STRING',
    'MRTR-NO-CACHE',
    'MRTR-NO-RETRY-ASSUMED',
    'ELI-DECLINE',
    'ELI-VALIDATE',
    'ROOT-UNAVAILABLE',
    'MRTR-STATE-REPLAY',
    'MRTR-KEYS',
  ],
  eras: ['modern'],
  skip: (subject) => (askers(subject).length === 0 ? 'no tool that may be called asks for anything' : undefined),
  cases: (subject) => ({
    boundaries: askers(subject)
      .slice(0, 8)
      .flatMap(({ tool }) => CHANGES.map((change) => ({ tool: tool.name, change }))),
  }),
  async run({ session, subject, open }, { tool, change }) {
    const { judge } = session;
    const args = { name: tool, arguments: subject.tools.find(({ name }) => name === tool)?.sample ?? {} };
    let answer = await ask(session, args);
    if (at(answer.result, 'resultType') !== 'input_required') return;
    const plain =
      change === 'none' || change === 'other connection' || change === 'extra response' || change === 'decline' || change === 'cancel';
    if (change === 'other arguments' || change === 'other tool') return replayed({ session, subject }, answer, { tool, change });
    if (change === 'invalid content' || change === 'no roots') return unfit(session, answer, { args, change });
    if (!plain) {
      const next = spoilt(answer, change);
      if (next === undefined) return;
      const after = await ask(session, { ...args, ...next });
      const done = at(after.result, 'resultType') === 'complete' && after.result?.['isError'] !== true;
      if (change.startsWith('state')) {
        // a state that may be left out influences nothing, and what influences nothing needs no integrity
        const { requestState: _state, ...without } = next;
        const inert = done ? await ask(session, { ...args, ...without }) : undefined;
        const free = inert?.result !== undefined && canonical(steady(inert.result)) === canonical(steady(after.result));
        judge.check(
          'MRTR-STATE-INTEGRITY',
          !done,
          `a requestState that was changed (${change}) is rejected`,
          () => shown(after.message),
          free || change === 'state empty' ? 'warning' : undefined,
        );
      }
      if (change === 'responses dropped')
        judge.check('MRTR-REREQUEST', at(after.result, 'resultType') === 'input_required', 'the question again', () =>
          shown(after.message),
        );
      if (change === 'wrong response') judge.check('MRTR-VALIDATE', !done, 'an error or the question again', () => shown(after.message));
      return;
    }
    let round = 0;
    let elsewhere = session;
    while (at(answer.result, 'resultType') === 'input_required' && round++ < ROUNDS) {
      if (change === 'other connection') elsewhere = await open({ capabilities: ALL });
      const extra = change === 'extra response' ? { 'no-such-key': { action: 'accept', content: {} } } : {};
      const given = responses(answer, change === 'decline' || change === 'cancel' ? change : 'accept');
      answer = await ask(elsewhere, { ...args, ...given, inputResponses: { ...(given['inputResponses'] as JsonObject), ...extra } });
    }
    const complete = at(answer.result, 'resultType') === 'complete';
    if (change === 'decline' || change === 'cancel')
      judge.check('ELI-DECLINE', complete || answer.error !== undefined || round > ROUNDS, 'a result or an error', () =>
        outcomeText(session, answer),
      );
    else
      judge.check(
        { none: 'MRTR-COMPLETES', 'other connection': 'MRTR-INDEPENDENT', 'extra response': 'MRTR-EXTRA-IGNORED' }[change],
        complete,
        `completion within ${ROUNDS} rounds`,
        () => outcomeText(session, answer),
        change === 'other connection' && session.wire.kind === 'stdio' ? 'note' : undefined,
      );
    judge.check(
      'MRTR-NO-RETRY-ASSUMED',
      (await session.request('server/discover')).result !== undefined,
      'other requests are served while questions are left unanswered',
      'no answer',
    );
  },
});

/** The state of one operation is shown to another: it may ask again, or refuse, but not go on. */
async function replayed(
  { session, subject }: { session: Session; subject: Subject },
  answer: Answer,
  { tool, change }: { tool: string; change: Change },
): Promise<void> {
  const right = responses(answer, 'accept');
  if (right['requestState'] === undefined) return;
  const mine = subject.tools.find(({ name }) => name === tool);
  const other = change === 'other tool' ? askers(subject).find((one) => one.tool.name !== tool)?.tool : mine;
  const sample = other?.sample ?? {};
  // a sample without arguments is varied by giving some
  const full = mine === undefined ? undefined : fullSample(mine);
  const base = Object.keys(sample).length === 0 && isObject(full) ? full : sample;
  const varied = change === 'other tool' ? sample : Object.fromEntries(Object.entries(base).map(([key, value]) => [key, another(value)]));
  const validate = compile(other?.definition['inputSchema']);
  if (other === undefined || validate instanceof Error || validate(varied) !== undefined) return;
  if (change === 'other arguments' && JSON.stringify(varied) === JSON.stringify(sample)) return;
  const after = await ask(session, { name: other.name, arguments: varied, ...right });
  const done = at(after.result, 'resultType') === 'complete' && after.result?.['isError'] !== true;
  session.judge.check('MRTR-STATE-REPLAY', !done, `a requestState is bound to its request (${change})`, () => shown(after.message));
}

function another(value: unknown): unknown {
  return typeof value === 'string' ? `${value}x` : typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : value;
}

/** Answers that are well formed and not what was asked for. */
async function unfit(session: Session, answer: Answer, { args, change }: { args: JsonObject; change: Change }): Promise<void> {
  const right = responses(answer, 'accept');
  const requests = at(answer.result, 'inputRequests');
  const wanted = change === 'no roots' ? 'roots/list' : 'elicitation/create';
  const keys = Object.entries(isObject(requests) ? requests : {}).filter(
    ([, one]) => at(one, 'method') === wanted && (change === 'no roots' || isObject(at(one, 'params', 'requestedSchema'))),
  );
  if (keys.length === 0) return;
  const bad = change === 'no roots' ? { roots: [] } : { action: 'accept', content: { noSuchField: { nested: true } } };
  const inputResponses = { ...(right['inputResponses'] as JsonObject), ...Object.fromEntries(keys.map(([key]) => [key, bad])) };
  const after = await ask(session, { ...args, ...right, inputResponses });
  if (change === 'no roots') {
    session.judge.check('ROOT-UNAVAILABLE', after.message !== undefined, 'an answer', () => outcomeText(session, after));
    return;
  }
  const required = keys.some(
    ([, one]) =>
      Array.isArray(at(one, 'params', 'requestedSchema', 'required')) &&
      (at(one, 'params', 'requestedSchema', 'required') as unknown[]).length > 0,
  );
  if (!required) return;
  const done = at(after.result, 'resultType') === 'complete' && after.result?.['isError'] !== true;
  session.judge.check('ELI-VALIDATE', !done, 'content that breaks the schema is not taken', () => shown(after.message));
}

async function ask(session: Session, params: JsonObject): Promise<Answer> {
  return session.request('tools/call', params, { capabilities: ALL });
}

/** The retry's members: every question answered, the state given back. */
function responses(answer: Answer, action: string): JsonObject {
  const requests = at(answer.result, 'inputRequests');
  const state = at(answer.result, 'requestState');
  const inputResponses = Object.fromEntries(
    Object.entries(isObject(requests) ? requests : {}).map(([key, request]) => {
      const [method, params] = [String(at(request, 'method')), at(request, 'params')];
      return [key, method === 'elicitation/create' && action !== 'accept' ? { action } : reply(method, isObject(params) ? params : {})];
    }),
  );
  return { inputResponses, ...(state === undefined ? {} : { requestState: state }) };
}

function spoilt(answer: Answer, change: Change): JsonObject | undefined {
  const right = responses(answer, 'accept');
  const given = right['inputResponses'] as JsonObject;
  const state = right['requestState'];
  if (change.startsWith('state')) {
    if (typeof state !== 'string' || state.length < 4) return undefined;
    const middle = Math.floor(state.length / 2);
    const flipped = `${state.slice(0, middle)}${state[middle] === 'A' ? 'B' : 'A'}${state.slice(middle + 1)}`;
    return {
      ...right,
      requestState: { 'state flipped': flipped, 'state cut': state.slice(0, middle), 'state longer': `${state}AAAA`, 'state empty': '' }[
        change as 'state cut'
      ],
    };
  }
  if (Object.keys(given).length === 0) return undefined;
  if (change === 'responses dropped') return { ...right, inputResponses: {} };
  return { ...right, inputResponses: Object.fromEntries(Object.keys(given).map((key) => [key, 42])) };
}

/** The properties of rounds. */
export const ROUND_TRIPS: readonly Property[] = [rounds];
