/**
 * Schemas of a description as JSON Schema 2020-12 for a tool: references put in place (clients read few `$ref`), a recursive one kept under
 * `$defs`, and everything within a budget of nodes. What does not fit is shortened to its type, from the depths upwards, and says so.
 */
import type { JsonObject } from '../../plugin/define.ts';
import { type Description, isObject, list } from './document.ts';
import { isSafePattern } from './pattern.ts';

/** Which side reads the schema: `readOnly` properties are no part of a request, `writeOnly` ones none of an answer. */
export type Side = 'request' | 'response';

const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null']);
/** Formats whose check can only be right; others stand in the description alone. */
const FORMATS = new Set(['date-time', 'date', 'email', 'uuid', 'ipv4', 'ipv6']);
const SUB_LISTS = ['allOf', 'anyOf', 'oneOf', 'prefixItems'] as const;
const SUB_MAPS = ['properties', 'patternProperties', 'dependentSchemas'] as const;
const SUB_SCHEMAS = [
  'items',
  'additionalProperties',
  'not',
  'if',
  'then',
  'else',
  'contains',
  'propertyNames',
  'unevaluatedProperties',
] as const;
const COUNTS = ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties', 'minContains', 'maxContains'] as const;
const DEPTHS = [24, 10, 7, 5, 4, 3, 2, 1, 0] as const;
const MAX_TEXT = 600;
/** Stands at the end of the description of what was shortened. */
export const SHORTENED = '(shortened)';

class OutOfBudget extends Error {}

/** Converts schemas of one description for one side. */
export class SchemaReader {
  readonly #description: Description;
  readonly #side: Side;
  #nodes = 0;
  #maxNodes = 0;
  #maxDepth = 0;
  #defs = new Map<string, { name: string; schema: unknown }>();

  constructor(description: Description, side: Side) {
    this.#description = description;
    this.#side = side;
  }

