/** Whether the arguments of a call fit a tool's inputSchema. */
import type { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';
import type { JsonObject } from '../protocol/message.ts';

type Schema = Parameters<AjvJsonSchemaValidator['getValidator']>[0];
type Check = ReturnType<AjvJsonSchemaValidator['getValidator']>;

let validator: Promise<AjvJsonSchemaValidator> | undefined;
const compiled = new WeakMap<object, Check>();

/**
 * Checks arguments with the SDK's Ajv (JSON Schema 2020-12), loaded at the first call.
 * @returns what does not fit, for people; undefined when all does
 */
export async function misfit(input: JsonObject, schema: Readonly<Record<string, unknown>>): Promise<string | undefined> {
  validator ??= import('@modelcontextprotocol/server/validators/ajv').then((ajv) => new ajv.AjvJsonSchemaValidator());
  try {
    const known = compiled.get(schema);
    const check = known ?? (await validator).getValidator(schema as Schema);
    if (known === undefined) compiled.set(schema, check);
    const { valid, errorMessage } = check(input);
    return valid ? undefined : (errorMessage ?? 'They do not fit the schema.');
  } catch (error) {
    return `The inputSchema in the configuration cannot be used: ${error instanceof Error ? error.message : String(error)}`;
  }
}
