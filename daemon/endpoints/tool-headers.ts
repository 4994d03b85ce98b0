/** Whether a modern call repeats in its headers what its tool declares (`x-mcp-header`, SEP-2243). */
import type { IncomingHttpHeaders } from 'node:http';
import { RPC, refusal } from '../protocol/codes.ts';
import type { Request, RpcError } from '../protocol/message.ts';
import { declaredParameters, type MirroredParameter, parameterFault } from '../protocol/param-headers.ts';
import type { Catalog } from '../router/catalog.ts';
import type { EndpointView } from '../router/endpoint-view.ts';

/** Few tools declare any, so a catalogue is looked through once. */
const DECLARED = new WeakMap<Catalog, ReadonlyMap<unknown, readonly MirroredParameter[]>>();

/** The refusal of a `tools/call` whose headers do not say what its arguments say; undefined when all is well. */
export function toolHeaderFault(
  view: EndpointView,
  client: string,
  { params }: Request,
  headers: IncomingHttpHeaders,
): RpcError | undefined {
  const declared = declarations(view.catalog(client, 'modern')).get(params?.['name']);
  const fault = declared === undefined ? undefined : parameterFault(declared, params?.['arguments'], headers);
  return fault === undefined ? undefined : refusal(RPC.headerMismatch, fault.why, fault.data);
}

function declarations(catalog: Catalog): ReadonlyMap<unknown, readonly MirroredParameter[]> {
  const known = DECLARED.get(catalog);
  if (known !== undefined) return known;
  const made = new Map<unknown, readonly MirroredParameter[]>();
  for (const { name, inputSchema } of catalog.allTools) {
    const parameters = declaredParameters(inputSchema);
    if (parameters.length > 0) made.set(name, parameters);
  }
  DECLARED.set(catalog, made);
  return made;
}
