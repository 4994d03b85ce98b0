/** The heart: one client request in, one outcome out, through the right server and across the eras. */
import { SignalboxError } from '../api/errors.ts';
import type { Sealer } from '../api/seal.ts';
import type { Origin } from '../api/sessions.ts';
import { MAY_ASK } from '../protocol/asking.ts';
import { RPC, refusal, rpcError, toolFailure } from '../protocol/codes.ts';
import { type Era, MODERN_VERSIONS, modernResult, negotiateLegacy } from '../protocol/eras.ts';
import { hopFault, hopsOf } from '../protocol/hops.ts';
import { isObject, type JsonObject, type Notification, type Outcome, type Request } from '../protocol/message.ts';
import { withMembers } from '../protocol/outcome.ts';
import type { Identity } from '../upstreams/handshake.ts';
import type { ClientCall } from './call.ts';
import { Carrier } from './carry.ts';
import type { Route } from './catalog.ts';
import { ClientLimits } from './client-limits.ts';
import { listOutcome } from './encoded-list.ts';
import type { EndpointView } from './endpoint-view.ts';
import { codeOf, LEGACY_ONLY, legacyOnly } from './failures.ts';
import { fromFallback, mayFallBack } from './fallback.ts';
import { about } from './handshake.ts';
import { LEVELS } from './log-levels.ts';
import type { Member } from './member.ts';
import { completeResource, readResource, type Subscribed, subscribeResource } from './resources.ts';
import { listTasks, type Send, taskRequest } from './task-requests.ts';
import { isTask, onlyAsTask, TASK_METHODS, TaskIds } from './tasks.ts';
import { promptUnknown, toolUnknown } from './unknown.ts';
import { exposeUris } from './uris.ts';

const LIST_FIELDS = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
} as const;
type ListMethod = keyof typeof LIST_FIELDS;

/** What a router needs. */
export interface RouterOptions {
  readonly identity: Identity;
  readonly sealer: Sealer;
  /** Our daemon's id, for loops of nested federation. */
  readonly daemonId: string;
  /** Milliseconds a client may stay away from a call that asked before newer calls of it may take its connection. Default a minute. */
  readonly awayMs?: number;
}

/** Routes requests of all endpoints. Stateless but for parked calls; safe for concurrent calls. */
export class Router {
  readonly #identity: Identity;
  readonly #daemonId: string;
  readonly #carrier: Carrier;
  readonly #tasks: TaskIds;
  readonly #limits = new ClientLimits();
  readonly #sender: Send = (member, params, call) => this.#send(member, params, call);

  constructor({ identity, sealer, daemonId, awayMs }: RouterOptions) {
    this.#identity = identity;
    this.#daemonId = daemonId;
    this.#carrier = new Carrier({ identity, sealer, awayMs });
    this.#tasks = new TaskIds(sealer);
  }

  /** Calls parked now. */
  get parked(): number {
    return this.#carrier.parked;
  }

  /** Gives parked calls up (the daemon is leaving). */
  close(): void {
    this.#carrier.close();
  }

  /** Answers one request. Never rejects: every failure becomes an outcome with a code, a cause and a fix. */
  async handle(view: EndpointView, call: ClientCall): Promise<Outcome> {
    try {
      const hops = hopsOf(call.request.params);
      const loop = hops.length === 0 ? undefined : hopFault(hops, this.#daemonId);
      if (loop !== undefined) return { error: rpcError(loop, RPC.invalidRequest) };
      const admit = this.#limits.admission(view.endpoint, call);
      return await this.#dispatch(view, admit === undefined ? call : { ...call, admit });
    } catch (error) {
      if (call.signal.aborted) return { error: { code: RPC.internal, message: 'The request was cancelled.' } };
      return this.#failure(error, call);
    }
  }

  /** How a request that is under way when the daemon leaves is answered: it may have run in part. */
  interrupted(request: Request): Outcome {
    const error = new SignalboxError('SBX_CALL_INTERRUPTED', `${request.method} was interrupted by a restart of the daemon.`, {
      why: 'It was under way and may have run in part; Signalbox never runs a call twice by itself.',
      fix: 'Check what it did, then call it again if that is safe.',
    });
    return request.method === 'tools/call' ? toolFailure(error) : { error: rpcError(error) };
  }

  /** A legacy session has ended: connections of its own end too. */
  sessionEnded(view: EndpointView, session: string): void {
    for (const { upstream } of view.members) upstream.endSession(session);
  }

  /** A notification of a legacy client that is not for us: a server that has a connection for this session alone hears it. */
  told(view: EndpointView, session: string, { method, params }: Notification): void {
    for (const { upstream } of view.members) upstream.sessionConnection(session)?.notify(method, params);
  }

  /** Subscribes a client to a resource at the server it leads to now. Never rejects. */
  subscribe(view: EndpointView, client: string, era: Era, uri: string, origin?: Origin): Promise<Subscribed> {
    return subscribeResource(view, client, era, uri, origin);
  }

  #failure(error: unknown, call: ClientCall): Outcome {
    const code = codeOf(error);
    if (call.request.method === 'tools/call' && code === RPC.internal) return this.#own(toolFailure(error), call);
    const failure = rpcError(error, code);
    // The specification wants the URI beside an unknown resource (2026-07-28, "Resources", error handling).
    const unknown = error instanceof SignalboxError && error.code === 'SBX_RESOURCE_UNKNOWN' && isObject(failure.data);
    return { error: unknown ? { ...failure, data: { ...(failure.data as JsonObject), uri: call.request.params?.['uri'] } } : failure };
  }

