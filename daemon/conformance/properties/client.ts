/** The client the tester plays when a server asks: what it declares and what it answers. */
import type { JsonObject } from '../../protocol/message.ts';
import { isObject } from '../../protocol/message.ts';
import type { Answer } from '../engine/exchange.ts';
import { at } from '../engine/judge.ts';
import type { Session } from '../engine/session.ts';
import type { Role, Subject } from '../engine/subject.ts';

/** Capabilities a client may declare, none first. */
export const SUBSETS: readonly JsonObject[] = [
  {},
  { elicitation: {} },
  { elicitation: { form: {} } },
  { elicitation: { url: {} } },
  { sampling: {} },
  { roots: {} },
  { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
];

/** What a client with a model that uses tools declares. */
export const WITH_TOOLS: JsonObject = { sampling: { tools: {} }, elicitation: { form: {}, url: {} }, roots: { listChanged: true } };
/** What a client declares that can be asked for everything. */
export const ALL = SUBSETS[SUBSETS.length - 1] as JsonObject;

/** A right answer to a question. */
export function reply(method: string, params: JsonObject): JsonObject | undefined {
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

/** Why a property that calls tools cannot run. */
export const noneCallable = (subject: Subject): string | undefined =>
  subject.callable.length === 0 && subject.roles.length === 0 ? 'no tool may be called' : undefined;

/** Tools seen asking their client something. */
export const askers = (subject: Subject): readonly Role[] => subject.roles.filter(({ asks }) => asks);

/** Calls made with one set of capabilities: a server may list other tools for it. */
export async function callAll(
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
