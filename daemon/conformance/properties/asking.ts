/** Servers that ask: sampling, elicitation and roots with every subset of what a client can declare. */
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { at, objectsAt, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { call } from './calling.ts';
import { ALL, askers, callAll, noneCallable, reply, SUBSETS, WITH_TOOLS } from './client.ts';
import { cheapMethod, outcomeText } from './expect.ts';

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

const subsets = property<{ capabilities: JsonObject }>({
  name: 'asking/capabilities',
  area: 'elicitation',
  phase: 'stateful',
  stems: STEMS,
  skip: noneCallable,
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
  stems: [
    'ELI-DECLINE',
    'ELI-32042-URL',
    'SMP-ERROR-HANDLED',
    'ELI-VALIDATE',
    'ROOT-UNAVAILABLE',
    'ELI-COMPLETE-ID',
    'SRV-REQ-ID',
    'HTTP-CLIENT-RESPONSE-202',
  ],
  eras: ['legacy'],
  skip: noneCallable,
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
    // a second question of the same session has an id of its own
    for (const { tool } of kind === 'accept' ? askers(subject) : [])
      await session.request('tools/call', { name: tool.name, arguments: tool.sample ?? {} });
  },
});

/** Rounds after which a model that never stops using tools is left alone. */
const ROUNDS = 60;
/** Rounds a tool loop may take (the plan's default). */
const LIMIT = 50;

/** A model that uses two tools at once, whatever is said to it. */
function useOfTools(params: JsonObject, round: number): JsonObject | undefined {
  const tools = objectsAt(params, 'tools');
  const [first] = tools;
  if (first === undefined) return undefined;
  const uses = [first, tools[1] ?? first].map(({ name }, index) => ({ type: 'tool_use', id: `use-${round}-${index}`, name, input: {} }));
  return { role: 'assistant', content: uses, model: 'test', stopReason: 'toolUse' };
}

const loops = property<{ tool: string }>({
  name: 'asking/tool-loop',
  area: 'sampling',
  phase: 'stateful',
  stems: ['SMP-TOOL-BALANCE', 'SMP-LOOP-LIMIT', 'SMP-TOOLRESULT-ONLY'],
  skip: (subject) =>
    noneCallable(subject) ?? (subject.roles.some(({ asks }) => asks) ? undefined : 'no tool that may be called asks for anything'),
  cases: (subject) => ({
    boundaries: askers(subject)
      .slice(0, 8)
      .map(({ tool }) => ({ tool: tool.name })),
  }),
  async run({ subject, open }, { tool }) {
    let rounds = 0;
    const respond = (method: string, params: JsonObject): JsonObject | undefined => {
      if (method !== 'sampling/createMessage' || ++rounds > ROUNDS) return reply(method, params);
      return useOfTools(params, rounds) ?? reply(method, params);
    };
    const session = await open({ capabilities: WITH_TOOLS, respond });
    const args = { name: tool, arguments: subject.tools.find(({ name }) => name === tool)?.sample ?? {} };
    let answer = await session.request('tools/call', args);
    while (subject.era === 'modern' && at(answer.result, 'resultType') === 'input_required' && rounds <= ROUNDS) {
      const requests = at(answer.result, 'inputRequests');
      const before = rounds;
      const inputResponses = Object.fromEntries(
        Object.entries(isObject(requests) ? requests : {}).map(([key, one]) => {
          const params = at(one, 'params');
          return [key, respond(String(at(one, 'method')), isObject(params) ? params : {})];
        }),
      );
      if (rounds === before) rounds++;
      const state = at(answer.result, 'requestState');
      answer = await session.request('tools/call', { ...args, inputResponses, ...(state === undefined ? {} : { requestState: state }) });
    }
    if (rounds > 1) session.judge.check('SMP-LOOP-LIMIT', rounds <= LIMIT, `an end within ${LIMIT} rounds`, `${rounds} rounds`);
  },
});

const rootsChanged = property<{ times: number; during: boolean }>({
  name: 'asking/roots-changed',
  area: 'roots',
  phase: 'stateful',
  stems: ['ROOT-CHANGED'],
  eras: ['legacy'],
  cases: () => ({
    boundaries: [
      { times: 1, during: false },
      { times: 3, during: true },
    ],
  }),
  async run({ subject, open }, { times, during }) {
    let asked = 0;
    const session = await open({
      capabilities: WITH_TOOLS,
      respond: (method, params) => {
        if (method === 'roots/list') asked++;
        return method === 'roots/list' && asked > 1 ? { roots: [] } : reply(method, params);
      },
    });
    const before = session.judge.violations.length;
    const role = during ? subject.roles.find(({ failed, asks, ms }) => !failed && !asks && ms < 1500) : undefined;
    const running = role === undefined ? undefined : call(session, role, {});
    for (let round = 0; round < times; round++) await session.notify('notifications/roots/list_changed', undefined, { settle: false });
    await running;
    const answer = await session.request(cheapMethod(subject));
    session.judge.check(
      'ROOT-CHANGED',
      answer.result !== undefined && !session.judge.violations.slice(before).some(({ id }) => id.endsWith('RPC-NO-REPLY-NOTIF')),
      'requests are served as before',
      () => outcomeText(session, answer),
    );
  },
});

/** The properties of questions. */
export const ASKING: readonly Property[] = [subsets, replies, loops, rootsChanged];
