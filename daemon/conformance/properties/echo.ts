/** A tool or a prompt that gives a text back: through it the tester sees what becomes of what it sends. */
import { isObject, type JsonObject } from '../../protocol/message.ts';
import type { Answer } from '../engine/exchange.ts';
import { at, objectsAt } from '../engine/judge.ts';
import type { Session } from '../engine/session.ts';
import type { Subject } from '../engine/subject.ts';
import { compile } from '../engine/validator.ts';

/** Something that echoes. */
export interface Echo {
  readonly method: 'tools/call' | 'prompts/get';
  readonly name: string;
  params(text: string): JsonObject;
  /** Whether a text is valid there. */
  takes(text: string): boolean;
}

const PROBE = 'plain-words';
/** A text that may be no longer than this is no text for anything. */
const LONG = 40;
/** Tools and prompts tried. */
const TRIED = 6;
const known = new WeakMap<object, Echo | null>();

/** The first tool or prompt that gives its text back; looked for once for each server. */
export async function echoOf(session: Session, subject: Subject): Promise<Echo | undefined> {
  const found = known.get(subject.tools);
  if (found !== undefined) return found ?? undefined;
  for (const echo of candidates(subject)) {
    const probe = async (): Promise<boolean> => echoed(await session.request(echo.method, echo.params(PROBE)), PROBE);
    // one that gives back what it was told before is an echo too, a bad one
    if (!(await probe()) && !(await probe())) continue;
    known.set(subject.tools, echo);
    return echo;
  }
  known.set(subject.tools, null);
  return undefined;
}

function candidates(subject: Subject): readonly Echo[] {
  const tools = subject.callable.flatMap(({ name, definition, sample }): Echo[] => {
    const key = Object.keys(sample ?? {}).find((one) => isFree(definition, one));
    if (key === undefined) return [];
    const validate = compile(definition['inputSchema']);
    return [
      {
        method: 'tools/call',
        name,
        params: (text) => ({ name, arguments: { ...sample, [key]: text } }),
        takes: (text) => !(validate instanceof Error) && validate({ ...sample, [key]: text }) === undefined,
      },
    ];
  });
  const prompts = subject.prompts.flatMap((prompt): Echo[] => {
    const names = objectsAt(prompt, 'arguments').map((one) => String(one['name']));
    const [name, key] = [String(prompt['name']), names[0]];
    if (key === undefined) return [];
    return [
      {
        method: 'prompts/get',
        name,
        params: (text) => ({ name, arguments: { ...Object.fromEntries(names.map((one) => [one, 'a'])), [key]: text } }),
        takes: () => true,
      },
    ];
  });
  return [...tools.slice(0, TRIED), ...prompts.slice(0, TRIED)];
}

/** Whether an answer is a success that has the text in it, as it is or as a JSON string. */
export function echoed(answer: Answer, text: string): boolean {
  return (
    answer.result?.['isError'] !== true &&
    texts(answer).some((one) => one.includes(text) || one.includes(JSON.stringify(text).slice(1, -1)))
  );
}

/** The texts of a result. */
export function texts(answer: Answer): readonly string[] {
  const blocks = [...objectsAt(answer.result, 'content'), ...objectsAt(answer.result, 'messages').map((one) => one['content'])];
  return blocks.map((block) => at(block, 'text')).filter((text): text is string => typeof text === 'string');
}

/** Whether a property of a tool takes any text. */
export function isFree(definition: JsonObject, key: string): boolean {
  const schema = at(definition, 'inputSchema', 'properties', key);
  return (
    isObject(schema) &&
    schema['type'] === 'string' &&
    !['enum', 'const', 'pattern', 'format'].some((word) => Object.hasOwn(schema, word)) &&
    Number(schema['maxLength'] ?? 1000) >= LONG
  );
}
