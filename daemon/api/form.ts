/** What a person is asked for, read off a JSON Schema: arguments of a tool, answers to a question. Pure; one level at a time, so that recursive schemas end. */
import { runInNewContext } from 'node:vm';

/** A JSON Schema object; anything else counts as "anything goes". */
export type Schema = Readonly<Record<string, unknown>>;

/** One of several given values. */
export interface FormOption {
  readonly value: unknown;
  readonly title: string;
}
/** A property of an object. */
export interface FormField {
  readonly name: string;
  readonly title: string;
  readonly description?: string;
  readonly required: boolean;
  readonly schema: Schema;
}
/** How a value is asked for. */
export type FormNode =
  | { readonly kind: 'text'; readonly schema: Schema }
  | { readonly kind: 'number'; readonly integer: boolean; readonly schema: Schema }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'choice'; readonly options: readonly FormOption[] }
  /** Several of the options. */
  | { readonly kind: 'choices'; readonly options: readonly FormOption[] }
  | {
      readonly kind: 'object';
      readonly fields: readonly FormField[] /** Of further properties; absent when there may be none. */;
      readonly others?: Schema;
    }
  | { readonly kind: 'list'; readonly item: Schema }
  /** `oneOf`, `anyOf`, or several types: one is chosen first. */
  | { readonly kind: 'variants'; readonly variants: readonly { readonly title: string; readonly schema: Schema }[] }
  | { readonly kind: 'null' }
  /** Nothing is said: any JSON. */
  | { readonly kind: 'any' };

/** How deep a first value of a schema that requires itself goes, and how many values it has: two such properties would double them at every level. */
const DEPTH_LIMIT = 8;
const DRAFT_LIMIT = 500;
/** Milliseconds a server's pattern may think about what was typed. */
const PATTERN_MS = 100;

/**
 * How a value of a schema is asked for.
 * @param root the whole schema: what `#/…` points into
 */
export function formOf(schema: unknown, root: Schema): FormNode {
  const resolved = resolve(schema, root);
  const options = optionsOf(resolved, root);
  if (options !== undefined) return { kind: 'choice', options };
  const variants = variantsOf(resolved);
  if (variants !== undefined) return { kind: 'variants', variants };
  switch (typeOf(resolved)) {
    case 'string':
      return { kind: 'text', schema: resolved };
    case 'integer':
    case 'number':
      return { kind: 'number', integer: resolved['type'] === 'integer', schema: resolved };
    case 'boolean':
      return { kind: 'boolean' };
    case 'null':
      return { kind: 'null' };
    case 'object':
      return objectForm(resolved, root);
    case 'array': {
      const item = objectOf(resolved['items']) ?? {};
      const itemOptions = optionsOf(resolve(item, root), root);
      return itemOptions === undefined ? { kind: 'list', item } : { kind: 'choices', options: itemOptions };
    }
    default:
      return { kind: 'any' };
  }
}

/**
 * A first value: the default, constant, example or first choice, else an empty value of the type. Of an object the required properties, and the optional ones
 * with a default are left out: what is not there is what the author chose as normal.
 */
export function draftOf(schema: unknown, root: Schema): unknown {
  return draft(schema, root, { left: DRAFT_LIMIT }, 0);
}

function draft(schema: unknown, root: Schema, values: { left: number }, depth: number): unknown {
  values.left -= 1;
  const resolved = resolve(schema, root);
  for (const key of ['default', 'const']) if (resolved[key] !== undefined) return resolved[key];
  const [example] = Array.isArray(resolved['examples']) ? (resolved['examples'] as unknown[]) : [];
  if (example !== undefined) return example;
  const node = formOf(resolved, root);
  switch (node.kind) {
    case 'choice':
      return node.options[0]?.value ?? null;
    case 'variants':
      return depth > DEPTH_LIMIT || values.left <= 0 ? null : draft(node.variants[0]?.schema, root, values, depth + 1);
    case 'text':
      return '';
    case 'number':
      return typeof resolved['minimum'] === 'number' ? resolved['minimum'] : 0;
    case 'boolean':
      return false;
    case 'list':
    case 'choices':
      return [];
    case 'object':
      if (depth > DEPTH_LIMIT || values.left <= 0) return {};
      return Object.fromEntries(
        node.fields.filter(({ required }) => required).map((field) => [field.name, draft(field.schema, root, values, depth + 1)]),
      );
    default:
      return null;
  }
}

