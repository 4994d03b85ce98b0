/** Every operation of a description, each either one a tool can be made of or omitted with the reason. */
import type { JsonObject } from '../../plugin/define.ts';
import { climbing, strictUrl } from '../guard/target.ts';
import { acceptOf, bodyOf, responseOf } from './body.ts';
import { type Description, isObject, list, textOf } from './document.ts';
import { toolName } from './names.ts';
import type { Method, Omitted, Operation } from './operation.ts';
import { paginationOf } from './pagination.ts';
import { parametersOf, type Reserved } from './parameters.ts';
import { SchemaReader } from './schema.ts';
import { serverOf } from './servers.ts';

const METHODS: readonly Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'];

/** What is used of a description. */
export interface Operations {
  readonly operations: readonly Operation[];
  readonly omitted: readonly Omitted[];
}
/** How operations are read. */
export interface ReadOptions {
  /** What the settings send themselves. */
  readonly reserved: Reserved;
  /** Operation or tool name → wanted tool name. */
  readonly rename: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
}

/** Reads all operations; nothing is left out without a reason. */
export function operationsOf(description: Description, options: ReadOptions): Operations {
  const operations: Operation[] = [];
  const omitted: Omitted[] = [];
  const taken = new Set<string>();
  for (const [path, rawItem] of Object.entries(description.root['paths'] as JsonObject)) {
    if (path.startsWith('x-')) continue;
    let item: JsonObject;
    try {
      item = description.object(rawItem);
    } catch (error) {
      omitted.push({ method: '*', path, operationId: undefined, reason: reasonOf(error) });
      continue;
    }
    for (const [key, raw] of Object.entries({ ...item, ...(isObject(item['additionalOperations']) ? item['additionalOperations'] : {}) })) {
      const method = METHODS.find((each) => each.toLowerCase() === key.toLowerCase());
      if (method === undefined) {
        if (isMethodKey(key, raw))
          omitted.push({ method: key.toUpperCase(), path, operationId: undefined, reason: `the method ${key} is not sent` });
        continue;
      }
      if (!isObject(raw)) continue;
      const operationId = textOf(raw['operationId']);
      try {
        operations.push(operationOf(description, { path, method, item, raw, operationId }, options, taken));
      } catch (error) {
        omitted.push({ method, path, operationId, reason: reasonOf(error) });
      }
    }
  }
  return { operations, omitted };
}

interface Found {
  readonly path: string;
  readonly method: Method;
  readonly item: JsonObject;
  readonly raw: JsonObject;
  readonly operationId: string | undefined;
}

function operationOf(description: Description, found: Found, options: ReadOptions, taken: Set<string>): Operation {
  const { path, method, item, raw, operationId } = found;
  if (!path.startsWith('/')) throw new Error('its path does not begin with /');
  if (/[\u0000-\u0020\\?#]/u.test(path)) throw new Error('its path has a blank, a control character, ?, # or a backslash');
  if (climbing(path.replace(/\{[^}]*\}/gu, 'x')) !== undefined) throw new Error('its path climbs with . or ..');
  const reader = new SchemaReader(description, 'request');
  const { parameters, defs, taken: names } = parametersOf(description, item['parameters'], raw['parameters'], reader, options.reserved);
  const unfilled = [...path.matchAll(/\{([^}]*)\}/gu)].find(
    ([, name]) => !parameters.some((each) => each.in === 'path' && each.name === name),
  );
  if (unfilled !== undefined) throw new Error(`its path has ${unfilled[0]}, and no parameter of that name`);
  const { body, defs: bodyDefs } =
    method === 'GET' || method === 'HEAD' ? { body: undefined, defs: {} } : bodyOf(description, raw, reader, names);
  const server = serverOf(list(raw['servers'])[0] ?? list(item['servers'])[0], options.variables);
  if (server !== undefined && typeof strictUrl(server) === 'string')
    throw new Error(`its own server ${server.slice(0, 100)} is no absolute http(s) address`);
  const wanted = operationId ?? `${method.toLowerCase()}${path}`;
  const renamed = [wanted, `${method} ${path}`].find((name) => Object.hasOwn(options.rename, name));
  const summary = textOf(raw['summary']) ?? textOf(item['summary']) ?? `${method} ${path}`;
  const words = [summary, textOf(raw['description']) ?? textOf(item['description']), `(${method} ${path})`].filter(
    (part) => part !== undefined,
  );
  return {
    tool: toolName(renamed === undefined ? wanted : (options.rename[renamed] ?? wanted), taken),
    operationId,
    method,
    path: escapedTemplate(path),
    server,
    tags: list(raw['tags']).filter((tag): tag is string => typeof tag === 'string'),
    title: summary.slice(0, 100),
    description: clipped(words),
    deprecated: raw['deprecated'] === true,
    parameters,
    body,
    defs: { ...defs, ...bodyDefs },
    accept: acceptOf(description, raw),
    response: () => {
      const read = responseOf(description, raw, new SchemaReader(description, 'response'));
      return read === undefined ? undefined : { ...read.schema, ...(Object.keys(read.defs).length === 0 ? {} : { $defs: read.defs }) };
    },
    pagination: paginationOf(method, parameters),
    select: undefined,
    failures: [],
    fixedQuery: {},
    fixedHeaders: {},
  };
}

/** The summary and the path stay whole; what is between them is cut. */
function clipped(words: readonly string[]): string {
  const end = words.at(-1) ?? '';
  return `${words
    .slice(0, -1)
    .join('\n')
    .slice(0, 1000 - end.length)} ${end}`;
}

/** Literal parts of a template as `URL` writes them, so that a template with `ä` or `|` is no surprise later. */
function escapedTemplate(path: string): string {
  return path
    .split(/(\{[^}]*\})/u)
    .map((part) => (part.startsWith('{') ? part : new URL(`http://x/a${part}a`).pathname.slice(2, -1)))
    .join('');
}

function isMethodKey(key: string, raw: unknown): boolean {
  return isObject(raw) && !key.startsWith('x-') && raw['responses'] !== undefined;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 300) : String(error);
}