  /**
   * One schema with everything it needs.
   * @param maxNodes schemas and subschemas at most
   * @throws BrokenReference for a reference that cannot be followed
   */
  read(schema: unknown, maxNodes: number): { readonly schema: JsonObject; readonly defs: JsonObject } {
    for (const depth of DEPTHS) {
      this.#nodes = 0;
      this.#maxNodes = depth === 0 ? Number.POSITIVE_INFINITY : maxNodes;
      this.#maxDepth = depth;
      this.#defs = new Map();
      try {
        const read = this.#schema(schema, 0, []);
        const defs = Object.fromEntries([...this.#defs.values()].map((each) => [each.name, each.schema]));
        return { schema: isObject(read) ? read : read === false ? { not: {} } : {}, defs };
      } catch (error) {
        if (!(error instanceof OutOfBudget)) throw error;
      }
    }
    return { schema: {}, defs: {} };
  }

  #schema(node: unknown, depth: number, path: readonly string[]): unknown {
    if (typeof node === 'boolean') return node;
    if (!isObject(node)) return {};
    if (++this.#nodes > this.#maxNodes) throw new OutOfBudget();
    const reference = node['$ref'];
    if (typeof reference === 'string') return this.#referenced(node, reference, depth, path);
    if (depth >= this.#maxDepth && isCompound(node)) return this.#short(node);
    const out = this.#plain(node);
    for (const key of SUB_LISTS) {
      const subs = list(node[key]).map((each) => this.#schema(each, depth + 1, path));
      if (subs.length > 0) out[key] = subs;
    }
    for (const key of SUB_MAPS) {
      if (!isObject(node[key])) continue;
      const subs = Object.entries(node[key]).filter(
        ([name, each]) => !this.#hidden(each) && (key !== 'patternProperties' || isSafePattern(name)),
      );
      out[key] = Object.fromEntries(subs.map(([name, each]) => [name, this.#schema(each, depth + 1, path)]));
    }
    for (const key of SUB_SCHEMAS) {
      if (typeof node[key] === 'boolean' || isObject(node[key])) out[key] = this.#schema(node[key], depth + 1, path);
    }
    const required = list(node['required']).filter((name): name is string => typeof name === 'string' && !this.#hiddenIn(node, name));
    if (required.length > 0) out['required'] = [...new Set(required)];
    return this.#nullable(node, out);
  }

  #referenced(node: JsonObject, reference: string, depth: number, path: readonly string[]): unknown {
    const known = this.#defs.get(reference);
    if (path.includes(reference) || known !== undefined) {
      if (known === undefined) {
        const name = this.#defName(reference);
        const entry: { name: string; schema: unknown } = { name, schema: {} };
        this.#defs.set(reference, entry);
        entry.schema = this.#schema(this.#description.at(reference), Math.min(depth, 1), [reference]);
      }
      return { $ref: `#/$defs/${this.#defs.get(reference)?.name ?? ''}` };
    }
    const target = this.#schema(this.#description.at(reference), depth, [...path, reference]);
    // OpenAPI 3.0 ignores what stands beside a reference; in 3.1 it counts, and the words always help.
    const { $ref: _, ...beside } = node;
    const words =
      typeof beside['description'] === 'string' && isObject(target)
        ? { ...target, description: beside['description'].slice(0, MAX_TEXT) }
        : target;
    const constrains =
      this.#description.dialect === '3.1' &&
      Object.keys(beside).some((key) => !['description', 'summary', 'title', 'examples', 'example', 'deprecated', 'default'].includes(key));
    return constrains ? { allOf: [target, this.#schema(beside, depth, path)] } : words;
  }

  #defName(reference: string): string {
    const base = (reference.split('/').at(-1) ?? 'schema').replace(/[^A-Za-z0-9_.-]+/gu, '_').slice(0, 60);
    const taken = new Set([...this.#defs.values()].map((each) => each.name));
    let name = base;
    for (let count = 2; taken.has(name); count++) name = `${base}_${count}`;
    return name;
  }

  /** The keywords without subschemas. */
  #plain(node: JsonObject): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    const types = (Array.isArray(node['type']) ? node['type'] : [node['type']]).filter((type) => TYPES.has(String(type)));
    if (types.length > 0) out['type'] = types.length === 1 ? types[0] : [...new Set(types)];
    if (Array.isArray(node['enum']) && node['enum'].length > 0) out['enum'] = unique(node['enum']);
    if (node['const'] !== undefined) out['const'] = node['const'];
    for (const key of COUNTS) if (Number.isInteger(node[key]) && Number(node[key]) >= 0) out[key] = node[key];
    // Of objects each is compared with each: 15 000 take longer than anybody waits.
    if (node['uniqueItems'] === true && isScalarType(node['items'])) out['uniqueItems'] = true;
    if (typeof node['multipleOf'] === 'number' && node['multipleOf'] > 0) out['multipleOf'] = node['multipleOf'];
    for (const [bound, exclusive] of [
      ['minimum', 'exclusiveMinimum'],
      ['maximum', 'exclusiveMaximum'],
    ] as const) {
      const strict = node[exclusive];
      if (typeof node[bound] === 'number') out[strict === true ? exclusive : bound] = node[bound];
      if (typeof strict === 'number') out[exclusive] = strict;
    }
    if (typeof node['pattern'] === 'string' && isSafePattern(node['pattern'], maxLengthOf(node))) out['pattern'] = node['pattern'];
    if (FORMATS.has(String(node['format']))) out['format'] = node['format'];
    if (node['default'] !== undefined && JSON.stringify(node['default']).length < 200) out['default'] = node['default'];
    const example = node['example'] ?? (Array.isArray(node['examples']) ? node['examples'][0] : undefined);
    if (example !== undefined && !isCompound(node) && JSON.stringify(example).length < 120) out['examples'] = [example];
    if (node['deprecated'] === true) out['deprecated'] = true;
    if (isObject(node['dependentRequired'])) out['dependentRequired'] = node['dependentRequired'];
    const notes = [
      node['description'] ?? node['title'],
      typeof node['format'] === 'string' && out['format'] === undefined ? `(${node['format']})` : undefined,
      typeof node['pattern'] === 'string' && out['pattern'] === undefined ? `(pattern ${node['pattern'].slice(0, 100)})` : undefined,
    ].filter((word): word is string => typeof word === 'string' && word !== '');
    if (notes.length > 0) out['description'] = notes.join(' ').slice(0, MAX_TEXT);
    return out;
  }

  #short(node: JsonObject): JsonObject {
    const { type, description, enum: values } = this.#plain(node);
    const guessed = type ?? (isObject(node['properties']) ? 'object' : undefined);
    return this.#nullable(node, {
      ...(guessed === undefined ? {} : { type: guessed }),
      ...(values === undefined ? {} : { enum: values }),
      description: `${typeof description === 'string' ? `${description.slice(0, 160)} ` : ''}${SHORTENED}`,
    });
  }

  #nullable(node: JsonObject, out: Record<string, unknown>): JsonObject {
    if (node['nullable'] !== true || this.#description.dialect !== '3.0') return out;
    if (Array.isArray(out['enum']) && !out['enum'].includes(null)) out['enum'] = [...out['enum'], null];
    const type = out['type'];
    if (type === undefined) {
      // Without a type of its own `nullable` says nothing in 3.0.3; what people mean is that null is allowed too.
      return SUB_LISTS.some((key) => out[key] !== undefined) ? { anyOf: [out, { type: 'null' }] } : out;
    }
    out['type'] = [...new Set([...(Array.isArray(type) ? (type as unknown[]) : [type]), 'null'])];
    return out;
  }

  #hidden(node: unknown): boolean {
    const flag = this.#side === 'request' ? 'readOnly' : 'writeOnly';
    return isObject(node) && (node[flag] === true || (typeof node['$ref'] === 'string' && this.#description.object(node)[flag] === true));
  }

  #hiddenIn(node: JsonObject, name: string): boolean {
    return isObject(node['properties']) && Object.hasOwn(node['properties'], name) && this.#hidden(node['properties'][name]);
  }
}

function isCompound(node: JsonObject): boolean {
  return (
    SUB_LISTS.some((key) => Array.isArray(node[key])) ||
    isObject(node['properties']) ||
    isObject(node['items']) ||
    isObject(node['additionalProperties'])
  );
}

function unique(values: readonly unknown[]): readonly unknown[] {
  const seen = new Set<string>();
  return values.filter((value) => {
    const key = JSON.stringify(value) ?? 'undefined';
    return seen.has(key) ? false : seen.add(key) !== undefined;
  });
}

function isScalarType(items: unknown): boolean {
  return isObject(items) && ['string', 'number', 'integer', 'boolean'].includes(String(items['type']));
}

function maxLengthOf(node: JsonObject): number | undefined {
  return typeof node['maxLength'] === 'number' ? node['maxLength'] : undefined;
}
