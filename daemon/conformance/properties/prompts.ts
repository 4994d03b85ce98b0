/** Prompts: with every text, with arguments missing or of the wrong type. */
import fc from 'fast-check';
import type { JsonObject } from '../../protocol/message.ts';
import { at, objectsAt, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import { anyText } from '../generators/text.ts';
import { lacks, outcomeText, refused } from './expect.ts';

/** Items read of a long list. */
const SAMPLED = 15;

function fill(prompt: JsonObject, value: string): JsonObject {
  return Object.fromEntries(objectsAt(prompt, 'arguments').map((one) => [String(one['name']), value]));
}

/** The required arguments of a prompt, and no others. */
function needed(prompt: JsonObject | undefined): JsonObject {
  const required = objectsAt(prompt, 'arguments').filter((one) => one['required'] === true);
  return Object.fromEntries(required.map(({ name }) => [String(name), 'a']));
}

const prompts = property<{ name: string; args: JsonObject }>({
  name: 'prompts/get',
  area: 'prompts',
  phase: 'fuzz',
  stems: ['PRM-ACCEPT', 'PRM-MESSAGES', 'PRM-INJECTION', 'PRM-INTERNAL'],
  skip: (subject) => lacks('prompts')(subject) ?? (subject.prompts.length === 0 ? 'no prompt is listed' : undefined),
  cases(subject) {
    const drawn = subject.prompts.map((prompt) =>
      anyText.map((text) => ({ name: String(prompt['name']), args: fill(prompt, text.toWellFormed()) })),
    );
    return {
      boundaries: subject.prompts.slice(0, SAMPLED).flatMap((prompt) => [
        { name: String(prompt['name']), args: needed(prompt) },
        ...['a', '', 'é😀', '{"role":"assistant"}', '${x} {{y}}', 'x'.repeat(20_000)].map((value) => ({
          name: String(prompt['name']),
          args: fill(prompt, value),
        })),
      ]),
      arbitrary: fc.oneof(...drawn),
    };
  },
  async run({ session, subject }, { name, args }) {
    const answer = await session.request('prompts/get', { name, ...(Object.keys(args).length === 0 ? {} : { arguments: args }) });
    const code = at(answer.error, 'code');
    // a prompt may know better which texts it takes: -32602 is its right, anything else is not
    if (answer.message !== undefined)
      session.judge.check(
        'PRM-ACCEPT',
        answer.result !== undefined || (code === -32602 && Object.keys(args).length > 0),
        'a result for required arguments given as strings',
        () => outcomeText(session, answer),
      );
    const whole = fill(subject.prompts.find((one) => one['name'] === name) ?? {}, 'a');
    if (code === -32602 && Object.keys(whole).length > Object.keys(args).length) {
      const complete = await session.request('prompts/get', { name, arguments: whole });
      session.judge.check('PRM-ACCEPT', complete.result === undefined, 'a result without the arguments that are not required', () =>
        outcomeText(session, answer),
      );
    }
    session.judge.check(
      'PRM-INTERNAL',
      code === undefined || code === -32602 || code === -32603,
      '-32603 for what is no parameter error',
      () => shown(answer.error),
    );
    if (answer.result === undefined || !Object.values(args).some((value) => String(value).includes('role'))) return;
    const plain = await session.request('prompts/get', { name, arguments: Object.fromEntries(Object.keys(args).map((key) => [key, 'a'])) });
    const roles = (one: JsonObject | undefined): string => canonical(objectsAt(one, 'messages').map(({ role }) => role));
    if (plain.result !== undefined)
      session.judge.check(
        'PRM-INJECTION',
        roles(plain.result) === roles(answer.result),
        'the same messages and roles whatever the text',
        () => shown(answer.result),
      );
  },
});

const badPrompts = property<{ params: JsonObject; stem: string; what: string }>({
  name: 'prompts/invalid',
  area: 'prompts',
  phase: 'boundaries',
  stems: ['PRM-UNKNOWN', 'PRM-MISSING-ARG', 'PRM-VALIDATE'],
  skip: lacks('prompts'),
  cases(subject) {
    const names = new Set(subject.prompts.map(({ name }) => name));
    const list: { params: JsonObject; stem: string; what: string }[] = [];
    const flips = subject.prompts.slice(0, 3).map(({ name }) => String(name).toUpperCase());
    for (const name of ['noSuchPrompt', '', '__proto__', 'constructor', 'é😀', ...flips])
      if (!names.has(name)) list.push({ params: { name }, stem: 'PRM-UNKNOWN', what: `the prompt ${shown(name)}` });
    for (const prompt of subject.prompts.slice(0, SAMPLED)) {
      const wanted = objectsAt(prompt, 'arguments');
      const full = Object.fromEntries(wanted.map((one) => [String(one['name']), 'a']));
      for (const one of wanted.filter(({ required }) => required === true)) {
        const { [String(one['name'])]: _left, ...rest } = full;
        list.push({
          params: { name: prompt['name'], arguments: rest },
          stem: 'PRM-MISSING-ARG',
          what: `the missing argument ${String(one['name'])}`,
        });
      }
      const first = wanted[0];
      if (first !== undefined)
        for (const value of [1, null, ['a'], { a: 1 }, true])
          list.push({
            params: { name: prompt['name'], arguments: { ...full, [String(first['name'])]: value } },
            stem: 'PRM-VALIDATE',
            what: `the argument ${shown(value)}`,
          });
    }
    return { boundaries: list };
  },
  async run({ session }, { params, stem, what }) {
    const answer = await session.request('prompts/get', params);
    if (answer.message === undefined) return;
    refused(session, answer, stem, { codes: [-32602], what });
  },
});

/** The properties of prompts. */
export const PROMPTS: readonly Property[] = [prompts, badPrompts];
