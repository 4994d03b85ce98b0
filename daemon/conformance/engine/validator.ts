/** JSON Schema as the oracle: the SDK's Ajv, 2020-12 and draft-07. */
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';

type Schema = Parameters<AjvJsonSchemaValidator['getValidator']>[0];
/** undefined when the value is valid, else why not. */
export type Validate = (value: unknown) => string | undefined;

const ajv = new AjvJsonSchemaValidator();
const compiled = new WeakMap<object, Validate | Error>();

/**
 * Compiles a schema under the dialect it declares (2020-12 without one).
 * @returns the validator, or the error when it is no valid schema
 */
export function compile(schema: unknown): Validate | Error {
  if (typeof schema === 'boolean') return () => (schema ? undefined : 'nothing is valid under `false`');
  if (typeof schema !== 'object' || schema === null) return new Error('a schema is an object or a boolean');
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const made = compileNew(schema);
  compiled.set(schema, made);
  return made;
}

function compileNew(schema: object): Validate | Error {
  try {
    // `$id` would be registered for ever: two tools with the same one are no fault of either
    const { $id: _id, ...anonymous } = schema as Record<string, unknown>;
    const validate = ajv.getValidator(anonymous as Schema);
    return (value) => {
      const outcome = validate(value);
      return outcome.valid ? undefined : (outcome.errorMessage ?? 'not valid');
    };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Members of a schema whose own members are names, not keywords; and those that are values. */
const NAMED = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);
const VALUES = new Set(['const', 'enum', 'default', 'examples']);
const loose = new WeakMap<object, unknown>();

/** A schema without `format`, which annotates and asserts nothing unless a validator chooses so (2020-12 Validation, 7.2.1; draft-07: optional). */
export function withoutFormats(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  const known = loose.get(schema);
  if (known !== undefined) return known;
  const made = Array.isArray(schema)
    ? schema.map(withoutFormats)
    : Object.fromEntries(
        Object.entries(schema)
          .filter(([key]) => key !== 'format')
          .map(([key, part]) => [
            key,
            VALUES.has(key)
              ? part
              : NAMED.has(key) && typeof part === 'object' && part !== null
                ? Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, withoutFormats(inner)]))
                : withoutFormats(part),
          ]),
      );
  loose.set(schema, made);
  return made;
}

/** A validator of a schema we wrote. Throws when it is none. */
export function validatorOf(schema: object): Validate {
  const made = compile(schema);
  if (made instanceof Error) throw made;
  return made;
}
