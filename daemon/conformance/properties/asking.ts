/** Servers that ask: sampling, elicitation and roots with every subset of what a client can declare. */
import type { JsonObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { ALL, callAll, noneCallable, reply, SUBSETS } from './client.ts';
import { outcomeText } from './expect.ts';

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
  stems: ['ELI-DECLINE', 'SMP-ERROR-HANDLED', 'ELI-VALIDATE', 'ROOT-UNAVAILABLE', 'ELI-COMPLETE-ID'],
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
  },
});

/** The properties of questions. */
export const ASKING: readonly Property[] = [subsets, replies];
