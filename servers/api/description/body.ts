/** The body of a request and the schema of its answer. */
import type { JsonObject } from '../../plugin/define.ts';
import { type Description, isObject, list } from './document.ts';
import { propertyName } from './names.ts';
import type { Body } from './operation.ts';
import { firstExample } from './parameters.ts';
import type { SchemaReader } from './schema.ts';

const NODES = 600;
const RESPONSE_NODES = 120;
const JSON_TYPE = /^(?:application|text)\/(?:[\w.+-]*\+)?json\b|^\*\/\*$|^application\/\*$/iu;
const FILE_SCHEMA: JsonObject = {
  type: 'object',
  description: 'A file: its content as "text" or as "base64".',
  properties: {
    filename: { type: 'string', maxLength: 255 },
    contentType: { type: 'string', maxLength: 127, pattern: '^[\\w.+-]+/[\\w.+-]+$' },
    text: { type: 'string' },
    base64: { type: 'string', contentEncoding: 'base64', pattern: '^[A-Za-z0-9+/_-]*={0,2}$' },
  },
  additionalProperties: false,
};

/** The body, in the first of its media types that can be written: JSON, form, multipart, text, binary. @throws Error with the reason */
export function bodyOf(
  description: Description,
  operation: JsonObject,
  reader: SchemaReader,
  taken: Set<string>,
): { readonly body: Body | undefined; readonly defs: JsonObject } {
  if (operation['requestBody'] === undefined) return { body: undefined, defs: {} };
  const request = description.object(operation['requestBody']);
  const content = isObject(request['content']) ? request['content'] : {};
  const required = request['required'] === true;
  const chosen = chooseMedia(Object.keys(content));
  if (chosen === undefined) {
    if (!required) return { body: undefined, defs: {} };
    throw new Error(`its body has no content type that can be written (${Object.keys(content).join(', ').slice(0, 200) || 'none'})`);
  }
  const media = description.object(content[chosen.type]);
  const base = { property: propertyName('body', taken), required, contentType: chosen.written, kind: chosen.kind };
  if (chosen.kind === 'binary') {
    const schema = {
      type: 'string',
      contentEncoding: 'base64',
      pattern: '^[A-Za-z0-9+/_-]*={0,2}$',
      description: `The content (${chosen.written}), as base64.`,
    };
    return { body: { ...base, schema, files: [], partTypes: {} }, defs: {} };
  }
  if (chosen.kind === 'text') {
    const schema = { type: 'string', description: `The content (${chosen.written}), as text.` };
    return { body: { ...base, schema, files: [], partTypes: {} }, defs: {} };
  }
  const read = reader.read(media['schema'], NODES);
  const { files, partTypes } = chosen.kind === 'multipart' ? partsOf(description, media) : { files: [], partTypes: {} };
  const example = media['example'] ?? firstExample(description, media['examples']);
  const words = typeof request['description'] === 'string' ? request['description'].slice(0, 600) : undefined;
  const properties = isObject(read.schema['properties']) ? { ...read.schema['properties'] } : {};
  for (const file of files)
    properties[file] = isListOfFiles(description, media, file) ? { type: 'array', items: FILE_SCHEMA } : FILE_SCHEMA;
  const schema: JsonObject = {
    ...read.schema,
    // Forms have fields; a schema that leaves the type open would let anything else through.
    ...(chosen.kind !== 'json' ? { type: 'object' } : {}),
    ...(files.length === 0 ? {} : { properties }),
    ...(words === undefined || read.schema['description'] !== undefined ? {} : { description: words }),
    ...(example === undefined || JSON.stringify(example).length > 1500 ? {} : { examples: [example] }),
  };
  return { body: { ...base, schema, files, partTypes }, defs: read.defs };
}

/** The schema of the first successful JSON answer. */
export function responseOf(
  description: Description,
  operation: JsonObject,
  reader: SchemaReader,
): { schema: JsonObject; defs: JsonObject } | undefined {
  const responses = isObject(operation['responses']) ? operation['responses'] : {};
  const status = Object.keys(responses).find((each) => /^2(?:\d\d|XX)$/iu.test(each)) ?? ('default' in responses ? 'default' : undefined);
  if (status === undefined) return undefined;
  try {
    const content = description.object(responses[status])['content'];
    const type = isObject(content) ? Object.keys(content).find((each) => JSON_TYPE.test(each)) : undefined;
    if (type === undefined || !isObject(content)) return undefined;
    return reader.read(description.object(content[type])['schema'], RESPONSE_NODES);
  } catch {
    // An answer whose schema cannot be read is still an answer; the tool then promises nothing about it.
    return undefined;
  }
}