  #dispatch(view: EndpointView, call: ClientCall): Promise<Outcome> | Outcome {
    const { method } = call.request;
    if (call.era === 'modern' && LEGACY_ONLY.has(method)) return { error: rpcError(legacyOnly(method), RPC.methodNotFound) };
    switch (method) {
      case 'tools/call':
        return this.#tool(view, call);
      case 'prompts/get':
        return this.#prompt(view, call);
      case 'resources/read':
        return readResource(view, call, this.#sender, (outcome, member) => this.#exposed(outcome, view, member, call));
      case 'initialize':
        return this.#introduce(view, { protocolVersion: negotiateLegacy(call.request.params?.['protocolVersion']) }, call);
      case 'server/discover':
        return this.#introduce(view, { supportedVersions: [...MODERN_VERSIONS] }, call);
      case 'ping':
        return this.#own({ result: {} }, call);
      case 'tools/list':
      case 'prompts/list':
      case 'resources/list':
      case 'resources/templates/list':
        return this.#list(view, method, call);
      case 'completion/complete':
        return this.#complete(view, call);
      case 'logging/setLevel':
        return this.#setLevel(view, call);
      case 'tasks/list':
        return this.#taskList(view, call);
      default:
        return TASK_METHODS.has(method) ? taskRequest(view, call, this.#tasks, this.#sender) : this.#unknown(view, call);
    }
  }

  /** Instructions and extensions are the servers': one that was never met is given a moment to introduce itself, and no more. */
  async #introduce(view: EndpointView, versions: JsonObject, call: ClientCall): Promise<Outcome> {
    const { caller, era } = call;
    await view.met(caller.client, era);
    return this.#own({ result: { ...versions, ...about(view, era, caller.client, this.#identity, this.#daemonId) } }, call);
  }

  async #list(view: EndpointView, method: ListMethod, call: ClientCall): Promise<Outcome> {
    const { client } = call.caller;
    const catalog = await view.loadedCatalog(client, call.era);
    const field = LIST_FIELDS[method];
    const { items, nextCursor } = view.page(catalog[field], field, client, call.era, call.request.params?.['cursor']);
    const next = nextCursor === undefined ? {} : { nextCursor };
    const list = listOutcome(field, items);
    if (call.era === 'legacy') return withMembers(list, next);
    return withMembers(list, modernResult({ ...next, ...catalog.caching[field] }, method, { ...this.#identity }));
  }

  async #tool(view: EndpointView, call: ClientCall): Promise<Outcome> {
    const { params } = call.request;
    const name = String(params?.['name']);
    const { client } = call.caller;
    if (view.endpoint.tools === 'search') {
      const found = await view.searchTool(client, call.era, name, params?.['arguments']);
      if (found !== undefined && 'result' in found) return this.#own({ result: found.result }, call);
      if (found !== undefined) return this.#callTool(view, found.forward.name, { ...params, ...found.forward }, call);
    }
    return this.#callTool(view, name, params, call);
  }

  async #callTool(view: EndpointView, name: string, params: JsonObject | undefined, call: ClientCall): Promise<Outcome> {
    const route = await this.#route(view, 'toolRoutes', name, call, toolUnknown);
    const { member } = route;
    const { replaySafe = [], fallback } = member.server.entry;
    let sent = false;
    const carriage = {
      upstream: member.upstream,
      call,
      params: { ...params, name: route.name },
      replaySafe: replaySafe.includes('*') || replaySafe.includes(route.name),
      asTask: call.era === 'modern' && onlyAsTask(member.snapshot(call.era).tools, route.name),
      onSent: () => {
        sent = true;
      },
    };
    try {
      return this.#exposed(await this.#carrier.carry(carriage), view, member, call);
    } catch (error) {
      const other = fallback === undefined || !mayFallBack(error, sent) ? undefined : view.usedBy(member, fallback, route.name, call.era);
      if (other === undefined || fallback === undefined) throw error;
      return fromFallback(await this.#carrier.carry({ ...carriage, upstream: other }), fallback);
    }
  }

  async #prompt(view: EndpointView, call: ClientCall): Promise<Outcome> {
    const { params } = call.request;
    const route = await this.#route(view, 'promptRoutes', params?.['name'], call, promptUnknown);
    return this.#exposed(await this.#send(route.member, { ...params, name: route.name }, call), view, route.member, call);
  }

