/** The heart: one client request in, one outcome out, through the right server and across the eras. */
import { SignalboxError } from '../api/errors.ts';
import { RPC, rpcError, toolFailure } from '../protocol/codes.ts';
import { bridgeOutcome, type Era, META, MODERN_VERSIONS, modernResult, negotiateLegacy, withoutEnvelope } from '../protocol/eras.ts';
import { isObject, type JsonObject, metaOf, type Notification, type Outcome, type Request } from '../protocol/message.ts';
import type { Identity } from '../upstreams/connection.ts';
import { candidatesFor, type Route } from './catalog.ts';
import type { EndpointView } from './endpoint-view.ts';
import type { Member } from './member.ts';

/** A request as it reached an endpoint. */
export interface ClientCall {
  readonly request: Request;
  readonly era: Era;
  /** Aborted when the client cancels. */
  readonly signal: AbortSignal;
  /** Sends a notification that belongs to this request (progress). */
  readonly notify: (notification: Notification) => void;
}

/** What every endpoint declares: lists are answered from what is known, so nothing has to be started to declare it. */
const CAPABILITIES: JsonObject = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
};

const LIST_FIELDS = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
} as const;

/** Routes requests of one endpoint. Stateless but for the view; safe for concurrent calls. */
export class Router {
  readonly #identity: Identity;

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /** Answers one request. Never rejects: every failure becomes an outcome with a code, a cause and a fix. */
  async handle(view: EndpointView, call: ClientCall): Promise<Outcome> {
    const { request } = call;
    try {
      return await this.#dispatch(view, call);
    } catch (error) {
      if (call.signal.aborted) return { error: { code: RPC.internal, message: 'The request was cancelled.' } };
      if (request.method === 'tools/call' && !isNotFound(error)) return this.#own(toolFailure(error), call);
      return { error: rpcError(error, isNotFound(error) ? RPC.invalidParams : RPC.internal) };
    }
  }

  async #dispatch(view: EndpointView, call: ClientCall): Promise<Outcome> {
    const { method, params } = call.request;
    switch (method) {
      case 'initialize':
        return {
          result: {
            protocolVersion: negotiateLegacy(params?.['protocolVersion']),
            capabilities: CAPABILITIES,
            serverInfo: { ...this.#identity },
            instructions: view.instructions(),
          },
        };
      case 'server/discover': {
        const { logging: _legacyOnly, ...capabilities } = CAPABILITIES;
        return this.#own({ result: { supportedVersions: [...MODERN_VERSIONS], capabilities, instructions: view.instructions() } }, call);
      }
      case 'ping':
        return this.#own({ result: {} }, call);
      case 'tools/list':
      case 'prompts/list':
      case 'resources/list':
      case 'resources/templates/list': {
        if (params?.['cursor'] !== undefined) throw unknownCursor();
        const catalog = await view.loadedCatalog();
        const field = LIST_FIELDS[method];
        return this.#own({ result: { [field]: catalog[field] } }, call);
      }
      case 'tools/call':
        return this.#forward(await this.#route(view, 'toolRoutes', params?.['name'], toolUnknown), 'name', call);
      case 'prompts/get':
        return this.#forward(await this.#route(view, 'promptRoutes', params?.['name'], promptUnknown), 'name', call);
      case 'resources/read':
        return this.#resource(view, call);
      case 'resources/subscribe':
      case 'resources/unsubscribe':
        return this.#subscription(view, call);
      case 'completion/complete':
        return this.#complete(view, call);
      case 'logging/setLevel':
        for (const member of view.members) {
          const connection = member.upstream.connection;
          if (connection?.era === 'legacy' && connection.capabilities['logging'] !== undefined)
            void connection.request(method, params).catch(() => undefined); // the level is a wish; the session filters as well
        }
        return { result: {} };
      default:
        return this.#unknown(view, call);
    }
  }