/** Content types of the successful answers, for Accept. */
export function acceptOf(description: Description, operation: JsonObject): string | undefined {
  const responses = isObject(operation['responses']) ? operation['responses'] : {};
  const types = new Set<string>();
  for (const [status, raw] of Object.entries(responses)) {
    if (!/^2/u.test(status)) continue;
    try {
      const content = description.object(raw)['content'];
      if (isObject(content))
        for (const type of Object.keys(content)) if (/^[\w.+*-]+\/[\w.+*-]+$/u.test(type)) types.add(type.toLowerCase());
    } catch {
      // Listed without what it refers to.
    }
  }
  if (types.size === 0) return undefined;
  const sorted = [...types].sort((one, other) => Number(JSON_TYPE.test(other)) - Number(JSON_TYPE.test(one))).slice(0, 5);
  return [...sorted, '*/*;q=0.1'].join(', ');
}

function chooseMedia(types: readonly string[]): { type: string; written: string; kind: Body['kind'] } | undefined {
  const found = (test: RegExp): string | undefined => types.find((type) => test.test(type.trim()));
  const json = found(/^application\/json\b/iu) ?? found(/^application\/merge-patch\+json\b/iu) ?? found(JSON_TYPE);
  if (json !== undefined) return { type: json, written: json.includes('*') ? 'application/json' : plain(json), kind: 'json' };
  const form = found(/^application\/x-www-form-urlencoded\b/iu);
  if (form !== undefined) return { type: form, written: 'application/x-www-form-urlencoded', kind: 'form' };
  const multipart = found(/^multipart\/(?:form-data|mixed|related)\b/iu);
  if (multipart !== undefined) return { type: multipart, written: 'multipart/form-data', kind: 'multipart' };
  const text = found(/^text\/|^application\/(?:[\w.+-]*\+)?(?:xml|yaml|x-yaml|graphql|sql|x-ndjson|jsonl|javascript)\b/iu);
  if (text !== undefined) return { type: text, written: text.includes('*') ? 'text/plain' : plain(text), kind: 'text' };
  const other = types.find((type) => /^[\w.+*-]+\/[\w.+*-]+/u.test(type));
  return other === undefined
    ? undefined
    : { type: other, written: other.includes('*') ? 'application/octet-stream' : plain(other), kind: 'binary' };
}

function plain(type: string): string {
  return /^[\w.+-]+\/[\w.+-]+(?:\s*;\s*[\w.-]+=[\w.+-]+)*/u.exec(type.trim())?.[0] ?? 'application/octet-stream';
}

function partsOf(description: Description, media: JsonObject): { files: string[]; partTypes: Record<string, string> } {
  const schema = description.object(media['schema']);
  const files: string[] = [];
  const partTypes: Record<string, string> = {};
  for (const [name, raw] of Object.entries(isObject(schema['properties']) ? schema['properties'] : {})) {
    const each = description.object(raw);
    if (isFile(each) || isFile(description.object(each['items']))) files.push(name);
    const encoding = isObject(media['encoding']) ? description.object(media['encoding'][name]) : {};
    if (typeof encoding['contentType'] === 'string') partTypes[name] = plain(encoding['contentType'].split(',')[0] ?? '');
  }
  return { files, partTypes };
}

function isFile(schema: JsonObject): boolean {
  const types = list(schema['type']).length > 0 ? list(schema['type']) : [schema['type']];
  return types.includes('string') && (schema['format'] === 'binary' || typeof schema['contentMediaType'] === 'string');
}

function isListOfFiles(description: Description, media: JsonObject, name: string): boolean {
  const schema = description.object(media['schema']);
  const property = isObject(schema['properties']) ? description.object(schema['properties'][name]) : {};
  return isFile(description.object(property['items']));
}
