import type { JsonObject } from '../../protocol/message.ts';
import { at, objectsAt, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import { has, lacks, outcomeText, refused } from './expect.ts';

const completion = property<{ ref: JsonObject; argument: JsonObject; good: boolean; stem: string }>({
  name: 'completion/complete',
  area: 'completion',
  phase: 'boundaries',
  stems: ['CMP-MAX100', 'CMP-VALUES-STRING', 'CMP-TOTAL', 'CMP-INVALID-REF', 'CMP-VALIDATE', 'CMP-RELEVANCE', 'CMP-MISSING-ARG'],
  skip: lacks('completions'),
  cases(subject) {
    const list: { ref: JsonObject; argument: JsonObject; good: boolean; stem: string }[] = [];
    const values = ['', 'a', 'e', 'é😀', '__proto__', 'x'.repeat(10_000)];
    for (const prompt of subject.prompts.slice(0, 6))
      for (const one of objectsAt(prompt, 'arguments').slice(0, 3))
        for (const value of values)
          list.push({ ref: { type: 'ref/prompt', name: prompt['name'] }, argument: { name: one['name'], value }, good: true, stem: '' });
    for (const template of subject.templates.slice(0, 6))
      for (const match of String(template['uriTemplate']).matchAll(/\{[+#./;?&]?([A-Za-z0-9_]+)/g))
        for (const value of values)
          list.push({
            ref: { type: 'ref/resource', uri: template['uriTemplate'] },
            argument: { name: match[1], value },
            good: true,
            stem: '',
          });
    const some = list[0]?.ref ?? { type: 'ref/prompt', name: 'none' };
    const argument = list[0]?.argument ?? { name: 'a', value: '' };
    const bad = (ref: JsonObject, arg: JsonObject, stem: string): number => list.push({ ref, argument: arg, good: false, stem });
    bad({ type: 'ref/prompt', name: 'noSuchPrompt' }, argument, 'CMP-INVALID-REF');
    bad({ type: 'ref/resource', uri: 'nosuch://{x}' }, argument, 'CMP-INVALID-REF');
    bad({ type: 'ref/nothing', name: 'a' }, argument, 'CMP-INVALID-REF');
    bad(some, { name: argument['name'] }, 'CMP-MISSING-ARG');
    bad(some, { value: 'a' }, 'CMP-MISSING-ARG');
    bad({}, argument, 'CMP-MISSING-ARG');
    bad(some, { ...argument, value: 1 }, 'CMP-VALIDATE');
    bad(some, { ...argument, value: { a: 1 } }, 'CMP-VALIDATE');
    return { boundaries: list };
  },
  async run({ session }, { ref, argument, good, stem }) {
    const answer = await session.request('completion/complete', { ref, argument });
    if (answer.message === undefined) return;
    if (!good) {
      // the SDKs answer an unknown reference with an empty list: a warning at most by its level
      refused(session, answer, stem, { codes: [-32602], what: `${shown(ref)} ${shown(argument)}` });
      return;
    }
    session.judge.check('CMP-VALIDATE', answer.result !== undefined || at(answer.error, 'code') === -32602, 'values', () =>
      outcomeText(session, answer),
    );
    const again = await session.request('completion/complete', { ref, argument });
    session.judge.check(
      'CMP-RELEVANCE',
      canonical(at(answer.result, 'completion', 'values') ?? null) === canonical(at(again.result, 'completion', 'values') ?? null),
      'the same order for the same query',
      () => shown(again.result),
      'note',
    );
  },
});

const noCompletion = property<{ name: string }>({
  name: 'completion/undeclared',
  area: 'completion',
  phase: 'boundaries',
  stems: ['CMP-CAP', 'CMP-NOT-SUPPORTED'],
  skip: has('completions'),
  cases: () => ({ boundaries: [{ name: 'a' }] }),
  async run({ session, subject }, { name }) {
    const prompt = subject.prompts[0]?.['name'] ?? name;
    const answer = await session.request('completion/complete', {
      ref: { type: 'ref/prompt', name: prompt },
      argument: { name: 'a', value: '' },
    });
    session.judge.check('CMP-CAP', answer.result === undefined, 'no completion without the capability', () => shown(answer.message));
    if (answer.message !== undefined)
      session.judge.check('CMP-NOT-SUPPORTED', at(answer.error, 'code') === -32601, '-32601', () => outcomeText(session, answer));
  },
});

/** The properties of completion. */
export const COMPLETION: readonly Property[] = [completion, noCompletion];
