/** Whose a resource is: read, subscribed to and completed at the server it leads to. */
import { SignalboxError } from '../api/errors.ts';
import type { Origin } from '../api/sessions.ts';
import { RPC, rpcError } from '../protocol/codes.ts';
import type { Era } from '../protocol/eras.ts';
import type { Outcome } from '../protocol/message.ts';
import type { ClientCall } from './call.ts';
import type { Route } from './catalog.ts';
import type { EndpointView } from './endpoint-view.ts';
import { codeOf } from './failures.ts';
import type { Member } from './member.ts';
import type { Send } from './task-requests.ts';
import { resourceUnknown } from './unknown.ts';

/** A subscription that was tried. `release` gives it up; absent where it was refused. */
export interface Subscribed {
  readonly outcome: Outcome;
  readonly release?: (origin?: Origin) => Promise<Outcome>;
}

/**
 * Reads a resource: from the server that lists it, else from the first that knows it.
 * @param exposed puts the names in a result as the client knows them
 * @throws SBX_RESOURCE_UNKNOWN
 */
export async function readResource(
  view: EndpointView,
  call: ClientCall,
  send: Send,
  exposed: (outcome: Outcome, member: Member) => Outcome,
): Promise<Outcome> {
  const { params } = call.request;
  const uri = String(params?.['uri']);
  const catalog = await view.loadedCatalog(call.caller.client, call.era);
  const route = catalog.resourceRoute(uri);
  if (route !== undefined) return exposed(await send(route.member, { ...params, uri: route.name }, call), route.member);
  for (const member of catalog.candidates(uri)) {
    const outcome = await send(member, params, call);
    if (!('error' in outcome) || (outcome.error.code !== RPC.resourceNotFound && outcome.error.code !== RPC.invalidParams)) return outcome;
  }
  throw resourceUnknown(uri, view);
}

/** Subscribes a client to a resource at the server it leads to now, for the request `origin` if there is one. Never rejects. */
export async function subscribeResource(
  view: EndpointView,
  client: string,
  era: Era,
  uri: string,
  origin: Origin | undefined,
): Promise<Subscribed> {
  try {
    const { member, name } = await resourceRoute(view, client, era, uri);
    const outcome = await member.upstream.subscribe(name, era, origin);
    if ('error' in outcome) return { outcome };
    // A server that is gone has no subscription left.
    return { outcome, release: (by) => member.upstream.unsubscribe(name, era, by).catch((): Outcome => ({ result: {} })) };
  } catch (error) {
    return { outcome: { error: rpcError(error, codeOf(error)) } };
  }
}

/**
 * Asks the server of a resource template what could stand in it.
 * @throws SBX_RESOURCE_UNKNOWN
 */
export async function completeResource(view: EndpointView, call: ClientCall, uri: string, send: Send): Promise<Outcome> {
  const catalog = await view.loadedCatalog(call.caller.client, call.era);
  const owner = catalog.templateOwner(uri) ?? catalog.candidates(uri)[0];
  if (owner !== undefined) return send(owner, call.request.params, call);
  throw new SignalboxError('SBX_RESOURCE_UNKNOWN', `Template ${uri} is not known.`, {
    why: 'No server listed it.',
    fix: 'List the resource templates first.',
  });
}

async function resourceRoute(view: EndpointView, client: string, era: Era, uri: string): Promise<Route> {
  const catalog = await view.loadedCatalog(client, era);
  const route = catalog.resourceRoute(uri);
  if (route !== undefined) return route;
  const [member] = catalog.candidates(uri);
  if (member !== undefined) return { member, name: uri };
  throw resourceUnknown(uri, view);
}
