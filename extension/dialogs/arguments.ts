/** A first draft of a tool's arguments, made from its input schema. */

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema | boolean>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
}

/**
 * The required properties of an object schema, each with its default, constant, first choice or example, or an empty value of its type.
 * Optional properties are left out: what is not there is what the tool's author chose as normal.
 *
 * @param schema `inputSchema` of an MCP tool (JSON Schema 2020-12, type object)
 */
export function argumentsSkeleton(schema: object): Record<string, unknown> {
  const { properties = {}, required = [] } = schema as Schema;
  return Object.fromEntries(required.map((name) => [name, draft(properties[name])]));
}

function draft(schema: Schema | boolean | undefined): unknown {
  if (typeof schema !== 'object') return null;
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.examples !== undefined && schema.examples.length > 0) return schema.examples[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'string':
      return '';
    case 'number':
    case 'integer':
      return schema.minimum ?? 0;
    case 'boolean':
      return false;
    case 'array':
      return [];
    case 'object':
      return argumentsSkeleton(schema);
    default:
      return null;
  }
}
