/** Answers as they are compared, and the questions modern ones may hold (2026-07-28, "Multi round-trip requests"). */
import { withoutRound } from '../../protocol/asking.ts';
import { isObject, type JsonObject, type Request, type Response } from '../../protocol/message.ts';
import { canonical } from './canonical.ts';
import { differences, type PlaceRules } from './difference.ts';

/** A response without its envelope: `{result}` or `{error}`. */
export function bodyOf(response: Response): JsonObject {
  return 'error' in response ? { error: response.error } : { result: response.result };
}

/** `inputRequests` of an answer that asks for input. */
function questionsOf(body: JsonObject): JsonObject | undefined {
  const { result } = body;
  if (!isObject(result) || result['resultType'] !== 'input_required') return undefined;
  return isObject(result['inputRequests']) ? result['inputRequests'] : {};
}

/**
 * The live answer with the keys of its questions as recorded; and which key became which where the question is the same. What is left is
 * laid side by side in order, so that a question in other words is a change in it and not two questions.
 */
export function renamedQuestions(
  recorded: JsonObject,
  live: JsonObject,
  rules: PlaceRules,
): { readonly body: JsonObject; readonly pairs: readonly (readonly [recorded: string, live: string])[] } {
  const [before, after] = [questionsOf(recorded), questionsOf(live)];
  if (before === undefined || after === undefined) return { body: live, pairs: [] };
  const left = new Map(Object.entries(after).filter(([key]) => !Object.hasOwn(before, key)));
  const pairs: (readonly [string, string])[] = [];
  for (const [key, question] of Object.entries(before)) {
    if (Object.hasOwn(after, key)) continue;
    const other = [...left].find(([, one]) => differences(question, one, rules).changes.length === 0)?.[0];
    if (other === undefined) continue;
    left.delete(other);
    pairs.push([key, other]);
  }
  const rest = Object.keys(before).filter((key) => !Object.hasOwn(after, key) && !pairs.some(([old]) => old === key));
  const beside = [...left.keys()].flatMap((now, index) => (rest[index] === undefined ? [] : [[rest[index], now] as const]));
  const names = new Map([...pairs, ...beside].map(([old, now]) => [now, old]));
  if (names.size === 0) return { body: live, pairs };
  const inputRequests = Object.fromEntries(Object.entries(after).map(([key, question]) => [names.get(key) ?? key, question]));
  return { body: { ...live, result: { ...(live['result'] as JsonObject), inputRequests } }, pairs };
}

/** Whether both answers ask the same, or neither asks anything. */
export function sameQuestions(recorded: JsonObject, live: JsonObject, rules: PlaceRules): boolean {
  const [before, after] = [questionsOf(recorded), questionsOf(live)];
  if (before === undefined) return true; // nothing follows that would answer it
  return after !== undefined && differences(before, after, rules).changes.length === 0;
}

/** One text for the rounds of one request. */
export function roundKey({ method, params }: Request): string {
  const { _meta, ...rest } = withoutRound(params) ?? {};
  return `${method} ${canonical(rest)}`;
}
