/** Servers that ask: sampling, elicitation and roots with every subset of what a client can declare, and the rounds of the modern era. */
import type { JsonObject } from '../../protocol/message.ts';
import { isObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import type { Answer, Session } from '../engine/session.ts';
import type { Role, Subject } from '../engine/subject.ts';
import { outcomeText } from './expect.ts';

/** Capabilities a client may declare, none first. */
const SUBSETS: readonly JsonObject[] = [
  {},
  { elicitation: {} },
  { elicitation: { form: {} } },
  { elicitation: { url: {} } },
  { sampling: {} },
  { roots: {} },
  { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
];
const ALL = SUBSETS[SUBSETS.length - 1] as JsonObject;
const ROUNDS = 10;
const STEMS = [
  'SMP-CAP',
  'SMP-TOOLS-CAP',
  'SMP-SHAPE',
  'SMP-CONTEXT',
  'SMP-TOOLRESULT-ONLY',
  'ELI-CAP',
  'ELI-MESSAGE',
  'ELI-FORM-SCHEMA',
  'ELI-FORM-MODE',
  'ELI-URL-MEMBERS',
  'ELI-URL-HTTPS',
  'ELI-URL-NO-PII',
  'ELI-NO-SECRETS',
  'ELI-NO-FORM-URL',
  'ROOT-CAP',
  'SRV-REQ-ID',
  'LC-NEGOTIATED-ONLY',
  'META-CAP-MISSING',
  'META-CAP-MISSING-400',
  'META-CAP-NOT-INFERRED',
];

/** A right answer to a question. */
function reply(method: string, params: JsonObject): JsonObject | undefined {
  if (method === 'roots/list') return { roots: [{ uri: 'file:///tmp/project', name: 'project' }] };
  if (method === 'sampling/createMessage')
    return { role: 'assistant', content: { type: 'text', text: 'an answer' }, model: 'test', stopReason: 'endTurn' };
  if (method !== 'elicitation/create') return undefined;
  const properties = at(params, 'requestedSchema', 'properties');
  const content = isObject(properties)
    ? Object.fromEntries(Object.entries(properties).map(([key, schema]) => [key, valueFor(schema)]))
    : undefined;
  return { action: 'accept', ...(content === undefined ? {} : { content }) };
}

function valueFor(schema: unknown): unknown {
  const choices = at(schema, 'enum') ?? at(schema, 'items', 'enum');
  const titled = at(schema, 'oneOf', 0, 'const') ?? at(schema, 'items', 'anyOf', 0, 'const');
  const first = Array.isArray(choices) ? choices[0] : titled;
  const type = at(schema, 'type');
  if (type === 'array') return first === undefined ? [] : [first];
  if (first !== undefined) return first;
  if (type === 'boolean') return true;
  if (type === 'number' || type === 'integer') return Math.max(1, Number(at(schema, 'minimum') ?? 1));
  const format = at(schema, 'format');
  const text =
    { email: 'a@example.com', uri: 'https://example.com', date: '2026-01-01', 'date-time': '2026-01-01T00:00:00Z' }[String(format)] ??
    'Ada';
  return text.padEnd(Number(at(schema, 'minLength') ?? 0), 'a');
}

const noTools = (subject: Subject): string | undefined => (subject.callable.length === 0 ? 'no tool may be called' : undefined);
const askers = (subject: Subject): readonly Role[] => subject.roles.filter(({ asks }) => asks);

/** Calls made with one set of capabilities: a server may list other tools for it. */
async function callAll(
  session: Session,
  subject: Subject,
  capabilities: JsonObject,
  visit: (tool: string, answer: Answer) => Promise<void> | void,
): Promise<void> {
  const roles = subject.era === 'modern' ? askers(subject) : subject.roles.filter(({ ms }) => ms < 300);
  for (const { tool } of roles) {
    if (session.ended !== undefined) return;
    await visit(tool.name, await session.request('tools/call', { name: tool.name, arguments: tool.sample ?? {} }, { capabilities }));
  }
}

const subsets = property<{ capabilities: JsonObject }>({
  name: 'asking/capabilities',
  area: 'elicitation',
  phase: 'stateful',
  stems: STEMS,
  skip: noTools,
  cases: () => ({ boundaries: SUBSETS.map((capabilities) => ({ capabilities })) }),
  async run({ subject, open }, { capabilities }) {
    const session = await open({ capabilities, respond: reply });
    for (const stem of ['SMP-CAP', 'ELI-CAP', 'ROOT-CAP', 'LC-NEGOTIATED-ONLY']) session.judge.check(stem, true, '', '');
    await callAll(session, subject, capabilities, async (tool, answer) => {
      if (subject.era === 'legacy' || Object.keys(capabilities).length === 0) return;
      // the same call without capabilities on the same connection: nothing is remembered
      const sample = subject.tools.find(({ name }) => name === tool)?.sample ?? {};
      const bare = await session.request('tools/call', { name: tool, arguments: sample }, { capabilities: {} });
      session.judge.check(
        'META-CAP-NOT-INFERRED',
        at(bare.result, 'resultType') !== 'input_required' || at(bare.result, 'inputRequests') === undefined,
        'no question of a kind this request did not declare',
        () => shown(bare.message),
      );
      if (at(answer.result, 'resultType') === 'input_required' && bare.error !== undefined)
        session.judge.check(
          'META-CAP-MISSING',
          at(bare.error, 'code') === -32021,
          '-32021 for a missing capability',
          () => shown(bare.error),
          'warning',
        );
    });
  },
});

const replies = property<{ kind: 'accept' | 'decline' | 'cancel' | 'error' | 'invalid' }>({
  name: 'asking/replies',
  area: 'elicitation',
  phase: 'stateful',
  stems: ['ELI-DECLINE', 'SMP-ERROR-HANDLED', 'ELI-VALIDATE', 'ROOT-UNAVAILABLE', 'ELI-COMPLETE-ID'],
  eras: ['legacy'],
  skip: noTools,
  cases: () => ({ boundaries: (['accept', 'decline', 'cancel', 'error', 'invalid'] as const).map((kind) => ({ kind })) }),
  async run({ subject, open }, { kind }) {
    let asked: string[] = [];
    const session = await open({
      capabilities: ALL,
      respond: (method, params) => {
        asked.push(method);
        if (kind === 'error') return { code: -1, message: 'User rejected the request' };
        if (method !== 'elicitation/create' || kind === 'accept') return reply(method, params);
        return kind === 'invalid' ? { action: 'accept', content: { noSuchField: { nested: true } } } : { action: kind };
      },
    });
    const { judge } = session;
    await callAll(session, subject, ALL, (_tool, answer) => {
      const stems = {
        'sampling/createMessage': 'SMP-ERROR-HANDLED',
        'elicitation/create': 'ELI-DECLINE',
        'roots/list': 'ROOT-UNAVAILABLE',
      };
      for (const [method, stem] of Object.entries(stems))
        if (asked.includes(method)) judge.check(stem, answer.message !== undefined, 'the call ends', () => outcomeText(session, answer));
      if (kind === 'invalid' && asked.filter((one) => one === 'elicitation/create').length === 1)
        judge.check(
          'ELI-VALIDATE',
          answer.error !== undefined || answer.result?.['isError'] === true,
          'content that breaks the schema is not taken',
          () => shown(answer.message),
          'note',
        );
      asked = [];
    });
  },
});

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
    if (!plain) {
      const next = spoilt(answer, change);
      if (next === undefined) return;
      const after = await ask(session, { ...args, ...next });
      const done = at(after.result, 'resultType') === 'complete' && after.result?.['isError'] !== true;
      if (change.startsWith('state'))
        judge.check(
          'MRTR-STATE-INTEGRITY',
          !done,
          `a requestState that was changed (${change}) is rejected`,
          () => shown(after.message),
          change === 'state empty' ? 'warning' : undefined,
        );
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

/** The properties of questions. */
export const ASKING: readonly Property[] = [subsets, replies, rounds];
