import { usageError } from './arguments.ts';

/**
 * A JSON object given on the command line.
 * @throws SBX_USAGE when it is not one
 */
export function jsonObject(flag: string, text: string): Record<string, unknown> {
  let value: unknown;
  let why = 'It is JSON, but not an object.';
  try {
    value = JSON.parse(text);
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw usageError(`${flag} is not a JSON object.`, why, `Quote it for the shell: ${flag} '{"key": "value"}'.`);
  return { ...value };
}