  /** A method we do not know passes unchanged where there is no doubt whom it is for. */
  #unknown(view: EndpointView, call: ClientCall): Promise<Outcome> {
    const [only, ...others] = view.members;
    if (only !== undefined && others.length === 0) return this.#send(only, call.request.params, call);
    throw new SignalboxError('SBX_METHOD_UNKNOWN', `No server can be chosen for method ${call.request.method}.`, {
      why: `It names no tool, prompt or resource, and endpoint "${view.endpoint.name}" has ${view.members.length} servers.`,
      fix: 'Call it on an endpoint with one server.',
    });
  }

  async #route(
    view: EndpointView,
    table: 'toolRoutes' | 'promptRoutes',
    name: unknown,
    unknown: (name: string, view: EndpointView) => SignalboxError,
  ): Promise<Route> {
    if (typeof name !== 'string') throw unknown(String(name), view);
    const known = view.catalog()[table].get(name) ?? (await view.loadedCatalog())[table].get(name);
    if (known === undefined) throw unknown(name, view);
    return known;
  }

  #forward(route: Route, field: 'name' | 'uri', call: ClientCall): Promise<Outcome> {
    return this.#send(route.member, { ...call.request.params, [field]: route.name }, call);
  }

  async #resource(view: EndpointView, call: ClientCall): Promise<Outcome> {
    const uri = String(call.request.params?.['uri']);
    const route = (await view.loadedCatalog()).resourceRoutes.get(uri);
    if (route !== undefined) {
      const outcome = await this.#forward(route, 'uri', call);
      return route.name === uri ? outcome : renameContents(outcome, route.name, uri);
    }
    for (const member of candidatesFor(uri, view.members)) {
      const outcome = await this.#send(member, call.request.params, call);
      if (!('error' in outcome) || (outcome.error.code !== RPC.resourceNotFound && outcome.error.code !== RPC.invalidParams))
        return outcome;
    }
    throw new SignalboxError('SBX_RESOURCE_UNKNOWN', `Resource ${uri} is not known.`, {
      why: `No server of endpoint "${view.endpoint.name}" has it.`,
      fix: 'List the resources and templates first.',
    });
  }

  async #subscription(view: EndpointView, call: ClientCall): Promise<Outcome> {
    const uri = String(call.request.params?.['uri']);
    const route = this.#subscribed(uri, (await view.loadedCatalog()).resourceRoutes.get(uri), view);
    return call.request.method === 'resources/subscribe'
      ? route.member.upstream.subscribe(route.name)
      : route.member.upstream.unsubscribe(route.name);
  }

  #subscribed(uri: string, route: Route | undefined, view: EndpointView): Route {
    const [member] = route === undefined ? candidatesFor(uri, view.members) : [];
    if (route !== undefined) return route;
    if (member !== undefined) return { member, name: uri };
    throw new SignalboxError('SBX_RESOURCE_UNKNOWN', `Resource ${uri} is not known.`, {
      why: `No server of endpoint "${view.endpoint.name}" has it.`,
      fix: 'List the resources and templates first.',
    });
  }

  /** Subscribes on behalf of a modern `subscriptions/listen`; returns the function that gives it up. */
  async subscribe(view: EndpointView, uri: string): Promise<() => void> {
    const route = this.#subscribed(uri, (await view.loadedCatalog()).resourceRoutes.get(uri), view);
    await route.member.upstream.subscribe(route.name);
    return () => void route.member.upstream.unsubscribe(route.name).catch(() => undefined); // a server that is gone has no subscription left
  }

  async #complete(view: EndpointView, call: ClientCall): Promise<Outcome> {
    const params = call.request.params;
    const ref = isObject(params?.['ref']) ? params['ref'] : {};
    if (ref['type'] === 'ref/prompt') {
      const route = await this.#route(view, 'promptRoutes', ref['name'], promptUnknown);
      return this.#send(route.member, { ...params, ref: { ...ref, name: route.name } }, call);
    }
    const uri = String(ref['uri']);
    await view.loadedCatalog();
    const owner =
      view.members.find((member) => member.snapshot.templates.some((template) => template['uriTemplate'] === uri)) ??
      candidatesFor(uri, view.members)[0];
    if (owner === undefined)
      throw new SignalboxError('SBX_RESOURCE_UNKNOWN', `Template ${uri} is not known.`, {
        why: 'No server listed it.',
        fix: 'List the resource templates first.',
      });
    return this.#send(owner, params, call);
  }

  async #send(member: Member, params: JsonObject | undefined, call: ClientCall): Promise<Outcome> {
    const { era, request, signal, notify } = call;
    const connection = await abortable(member.upstream.ready(), signal);
    const meta = metaOf(params);
    const token = meta?.['progressToken'];
    const capabilities = meta?.[META.clientCapabilities];
    const clean = era === 'modern' ? withoutEnvelope(params) : params;
    const outcome = await connection.request(request.method, clean, {
      signal,
      ...(token === undefined
        ? {}
        : {
            onProgress: (progress) =>
              notify({ jsonrpc: '2.0', method: 'notifications/progress', params: { ...progress, progressToken: token } }),
          }),
      ...(era === 'modern' && isObject(capabilities) ? { capabilities } : {}),
    });
    if (era === 'legacy' && 'result' in outcome && outcome.result['resultType'] === 'input_required') {
      throw new SignalboxError('SBX_QUESTION_UNSUPPORTED', `Server "${member.server.name}" asks a question in the middle of the call.`, {
        why: 'This client speaks the legacy era; carrying questions across the eras is not part of this version.',
        fix: 'Use a client that speaks 2026-07-28 for this tool.',
      });
    }
    return bridgeOutcome(outcome, request.method, connection.era, era, { ...this.#identity });
  }

  #own(outcome: Outcome, call: ClientCall): Outcome {
    if (call.era === 'legacy' || 'error' in outcome) return outcome;
    return { result: modernResult(outcome.result, call.request.method, { ...this.#identity }) };
  }
}

const NOT_FOUND = new Set(['SBX_TOOL_UNKNOWN', 'SBX_PROMPT_UNKNOWN', 'SBX_RESOURCE_UNKNOWN', 'SBX_CURSOR_INVALID']);
function isNotFound(error: unknown): boolean {
  return error instanceof SignalboxError && NOT_FOUND.has(error.code);
}

/** The promise, or the signal's reason if that comes first (the work behind the promise goes on for others). */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function renameContents(outcome: Outcome, from: string, to: string): Outcome {
  if ('error' in outcome || !Array.isArray(outcome.result['contents'])) return outcome;
  return {
    result: {
      ...outcome.result,
      contents: outcome.result['contents'].map((content: unknown) =>
        isObject(content) && content['uri'] === from ? { ...content, uri: to } : content,
      ),
    },
  };
}

function toolUnknown(name: string, view: EndpointView): SignalboxError {
  const down = view.errors();
  return new SignalboxError('SBX_TOOL_UNKNOWN', `Tool "${name}" is not known.`, {
    why:
      down.length > 0
        ? `It may belong to a server that is down: ${down.map(({ server, error }) => `${server} (${error.code}: ${error.message})`).join('; ')}`
        : `No server of endpoint "${view.endpoint.name}" has it.`,
    fix: 'List the tools again; a name is alias__tool.',
  });
}
function promptUnknown(name: string, view: EndpointView): SignalboxError {
  return new SignalboxError('SBX_PROMPT_UNKNOWN', `Prompt "${name}" is not known.`, {
    why: `No server of endpoint "${view.endpoint.name}" has it.`,
    fix: 'List the prompts again; a name is alias__prompt.',
  });
}
function unknownCursor(): SignalboxError {
  return new SignalboxError('SBX_CURSOR_INVALID', 'The cursor is not valid.', {
    why: 'Signalbox answers lists in one page and gave out no cursor.',
    fix: 'Ask for the list without a cursor.',
  });
}
