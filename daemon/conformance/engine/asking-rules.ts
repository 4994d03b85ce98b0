/** The rules of what a server asks of a client: sampling, elicitation, roots; as requests (legacy) or in `input_required` (modern). */
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { at, type Judge, objectsAt, shown } from './judge.ts';
import type { Model } from './model.ts';

/** Checks one question against the capabilities the client declared. */
export function checkAsking(model: Model, method: string, params: JsonObject, declared: JsonObject): void {
  if (method === 'sampling/createMessage') checkSampling(model, params, declared);
  if (method === 'elicitation/create') checkElicitation(model, params, declared);
  if (method === 'roots/list')
    model.judge.check('ROOT-CAP', isObject(declared['roots']), 'a client that declared roots', () => shown(declared));
}

function checkSampling({ judge }: Model, params: JsonObject, declared: JsonObject): void {
  const what = (): string => shown(params);
  judge.check('SMP-CAP', isObject(declared['sampling']), 'a client that declared sampling', () => shown(declared));
  const tools = Object.hasOwn(params, 'tools') || Object.hasOwn(params, 'toolChoice');
  judge.check('SMP-TOOLS-CAP', !tools || isObject(at(declared, 'sampling', 'tools')), 'tools only for clients with sampling.tools', what);
  const messages = params['messages'];
  const good =
    Array.isArray(messages) &&
    messages.every((message) => ['user', 'assistant'].includes(String(at(message, 'role'))) && at(message, 'content') !== undefined) &&
    typeof params['maxTokens'] === 'number' &&
    ['costPriority', 'speedPriority', 'intelligencePriority'].every((key) => {
      const value = at(params, 'modelPreferences', key);
      return value === undefined || (typeof value === 'number' && value >= 0 && value <= 1);
    });
  judge.check('SMP-SHAPE', good, 'messages with role and content, maxTokens, priorities from 0 to 1', what);
  checkBalance(judge, params);
  const context = params['includeContext'];
  judge.check('SMP-CONTEXT', context === undefined || context === 'none', 'no includeContext', what);
  for (const message of objectsAt(params, 'messages')) {
    const blocks = Array.isArray(message['content']) ? message['content'] : [message['content']];
    const results = blocks.filter((block) => at(block, 'type') === 'tool_result').length;
    if (results > 0)
      judge.check('SMP-TOOLRESULT-ONLY', results === blocks.length, 'only tool results beside tool results', () => shown(message));
  }
}

/** Every `tool_use` of the assistant is answered in the message behind it. */
function checkBalance(judge: Judge, params: JsonObject): void {
  const messages = objectsAt(params, 'messages');
  for (const [index, message] of messages.entries()) {
    const used = blocksOf(message, 'tool_use').map((block) => block['id']);
    if (message['role'] !== 'assistant' || used.length === 0) continue;
    const next = messages[index + 1];
    const answered = next?.['role'] === 'user' ? blocksOf(next, 'tool_result').map((block) => block['toolUseId']) : [];
    judge.check(
      'SMP-TOOL-BALANCE',
      used.every((id) => answered.includes(id)),
      `results for the tool uses ${shown(used)} in the next message`,
      () => shown(next),
    );
  }
}

function blocksOf(message: JsonObject, type: string): readonly JsonObject[] {
  const content = Array.isArray(message['content']) ? message['content'] : [message['content']];
  return content.filter(isObject).filter((block) => block['type'] === type);
}

function checkElicitation(model: Model, params: JsonObject, declared: JsonObject): void {
  const { judge } = model;
  const what = (): string => shown(params);
  const mode = params['mode'] ?? 'form';
  const capability = declared['elicitation'];
  // an empty capability means form only
  const modes = isObject(capability)
    ? Object.keys(capability).some((key) => key === 'form' || key === 'url')
      ? Object.keys(capability)
      : ['form']
    : [];
  judge.check('ELI-CAP', modes.includes(String(mode)), `one of the declared modes ${shown(modes)}`, what);
  judge.check('ELI-MESSAGE', typeof params['message'] === 'string', 'a message', what);
  judge.check('ELI-FORM-MODE', mode === 'form' || mode === 'url', 'mode form or none, or url', what);
  if (mode === 'url') {
    const url = params['url'];
    const good = typeof url === 'string' && URL.canParse(url);
    judge.check(
      'ELI-URL-MEMBERS',
      good && (judge.era === 'modern' || typeof params['elicitationId'] === 'string'),
      'a valid url (and an elicitationId)',
      what,
    );
    if (typeof params['elicitationId'] === 'string') model.elicitations.add(params['elicitationId']);
    if (!good) return;
    const parsed = new URL(url);
    const local = ['localhost', '127.0.0.1', '[::1]'].includes(parsed.hostname);
    judge.check('ELI-URL-HTTPS', parsed.protocol === 'https:' || local, 'an https URL', what);
    judge.check('ELI-URL-NO-PII', !/(?:access_)?token=|password=|email=|@.*@|ssn=/i.test(url), 'no user data in the URL', what);
    return;
  }
  const schema = params['requestedSchema'];
  judge.check(
    'ELI-FORM-SCHEMA',
    isObject(schema) &&
      schema['type'] === 'object' &&
      isObject(schema['properties']) &&
      Object.values(schema['properties']).every(isPrimitive),
    'a flat schema of primitive properties',
    what,
  );
  const words = `${JSON.stringify(at(schema, 'properties') ?? {})} ${String(params['message'])}`;
  judge.check(
    'ELI-NO-SECRETS',
    !/password|passwd|api[ _-]?key|credit[ _-]?card|cvv|\bssn\b|secret|access[ _-]?token/i.test(words),
    'no secrets asked for in a form',
    what,
  );
  judge.check('ELI-NO-FORM-URL', !/https?:\/\//i.test(words), 'no URLs in a form', what);
}

function isPrimitive(schema: unknown): boolean {
  if (!isObject(schema) || schema['$ref'] !== undefined) return false;
  const { type } = schema;
  if (type === 'array')
    return isObject(schema['items']) && (Array.isArray(at(schema, 'items', 'enum')) || Array.isArray(at(schema, 'items', 'anyOf')));
  return (
    type === 'string' ||
    type === 'number' ||
    type === 'integer' ||
    type === 'boolean' ||
    Array.isArray(schema['enum']) ||
    Array.isArray(schema['oneOf'])
  );
}