/** The value a typed text stands for, or what is wrong with the text. */
export function valueOfText(
  node: Extract<FormNode, { kind: 'text' | 'number' | 'any' }>,
  text: string,
): { value: unknown } | { problem: string } {
  if (node.kind === 'text') return textValue(node.schema, text);
  if (node.kind === 'number') return numberValue(node, text);
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { problem: 'This is not JSON. A text stands in double quotes.' };
  }
}

/** The schema with its references followed and `allOf` put together; each reference once, so that circles end. */
export function resolve(schema: unknown, root: Schema): Schema {
  return followed(schema, root, new Set());
}

function followed(schema: unknown, root: Schema, seen: Set<string>): Schema {
  let current = objectOf(schema) ?? {};
  while (typeof current['$ref'] === 'string') {
    const { $ref, ...beside } = current;
    const target = seen.has($ref as string) ? {} : pointed(root, $ref as string);
    seen.add($ref as string);
    current = { ...target, ...beside };
  }
  if (!Array.isArray(current['allOf'])) return current;
  const { allOf, ...own } = current;
  let merged: Schema = own;
  for (const part of allOf as unknown[]) {
    const other = followed(part, root, seen);
    merged = {
      ...other,
      ...merged,
      // In the order they stand in; what stood first wins.
      properties: { ...objectOf(merged['properties']), ...objectOf(other['properties']), ...objectOf(merged['properties']) },
      required: [...listOf(merged['required']), ...listOf(other['required'])],
    };
  }
  return merged;
}

function objectForm(schema: Schema, root: Schema): FormNode {
  const required = listOf(schema['required']);
  const fields = Object.entries(objectOf(schema['properties']) ?? {}).map(([name, property]): FormField => {
    const inner = resolve(property, root);
    const title = typeof inner['title'] === 'string' ? inner['title'] : name;
    const description = inner['description'];
    return {
      name,
      title,
      required: required.includes(name),
      schema: objectOf(property) ?? {},
      ...(typeof description === 'string' ? { description } : {}),
    };
  });
  const others = schema['additionalProperties'];
  if (others === false || (others === undefined && fields.length > 0)) return { kind: 'object', fields };
  return { kind: 'object', fields, others: objectOf(others) ?? {} };
}

function optionsOf(schema: Schema, root: Schema): readonly FormOption[] | undefined {
  if (schema['const'] !== undefined) return [{ value: schema['const'], title: label(schema['title'] ?? schema['const']) }];
  if (Array.isArray(schema['enum'])) {
    // `enumNames` is how MCP 2025-06-18 gave choices names.
    const names = listOf(schema['enumNames']);
    return (schema['enum'] as unknown[]).map((value, index) => ({ value, title: label(names[index] ?? value) }));
  }
  const alternatives = schema['oneOf'] ?? schema['anyOf'];
  if (!Array.isArray(alternatives) || alternatives.length === 0) return undefined;
  const resolved = alternatives.map((alternative) => resolve(alternative, root));
  if (!resolved.every((alternative) => alternative['const'] !== undefined)) return undefined;
  return resolved.map((alternative) => ({ value: alternative['const'], title: label(alternative['title'] ?? alternative['const']) }));
}

function variantsOf(schema: Schema): readonly { title: string; schema: Schema }[] | undefined {
  const alternatives = schema['oneOf'] ?? schema['anyOf'];
  if (Array.isArray(alternatives) && alternatives.length > 0) {
    const { oneOf: _one, anyOf: _any, default: _default, title: _title, description: _description, ...shared } = schema;
    return alternatives.map((alternative, index) => {
      const inner = { ...shared, ...objectOf(alternative) };
      const required = [...listOf(shared['required']), ...listOf(objectOf(alternative)?.['required'])];
      const properties = { ...objectOf(shared['properties']), ...objectOf(objectOf(alternative)?.['properties']) };
      const whole: Schema = {
        ...inner,
        ...(required.length === 0 ? {} : { required }),
        ...(Object.keys(properties).length === 0 ? {} : { properties }),
      };
      return { title: variantTitle(objectOf(alternative) ?? {}, index), schema: whole };
    });
  }
  if (!Array.isArray(schema['type']) || schema['type'].length < 2) return undefined;
  return (schema['type'] as unknown[]).map((type) => ({ title: String(type), schema: { ...schema, type } }));
}

