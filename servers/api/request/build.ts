/** From an operation and the arguments of a call to a request. Nothing is sent here. */
import type { Operation } from '../description/operation.ts';
import { isOwned } from '../guard/headers.ts';
import { badInput, urlBeneath } from '../guard/target.ts';
import { bodyBytes } from './body.ts';
import { cookiePair, encodeName, formPairs, headerText, pathText, queryPairs } from './style.ts';

/** A request as far as the arguments decide it; the settings add credentials. */
export interface BuiltRequest {
  readonly method: string;
  readonly url: URL;
  /** From arguments: the guard lets them name neither framing nor credentials. */
  readonly argumentHeaders: Readonly<Record<string, string>>;
  /** From the operation itself: Accept, Content-Type, Cookie, fixed headers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/**
 * Builds the request of a call.
 * @param base where the API is
 * @param args checked against the tool's schema
 * @param reserved what the settings send: `query:key`, `header:x-key`, `cookie:session`, lower case
 * @throws SignalboxError `SBX_API_INPUT` naming the argument
 */
export function buildRequest(
  base: URL,
  operation: Operation,
  args: Readonly<Record<string, unknown>>,
  reserved: ReadonlySet<string>,
): BuiltRequest {
  let path = operation.path;
  const query: (readonly [string, string])[] = Object.entries(operation.fixedQuery).map(([name, value]) => [
    encodeName(name),
    encodeURIComponent(value),
  ]);
  const argumentHeaders: Record<string, string> = {};
  const cookies: string[] = [];
  for (const parameter of operation.parameters) {
    const value = args[parameter.property] ?? (Object.hasOwn(args, parameter.property) ? null : parameter.fallback);
    if (value === undefined) {
      if (parameter.required) throw badInput(parameter.property, 'It is missing, and the request needs it.');
      continue;
    }
    if (value === null && parameter.in !== 'path' && !parameter.json) continue;
    const foreign = namesBeside(operation, parameter.name, reserved);
    if (parameter.in === 'path') path = path.replaceAll(`{${parameter.name}}`, () => pathText(parameter, value));
    else if (parameter.in === 'query') query.push(...queryPairs(parameter, value, foreign));
    else if (parameter.in === 'querystring') query.push(...formPairs(asRecord(parameter.property, value)));
    else if (parameter.in === 'cookie') cookies.push(cookiePair(parameter, value));
    else if (!isOwned(parameter.name)) argumentHeaders[parameter.name] = headerText(parameter, value);
  }
  const written =
    operation.body === undefined || args[operation.body.property] === undefined
      ? undefined
      : bodyBytes(operation.body, args[operation.body.property]);
  if (written === undefined && operation.body?.required === true)
    throw badInput(operation.body.property, 'It is missing, and the request needs it.');
  return {
    method: operation.method,
    url: urlBeneath(base, path, query.map(([name, value]) => `${name}=${value}`).join('&')),
    argumentHeaders,
    headers: {
      ...(operation.accept === undefined ? {} : { accept: operation.accept }),
      ...operation.fixedHeaders,
      ...(cookies.length === 0 ? {} : { cookie: cookies.join('; ') }),
      ...(written === undefined ? {} : { 'content-type': written.contentType }),
    },
    body: written?.bytes,
  };
}

/** The query names that free keys of an object must not take. */
function namesBeside(operation: Operation, own: string, reserved: ReadonlySet<string>): ReadonlySet<string> {
  const names = operation.parameters.filter((each) => each.in === 'query' && each.name !== own).map((each) => each.name.toLowerCase());
  const sent = [...reserved].filter((each) => each.startsWith('query:')).map((each) => each.slice('query:'.length));
  return new Set([...names, ...sent, ...Object.keys(operation.fixedQuery).map((name) => name.toLowerCase())]);
}

function asRecord(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw badInput(name, 'It is not an object.');
}
