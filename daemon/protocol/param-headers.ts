/** Parameters of a tool that are headers too: `x-mcp-header` in its input schema, `Mcp-Param-*` on a call (2026-07-28, SEP-2243). Pure. */
import { isObject, type JsonObject } from './message.ts';

/** Key of a schema that names the header. */
export const PARAM_HEADER = 'x-mcp-header';
/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const PRIMITIVES: readonly unknown[] = ['string', 'integer', 'number', 'boolean'];
const BASE64 = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/;
const DECIMAL = /^-?\d+(?:\.\d+)?$/;

/** One parameter: where it stands in the arguments, and its header without `Mcp-Param-`. */
export interface MirroredParameter {
  readonly path: readonly string[];
  readonly header: string;
}

/** The declarations of an input schema; valid only along a chain of `properties` (2026-07-28, "Schema Extension"). */
export function declaredParameters(schema: unknown, path: readonly string[] = []): readonly MirroredParameter[] {
  if (!isObject(schema)) return [];
  const { [PARAM_HEADER]: header, type, properties } = schema;
  const own = path.length > 0 && typeof header === 'string' && TOKEN.test(header) && PRIMITIVES.includes(type) ? [{ path, header }] : [];
  const below = Object.entries(isObject(properties) ? properties : {});
  return [...own, ...below.flatMap(([key, child]) => declaredParameters(child, [...path, key]))];
}

/** The argument as a header says it; undefined when it is not given, or not of a kind a header can say. */
export function mirroredValue(parameter: MirroredParameter, args: unknown): string | undefined {
  return said(valueAt(parameter, args));
}

/**
 * What is wrong with the headers of a call, or undefined. A header whose argument is not given is nobody's business.
 * @param headers names in lower case
 */
export function parameterFault(
  declared: readonly MirroredParameter[],
  args: unknown,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): { readonly why: string; readonly data: JsonObject } | undefined {
  for (const parameter of declared) {
    const header = `Mcp-Param-${parameter.header}`;
    const wanted = valueAt(parameter, args);
    if (said(wanted) === undefined) continue;
    const given = headers[header.toLowerCase()];
    const problem = typeof given === 'string' ? disagreement(given.trim(), wanted) : 'is missing';
    if (problem !== undefined)
      return {
        why: `The header ${header} ${problem}; the arguments carry it too.`,
        data: { mismatch: { header, body: parameter.path.join('.') } },
      };
  }
  return undefined;
}

function valueAt({ path }: MirroredParameter, args: unknown): unknown {
  return path.reduce<unknown>((at, key) => (isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined), args);
}

function said(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'number' && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? String(value) : undefined;
}

function disagreement(given: string, wanted: unknown): string | undefined {
  const sentinel = given.startsWith('=?base64?') && given.endsWith('?=');
  const encoded = BASE64.exec(given)?.[1];
  if (sentinel && encoded === undefined) return 'has an invalid base64 value';
  const text = encoded === undefined ? given : Buffer.from(encoded, 'base64').toString('utf8');
  // 42.0 and 42 are the same number.
  const equal = typeof wanted === 'number' && DECIMAL.test(text) ? Number(text) === wanted : text === said(wanted);
  return equal ? undefined : 'says something else than the arguments';
}
