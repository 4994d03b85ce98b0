/** Values against JSON Schemas, by the SDK's Ajv: 2020-12, or draft-07 where the schema says so. */
import type { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';

let loaded: Promise<AjvJsonSchemaValidator> | undefined;

/**
 * What is wrong with a value, one sentence each with a JSON pointer in front; empty when it fits.
 * A schema that is none is itself a problem: nobody can say whether the value fits.
 */
export async function schemaProblems(schema: object, value: unknown): Promise<readonly string[]> {
  loaded ??= import('@modelcontextprotocol/server/validators/ajv').then((ajv) => new ajv.AjvJsonSchemaValidator());
  const validator = await loaded;
  try {
    // `$id` would be registered for ever: two tools with the same one are no fault of either.
    const { $id: _id, ...anonymous } = schema as Record<string, unknown>;
    const outcome = validator.getValidator(anonymous as Parameters<AjvJsonSchemaValidator['getValidator']>[0])(value);
    if (outcome.valid) return [];
    return (outcome.errorMessage ?? 'not valid')
      .split(/, (?=data[/ ])/)
      .map((text) => text.replace(/^data(\/\S*)?\s*/, (_all, path: string | undefined) => `${path ?? 'the value'} `));
  } catch (error) {
    return [`The schema cannot be used: ${error instanceof Error ? error.message : String(error)}`];
  }
}