  async #route(
    view: EndpointView,
    table: 'toolRoutes' | 'promptRoutes',
    name: unknown,
    { caller, era }: ClientCall,
    unknown: (name: string, view: EndpointView, client: string) => SignalboxError,
  ): Promise<Route> {
    if (typeof name !== 'string') throw unknown(String(name), view, caller.client);
    const known =
      view.catalog(caller.client, era)[table].get(name) ??
      (await view.loadedCatalog(caller.client, era))[table].get(name) ??
      (await view.catalogFor(name, caller.client, era))[table].get(name);
    if (known === undefined) throw unknown(name, view, caller.client);
    return known;
  }

  async #complete(view: EndpointView, call: ClientCall): Promise<Outcome> {
    const { params } = call.request;
    const ref = isObject(params?.['ref']) ? params['ref'] : {};
    if (ref['type'] === 'ref/prompt') {
      const route = await this.#route(view, 'promptRoutes', ref['name'], call, promptUnknown);
      return this.#send(route.member, { ...params, ref: { ...ref, name: route.name } }, call);
    }
    return completeResource(view, call, String(ref['uri']), this.#sender);
  }

  /** The level is a wish: each session filters for itself as well, and a shared connection logs what the most curious one wants. */
  #setLevel(view: EndpointView, { request: { method, params }, caller: { client, session } }: ClientCall): Outcome {
    const level = String(params?.['level']);
    if (!LEVELS.includes(level)) return { error: refusal(RPC.invalidParams, `There is no log level ${JSON.stringify(level)}.`) };
    for (const { upstream } of view.catalog(client, 'legacy').members) {
      const own = session === undefined ? undefined : upstream.sessionConnection(session.id);
      if (own?.capabilities['logging'] !== undefined) void own.request(method, params).catch(() => undefined);
      const shared = upstream.connection('legacy');
      if (shared?.era === 'legacy') void this.#carrier.logFrom(shared, level);
    }
    return { result: {} };
  }

  async #taskList(view: EndpointView, call: ClientCall): Promise<Outcome> {
    return this.#own({ result: { tasks: await listTasks(view, call, this.#tasks, this.#sender) } }, call);
  }

  /** A method we do not know passes unchanged where there is no doubt whom it is for. */
  #unknown(view: EndpointView, call: ClientCall): Promise<Outcome> {
    // A server this client sees nothing of is none.
    const { members } = view.catalog(call.caller.client, call.era);
    const [only, ...others] = members;
    if (only !== undefined && others.length === 0) return this.#send(only, call.request.params, call);
    throw new SignalboxError('SBX_METHOD_UNKNOWN', `No server can be chosen for method ${call.request.method}.`, {
      why: `It names no tool, prompt or resource, and of endpoint "${view.endpoint.name}" this client sees ${members.length} servers.`,
      fix: 'Call it on an endpoint with one server.',
    });
  }

  #send(member: Member, params: JsonObject | undefined, call: ClientCall): Promise<Outcome> {
    return this.#carrier.carry({
      upstream: member.upstream,
      call,
      params,
      replaySafe: MAY_ASK.has(call.request.method) && call.request.method !== 'tools/call',
    });
  }

  /** URIs in a result as the client knows them: changed only where two servers have the same one. */
  #exposed(outcome: Outcome, view: EndpointView, member: Member, call: ClientCall): Outcome {
    const { caller, era } = call;
    if ('error' in outcome) return outcome;
    const aliases = view.catalog(caller.client, era).uriAliases.get(member);
    const named = isTask(outcome) ? this.#tasks.exposeIn(outcome, member, call) : outcome;
    return aliases === undefined || 'error' in named ? named : { result: exposeUris(named.result, aliases) };
  }

  #own(outcome: Outcome, call: ClientCall): Outcome {
    if (call.era === 'legacy' || 'error' in outcome) return outcome;
    return { result: modernResult(outcome.result, call.request.method, { ...this.#identity }) };
  }
}