function variantTitle(schema: Schema, index: number): string {
  if (typeof schema['title'] === 'string') return schema['title'];
  if (typeof schema['$ref'] === 'string') return schema['$ref'].split('/').at(-1) ?? String(index + 1);
  const properties = Object.keys(objectOf(schema['properties']) ?? {});
  const about = properties.length > 0 ? `{ ${properties.join(', ')} }` : listOf(schema['required']).join(', ');
  return about || (typeof schema['type'] === 'string' ? schema['type'] : `variant ${index + 1}`);
}

function typeOf(schema: Schema): string | undefined {
  const type = Array.isArray(schema['type']) ? (schema['type'] as unknown[])[0] : schema['type'];
  if (typeof type === 'string') return type;
  if (schema['properties'] !== undefined) return 'object';
  return schema['items'] === undefined ? undefined : 'array';
}

const FORMATS: Readonly<Record<string, readonly [RegExp, string]>> = {
  email: [/^[^\s@]+@[^\s@]+$/, 'an e-mail address'],
  uri: [/^[a-z][a-z0-9+.-]*:\S+$/i, 'a URI'],
  date: [/^\d{4}-\d{2}-\d{2}$/, 'a date, for example 2026-11-21'],
  'date-time': [
    /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})$/,
    'a date and time, for example 2026-11-21T19:00:00Z',
  ],
};

function textValue(schema: Schema, text: string): { value: unknown } | { problem: string } {
  const { minLength, maxLength, pattern, format } = schema;
  const length = [...text].length;
  if (typeof minLength === 'number' && length < minLength) return { problem: `At least ${minLength} characters.` };
  if (typeof maxLength === 'number' && length > maxLength) return { problem: `At most ${maxLength} characters.` };
  const known = typeof format === 'string' ? FORMATS[format] : undefined;
  if (known !== undefined && !known[0].test(text)) return { problem: `This is not ${known[1]}.` };
  if (typeof pattern === 'string' && !matches(pattern, text)) return { problem: `It must match ${pattern}.` };
  return { value: text };
}

/** A pattern this engine does not know, or does not come to an end with, is left to the server. */
function matches(pattern: string, text: string): boolean {
  try {
    // In a context of its own only because that has a time limit: a pattern may take hours over thirty letters, and the editor with it.
    return runInNewContext("new RegExp(pattern, 'u').test(text)", { pattern, text }, { timeout: PATTERN_MS }) === true;
  } catch {
    return true;
  }
}

function numberValue({ integer, schema }: { integer: boolean; schema: Schema }, text: string): { value: unknown } | { problem: string } {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) return { problem: 'This is not a number.' };
  if (integer && !Number.isInteger(value)) return { problem: 'This is not a whole number.' };
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (typeof minimum === 'number' && value < minimum) return { problem: `At least ${minimum}.` };
  if (typeof maximum === 'number' && value > maximum) return { problem: `At most ${maximum}.` };
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) return { problem: `More than ${exclusiveMinimum}.` };
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum) return { problem: `Less than ${exclusiveMaximum}.` };
  return { value };
}

function pointed(root: Schema, ref: string): Schema {
  if (!ref.startsWith('#')) return {};
  const keys = ref
    .slice(1)
    .split('/')
    .slice(1)
    .map((key) => decoded(key).replaceAll('~1', '/').replaceAll('~0', '~'));
  let value: unknown = root;
  for (const key of keys) value = objectOf(value)?.[key] ?? (Array.isArray(value) ? (value as unknown[])[Number(key)] : undefined);
  return objectOf(value) ?? {};
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function label(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}
