/** The shapes of results and notifications, written after `schema.ts` of both revisions, as JSON Schema. Unknown members are allowed. */
import type { Era } from '../../protocol/eras.ts';
import { type Validate, validatorOf } from './validator.ts';

type Schema = Record<string, unknown>;

const string: Schema = { type: 'string' };
const boolean: Schema = { type: 'boolean' };
const object: Schema = { type: 'object' };
const list = (items: Schema): Schema => ({ type: 'array', items });
const shape = (properties: Record<string, Schema>, ...required: readonly string[]): Schema => ({ type: 'object', properties, required });

const annotations = shape({
  audience: list({ enum: ['user', 'assistant'] }),
  priority: { type: 'number', minimum: 0, maximum: 1 },
  lastModified: string,
});
const icons = list(shape({ src: string, mimeType: string, sizes: list(string) }, 'src'));
const named: Record<string, Schema> = { name: string, title: string, description: string, icons, _meta: object };
const contents: Schema = {
  ...shape({ uri: string, mimeType: string, text: string, blob: string, _meta: object }, 'uri'),
  oneOf: [{ required: ['text'] }, { required: ['blob'] }],
};

const BLOCKS: Readonly<Record<string, Schema>> = {
  text: shape({ text: string }, 'text'),
  image: shape({ data: string, mimeType: string }, 'data', 'mimeType'),
  audio: shape({ data: string, mimeType: string }, 'data', 'mimeType'),
  resource_link: shape({ ...named, uri: string, mimeType: string, size: { type: 'number' } }, 'uri', 'name'),
  resource: shape({ resource: contents }, 'resource'),
};

const block: Schema = {
  type: 'object',
  required: ['type'],
  properties: { type: { enum: Object.keys(BLOCKS) }, annotations, _meta: object },
  allOf: Object.entries(BLOCKS).map(([type, schema]) => ({
    if: { properties: { type: { const: type } }, required: ['type'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: schema,
  })),
};

const toolShape = shape(
  {
    ...named,
    inputSchema: object,
    outputSchema: object,
    annotations: shape({ title: string, readOnlyHint: boolean, destructiveHint: boolean, idempotentHint: boolean, openWorldHint: boolean }),
  },
  'name',
  'inputSchema',
);
const resourceShape = shape({ ...named, uri: string, mimeType: string, annotations, size: { type: 'number' } }, 'uri', 'name');
const templateShape = shape({ ...named, uriTemplate: string, mimeType: string, annotations }, 'uriTemplate', 'name');
const promptShape = shape(
  { ...named, arguments: list(shape({ name: string, title: string, description: string, required: boolean }, 'name')) },
  'name',
);
const listChanged = shape({ listChanged: boolean });
const capabilities = shape({
  tools: listChanged,
  prompts: listChanged,
  resources: shape({ listChanged: boolean, subscribe: boolean }),
  logging: object,
  completions: object,
  experimental: { type: 'object', additionalProperties: object },
  extensions: { type: 'object', additionalProperties: object },
});
const implementation = shape({ ...named, version: string, websiteUrl: string }, 'name', 'version');
const page = (key: string, items: Schema): Schema => shape({ [key]: list(items), nextCursor: string, _meta: object }, key);

const RESULTS: Readonly<Record<string, Schema>> = {
  initialize: shape(
    { protocolVersion: string, capabilities, serverInfo: implementation, instructions: string },
    'protocolVersion',
    'capabilities',
    'serverInfo',
  ),
  'server/discover': shape(
    { supportedVersions: { ...list(string), minItems: 1, uniqueItems: true }, capabilities, instructions: string },
    'supportedVersions',
    'capabilities',
  ),
  'tools/list': page('tools', toolShape),
  'tools/call': shape({ content: list(block), isError: boolean, _meta: object }, 'content'),
  'resources/list': page('resources', resourceShape),
  'resources/templates/list': page('resourceTemplates', templateShape),
  'resources/read': shape({ contents: list(contents), _meta: object }, 'contents'),
  'prompts/list': page('prompts', promptShape),
  'prompts/get': shape(
    { description: string, messages: list(shape({ role: { enum: ['user', 'assistant'] }, content: block }, 'role', 'content')) },
    'messages',
  ),
  'completion/complete': shape(
    { completion: shape({ values: { ...list(string), maxItems: 100 }, total: { type: 'integer' }, hasMore: boolean }, 'values') },
    'completion',
  ),
};

const token: Schema = { type: ['string', 'integer'] };
const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];
const NOTIFICATIONS: Readonly<Record<string, Schema>> = {
  'notifications/progress': shape(
    { progressToken: token, progress: { type: 'number' }, total: { type: 'number' }, message: string },
    'progressToken',
    'progress',
  ),
  'notifications/message': shape({ level: { enum: levels }, logger: string, data: {} }, 'level', 'data'),
  'notifications/cancelled': shape({ requestId: token, reason: string }),
  'notifications/resources/updated': shape({ uri: string }, 'uri'),
  'notifications/resources/list_changed': object,
  'notifications/tools/list_changed': object,
  'notifications/prompts/list_changed': object,
  'notifications/elicitation/complete': shape({ elicitationId: string }, 'elicitationId'),
  'notifications/tasks/status': shape({ taskId: string, status: string }, 'taskId', 'status'),
  'notifications/subscriptions/acknowledged': shape({ notifications: object }, 'notifications'),
};

/** The eight levels of log messages, least severe first. */
export const LOG_LEVELS: readonly string[] = levels;

const compiled = new Map<string, Validate>();

function of(table: Readonly<Record<string, Schema>>, name: string): Validate | undefined {
  const schema = Object.hasOwn(table, name) ? table[name] : undefined;
  if (schema === undefined) return undefined;
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const made = validatorOf(schema);
  compiled.set(name, made);
  return made;
}

/** The validator of a complete result; undefined for a method we have no shape of. */
export function resultShape(method: string, era: Era): Validate | undefined {
  const made = of(RESULTS, method);
  // Up to 2025-11-25 structured content is an object; later it is any JSON value (SEP-2106).
  if (method !== 'tools/call' || era === 'modern' || made === undefined) return made;
  return (value) => made(value) ?? STRUCTURED(value);
}
const STRUCTURED = validatorOf(shape({ structuredContent: object }));

/** The validator of a notification's params; undefined for an unknown method. */
export function notificationShape(method: string): Validate | undefined {
  return of(NOTIFICATIONS, method);
}

/** The validator of the capabilities a server declares. */
export const capabilityShape: Validate = validatorOf(capabilities);
/** The validator of one content block. */
export const blockShape: Validate = validatorOf(block);
/** The validator of the items of `resources/read`. */
export const contentsShape: Validate = validatorOf(contents);
