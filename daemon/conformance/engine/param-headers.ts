/** Arguments that are mirrored into `Mcp-Param-…` headers: properties with `x-mcp-header` (2026-07-28, Transports). */
import { headerValue } from '../../protocol/eras.ts';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { at } from './judge.ts';

/** One marked property. */
export interface MarkedArgument {
  /** Keys from the root of the arguments. */
  readonly path: readonly string[];
  /** Header name, in lower case. */
  readonly header: string;
}

/** Whether a text can be a part of a header's name (RFC 9110, token). */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);
}

/** The marked properties of a tool's `inputSchema`: those reachable by `properties` alone. */
export function markedArguments(inputSchema: unknown, path: readonly string[] = []): readonly MarkedArgument[] {
  const properties = at(inputSchema, 'properties');
  if (!isObject(properties) || path.length > 8) return [];
  return Object.entries(properties).flatMap(([key, schema]) => {
    const header = at(schema, 'x-mcp-header');
    const here = [...path, key];
    const own = typeof header === 'string' && isToken(header);
    return [...(own ? [{ path: here, header: `mcp-param-${header.toLowerCase()}` }] : []), ...markedArguments(schema, here)];
  });
}

/** The headers of a call: one for each marked argument that is a text, a number or a truth value. */
export function paramHeaders(marked: readonly MarkedArgument[], args: unknown): JsonObject & Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { path, header } of marked) {
    const value = at(args, ...path);
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') headers[header] = headerValue(String(value));
  }
  return headers;
}
