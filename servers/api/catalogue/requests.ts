/** Operations of a hand-written catalogue: requests of the settings, of a preset, of an imported curl line or HAR. */
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { JsonObject } from '../../plugin/define.ts';
import { OWN_ARGUMENTS, propertyName, toolName } from '../description/names.ts';
import type { Body, Method, Operation, Parameter } from '../description/operation.ts';
import { paginationOf } from '../description/pagination.ts';
import { isOwned } from '../guard/headers.ts';
import { strictUrl } from '../guard/target.ts';
import type { CatalogueRequest } from '../settings.ts';

/**
 * Turns catalogue requests into operations.
 * @throws SignalboxError `SBX_PLUGIN_SETTINGS` naming the request and what is wrong
 */
export function catalogueOperations(requests: Readonly<Record<string, CatalogueRequest>>): readonly Operation[] {
  const taken = new Set<string>();
  return Object.entries(requests).map(([name, request]) => operationOf(name, request, taken));
}

function operationOf(name: string, request: CatalogueRequest, taken: Set<string>): Operation {
  const wrong = (why: string): SignalboxError =>
    new SignalboxError('SBX_PLUGIN_SETTINGS', `The request "${name}" cannot be made a tool.`, {
      why: `requests.${name}: ${why}`,
      fix: 'Correct it in the settings.',
    });
  const method: Method = request.method ?? 'GET';
  const { server, path, query } = split(request.path, wrong);
  const properties = new Set<string>(OWN_ARGUMENTS);
  const parameters = Object.entries(request.parameters ?? {}).map(([property, given]): Parameter => {
    const place =
      given.in ?? (path.includes(`{${given.name ?? property}}`) || path.includes(`{+${given.name ?? property}}`) ? 'path' : 'query');
    const wanted = given.name ?? property;
    if (place === 'header' && isOwned(wanted)) throw wrong(`the header ${wanted} belongs into "headers" or "auth", not to an argument`);
    return {
      property: propertyName(property, properties),
      name: wanted,
      in: place,
      required: place === 'path' || given.required === true,
      style: place === 'path' || place === 'header' ? 'simple' : 'form',
      explode: given.explode ?? (place === 'query' || place === 'cookie'),
      allowReserved: path.includes(`{+${wanted}}`),
      json: false,
      ...(given.schema?.['default'] === undefined ? {} : { fallback: given.schema['default'] }),
      schema: { ...(given.schema ?? { type: 'string' }), ...(given.description === undefined ? {} : { description: given.description }) },
    };
  });
  const plain = path.replace(/\{\+/gu, '{');
  for (const [, each] of plain.matchAll(/\{([^}]*)\}/gu))
    if (!parameters.some((parameter) => parameter.in === 'path' && parameter.name === each))
      throw wrong(`its path has {${each}}, and no parameter of that name`);
  const body: Body | undefined =
    request.body === undefined
      ? undefined
      : {
          property: propertyName('body', properties),
          required: true,
          contentType: request.form === true ? 'application/x-www-form-urlencoded' : 'application/json',
          kind: request.form === true ? 'form' : 'json',
          schema: request.body,
          files: [],
          partTypes: {},
        };
  const words = [request.title, request.description, `(${method} ${plain})`].filter((each) => each !== undefined);
  return {
    tool: toolName(name, taken),
    operationId: name,
    method,
    path: plain,
    server,
    tags: [],
    title: (request.title ?? name).slice(0, 100),
    description: words.join(' ').slice(0, 1000),
    deprecated: false,
    parameters,
    body,
    defs: {},
    accept: undefined,
    response: () => request.output as JsonObject | undefined,
    pagination: request.pagination ?? paginationOf(method, parameters),
    select: request.select,
    failures: request.failures ?? [],
    fixedQuery: { ...query, ...request.query },
    fixedHeaders: request.headers ?? {},
  };
}

function split(
  given: string,
  wrong: (why: string) => SignalboxError,
): { server: string | undefined; path: string; query: Record<string, string> } {
  const mark = given.indexOf('?');
  const address = mark < 0 ? given : given.slice(0, mark);
  const query = mark < 0 ? {} : Object.fromEntries(new URLSearchParams(given.slice(mark + 1)));
  if (address.startsWith('/') && !address.startsWith('//')) return { server: undefined, path: address, query };
  const [, origin, path] = /^(https?:\/\/[^/?#{}]+)(\/.*)?$/iu.exec(address) ?? [];
  const url = strictUrl(origin ?? address);
  if (origin === undefined || typeof url === 'string')
    throw wrong(typeof url === 'string' ? url : 'its path begins neither with / nor with http(s)://');
  return { server: origin, path: path ?? '/', query };
}
