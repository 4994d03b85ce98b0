/** From an OpenAPI 3.x file to the GET operations a tool can be made of. */
import { readFileSync, statSync } from 'node:fs';
import { dereference } from '@readme/openapi-parser';
import { parse } from 'yaml';
import { SignalboxError } from '../../daemon/api/errors.ts';
import type { JsonObject } from '../plugin/define.ts';
import { inputSchemaOf } from './schema.ts';

const MAX_SPEC_BYTES = 16 * 1024 * 1024;

/** One parameter: its property in the tool's input and its place in the request. */
export interface Parameter {
  readonly property: string;
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly explode: boolean;
  readonly deep: boolean;
  readonly schema: JsonObject;
}
/** One GET operation. */
export interface Operation {
  readonly tool: string;
  readonly operationId: string | undefined;
  readonly path: string;
  readonly title: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
}
/** What is used of the file. */
export interface Specification {
  readonly title: string;
  readonly serverUrl: string | undefined;
  readonly operations: readonly Operation[];
}

/**
 * Reads an OpenAPI file. References to other files and URLs are not followed.
 * @throws SignalboxError `SBX_API_SPEC`
 */
export async function readSpecification(file: string): Promise<Specification> {
  let document: unknown;
  try {
    const { size } = statSync(file);
    if (size > MAX_SPEC_BYTES) throw new RangeError(`it has ${size} bytes, the limit is ${MAX_SPEC_BYTES}`);
    // JSON is YAML; the parser refuses alias bombs itself.
    document = parse(readFileSync(file, 'utf8'), { maxAliasCount: 100 });
  } catch (cause) {
    throw wrong(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (!isObject(document) || !/^3\./u.test(String(document['openapi'])) || !isObject(document['paths'])) {
    throw wrong(file, 'It is not an OpenAPI 3.x document with paths.');
  }
  try {
    const whole = await dereference(document as never, {
      resolve: { external: false },
      dereference: { circular: 'ignore' },
      timeoutMs: 10_000,
    });
    return specificationOf(whole as unknown as JsonObject);
  } catch (cause) {
    throw wrong(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function specificationOf(document: JsonObject): Specification {
  const operations: Operation[] = [];
  const names = new Set<string>();
  for (const [path, item] of Object.entries(document['paths'] as JsonObject)) {
    if (!path.startsWith('/') || !isObject(item) || !isObject(item['get'])) continue;
    const get = item['get'];
    const parameters = parametersOf(list(item['parameters']), list(get['parameters']));
    // A template with an unfilled or unusable part can never be requested.
    const unfilled = [...path.matchAll(/\{([^}]*)\}/gu)].some(
      ([, name]) => !parameters.some((each) => each.in === 'path' && each.name === name),
    );
    if (unfilled) continue;
    const operationId = typeof get['operationId'] === 'string' ? get['operationId'] : undefined;
    const tool = unique(operationId ?? `get${path}`, names);
    const summary = typeof get['summary'] === 'string' ? get['summary'] : `GET ${path}`;
    const description = [summary, get['description'], `(GET ${path})`]
      .filter((part) => typeof part === 'string')
      .join(' ')
      .slice(0, 1000);
    operations.push({ tool, operationId, path, title: summary.slice(0, 100), description, parameters });
  }
  const info = isObject(document['info']) ? document['info'] : {};
  return { title: String(info['title'] ?? 'API'), serverUrl: serverUrlOf(list(document['servers'])[0]), operations };
}

function parametersOf(shared: readonly unknown[], own: readonly unknown[]): Parameter[] {
  const byKey = new Map<string, JsonObject>();
  for (const each of [...shared, ...own]) if (isObject(each)) byKey.set(`${String(each['in'])}:${String(each['name'])}`, each);
  const properties = new Set<string>();
  const parameters: Parameter[] = [];
  for (const each of byKey.values()) {
    const place = each['in'];
    if (place !== 'path' && place !== 'query') continue;
    const name = String(each['name']);
    parameters.push({
      property: unique(name, properties),
      name,
      in: place,
      required: place === 'path' || each['required'] === true,
      explode: typeof each['explode'] === 'boolean' ? each['explode'] : (each['style'] ?? 'form') === 'form',
      deep: each['style'] === 'deepObject',
      schema: inputSchemaOf(each['schema'], typeof each['description'] === 'string' ? each['description'] : undefined),
    });
  }
  return parameters;
}

/** Names that every client accepts (`[A-Za-z0-9_-]`, at most 48 characters, leaving room for the alias), each used once. */
function unique(wanted: string, taken: Set<string>): string {
  const base =
    wanted
      .replace(/[^A-Za-z0-9_-]+/gu, '_')
      .replace(/^_+|_+$/gu, '')
      .slice(0, 48) || 'get';
  let name = base;
  for (let count = 2; taken.has(name); count++) name = `${base.slice(0, 44)}_${count}`;
  taken.add(name);
  return name;
}

function serverUrlOf(server: unknown): string | undefined {
  if (!isObject(server) || typeof server['url'] !== 'string') return undefined;
  const variables = isObject(server['variables']) ? server['variables'] : {};
  return server['url'].replace(/\{([^}]+)\}/gu, (whole, name: string) => {
    const variable = variables[name];
    return isObject(variable) && typeof variable['default'] === 'string' ? variable['default'] : whole;
  });
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(file: string, why: string, cause?: unknown): SignalboxError {
  return new SignalboxError('SBX_API_SPEC', `${file} cannot be used as an OpenAPI file.`, {
    why,
    fix: 'Name an OpenAPI 3.0 or 3.1 file (JSON or YAML) that holds everything itself in "spec" of the settings.',
    cause,
  });
}
