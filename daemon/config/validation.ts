import { type Schema, type ValidationError, Validator, ValidatorResult } from 'jsonschema';
import type { ConfigProblem } from '../api/config.ts';
import schema from './config.schema.json' with { type: 'json' };
import type { ConfigDocument, JsonPath } from './document.ts';
import { nearest } from './suggestion.ts';

/** The JSON Schema of a configuration file; the same file is contributed to VS Code. */
export const configSchema: Schema = schema as Schema;

const validator = new Validator();
// `x-reserved` is the capability a key waits for, or a map from reserved values to theirs
validator.attributes['x-reserved'] = (instance: unknown, part: Schema, options: object, ctx: object) => {
  const reserved: unknown = (part as Record<string, unknown>)['x-reserved'];
  const capability =
    typeof reserved === 'string' ? reserved : typeof instance === 'string' ? (reserved as Record<string, string>)[instance] : undefined;
  if (instance === undefined || capability === undefined) return '';
  const result = new ValidatorResult(instance, part, options, ctx as ConstructorParameters<typeof ValidatorResult>[3]);
  result.addError({ name: 'x-reserved', argument: capability, message: 'is reserved' });
  return result;
};

/** What validation leaves: the sound part of the value, and what was wrong with the rest. */
export interface Validated {
  readonly value: Readonly<Record<string, unknown>>;
  readonly problems: readonly ConfigProblem[];
}

/**
 * Checks a document against the schema. One wrong entry takes itself out and nothing else: an error inside `servers.x`, `endpoints.x`, `clients.x`
 * removes that entry, one in `namespaces.x[i]` that binding, one in `redaction` that rule. A reserved key is reported and removed; a reserved `type` removes the server.
 */
export function validate(document: ConfigDocument): Validated {
  const { value } = document;
  if (value === undefined) return { value: {}, problems: document.problems };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const problem = document.problemAt(
      [],
      'SBX_CONFIG_INVALID',
      'The configuration must be a JSON object.',
      'Begin with { "servers": { … } }.',
    );
    return { value: {}, problems: [...document.problems, problem] };
  }
  const problems = [...document.problems];
  let sound = value as Readonly<Record<string, unknown>>;
  const result = validator.validate(value, configSchema, { nestedErrors: false });
  const drop: JsonPath[] = [];
  for (const error of result.errors) {
    const [path, problem] = describe(document, error);
    problems.push(problem);
    drop.push(problem.code === 'SBX_CONFIG_RESERVED' && path.at(-1) !== 'type' ? path : entryPath(path));
  }
  // deepest and last first, so that indexes of arrays stay right
  const once = new Map(drop.map((path) => [JSON.stringify(path), path]));
  for (const path of [...once.values()].sort(laterFirst)) sound = without(sound, path) as typeof sound;
  return { value: sound, problems };
}

function describe(document: ConfigDocument, error: ValidationError): [JsonPath, ConfigProblem] {
  const argument: unknown = error.argument;
  const part = error.schema as Schema & { errorMessage?: string };
  const path: JsonPath = error.path;
  if (error.name === 'x-reserved') {
    const message = `\`${String(path.at(-1))}\` is reserved for ${String(argument)}; this version does not act on it.`;
    const fix =
      path.at(-1) === 'type'
        ? 'Take the server out, or reach it by `command` or a Streamable HTTP `url`.'
        : 'Take the key out until a version that has it.';
    return [path, document.problemAt(path, 'SBX_CONFIG_RESERVED', message, fix)];
  }
  if (error.name === 'additionalProperties') {
    const key = String(argument);
    const meant = nearest(key, Object.keys(part.properties ?? {}));
    const known = Object.keys(part.properties ?? {}).filter((name) => !('x-reserved' in (part.properties?.[name] ?? {})));
    const fix = meant === undefined ? `Known keys here: ${known.join(', ')}.` : `Did you mean \`${meant}\`?`;
    const at = [...path, key];
    return [at, document.problemAt(at, 'SBX_CONFIG_INVALID', `Unknown key \`${key}\`.`, fix)];
  }
  if (error.name === 'required') {
    return [
      path,
      document.problemAt(path, 'SBX_CONFIG_INVALID', `The key \`${String(argument)}\` is missing.`, `Add \`${String(argument)}\`.`),
    ];
  }
  if (error.name === 'oneOf') {
    return [
      path,
      document.problemAt(
        path,
        'SBX_CONFIG_INVALID',
        part.errorMessage ?? error.message,
        'Keep one: `plugin` for a plugin, `command` for a program, `url` for a server on the network, `chain` and `aggregate` for tools made of others, `recording` for a recording.',
      ),
    ];
  }
  const own = part.errorMessage;
  const fix = own ?? (typeof part.description === 'string' ? part.description : 'Correct the value.');
  return [path, document.problemAt(path, 'SBX_CONFIG_INVALID', `\`${String(path.at(-1) ?? 'the file')}\` ${error.message}.`, fix)];
}

/** The path whose removal takes out the smallest thing that can be left out whole. */
function entryPath(path: JsonPath): JsonPath {
  return path.slice(0, path[0] === 'namespaces' || path[0] === 'redaction' ? 3 : 2);
}

function laterFirst(left: JsonPath, right: JsonPath): number {
  for (let index = 0; ; index++) {
    const a = left[index];
    const b = right[index];
    if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
    if (a === b) continue;
    if (typeof a === 'number' && typeof b === 'number') return b - a;
    return String(a) < String(b) ? 1 : -1;
  }
}

/** The same value without what stands at a path; a path that is not there changes nothing. */
function without(value: unknown, path: JsonPath): unknown {
  const [head, ...rest] = path;
  if (head === undefined || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    if (rest.length === 0) return value.filter((_, index) => index !== head);
    return value.map((item: unknown, index) => (index === head ? without(item, rest) : item));
  }
  const entries = Object.entries(value);
  if (rest.length === 0) return Object.fromEntries(entries.filter(([key]) => key !== head));
  return Object.fromEntries(entries.map(([key, item]) => [key, key === head ? without(item, rest) : item]));
}
