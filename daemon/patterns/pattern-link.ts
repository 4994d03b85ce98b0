/** A pattern server as a transport: it speaks MCP in both eras like any server, but lives in the daemon and calls other servers. */
import type { AggregateTool, ChainTool, PatternServer, ResolvedServer } from '../api/config.ts';
import { SignalboxError } from '../api/errors.ts';
import type { Origin } from '../api/sessions.ts';
import { RPC, rpcError, toolFailure } from '../protocol/codes.ts';
import { bridgeOutcome, eraOf, MODERN_VERSIONS, negotiateLegacy, withoutEnvelope } from '../protocol/eras.ts';
import {
  isObject,
  isRequest,
  type JsonObject,
  type Message,
  metaOf,
  type Outcome,
  type Request,
  type RequestId,
  response,
} from '../protocol/message.ts';
import type { Link, LinkListener, OpenLink } from '../upstreams/link.ts';
import { runAggregate } from './aggregate.ts';
import { runChain } from './chain.ts';
import { misfit } from './input.ts';
import type { Lookup, PatternCall } from './step.ts';

/** Version a pattern server gives of itself. */
const VERSION = '1';

/**
 * Makes the function that opens links to a pattern server. Questions of a step are not carried: whoever leases the step's connection refuses
 * them as a client without the capability does.
 *
 * @param server one whose entry has `chain` or `aggregate`
 * @param lookup finds the servers its steps name (`server.uses`)
 */
export function patternLink(server: ResolvedServer & { readonly entry: PatternServer }, lookup: Lookup): OpenLink {
  return (listener) => Promise.resolve(new PatternLink(server.name, server.entry, lookup, listener));
}

class PatternLink implements Link {
  /** For the daemon it is a process: one stream, cancellation by notification. */
  readonly kind = 'stdio';
  readonly #name: string;
  readonly #entry: PatternServer;
  readonly #lookup: Lookup;
  readonly #listener: LinkListener;
  readonly #running = new Map<RequestId, AbortController>();
  #closed = false;

  constructor(name: string, entry: PatternServer, lookup: Lookup, listener: LinkListener) {
    this.#name = name;
    this.#entry = entry;
    this.#lookup = lookup;
    this.#listener = listener;
  }

  send(message: Message, origin?: Origin): number | undefined {
    if (this.#closed) return 0;
    if (isRequest(message)) {
      const abort = new AbortController();
      this.#running.set(message.id, abort);
      void this.#answer(message, abort.signal, origin);
    } else if ('method' in message && message.method === 'notifications/cancelled') {
      const id = message.params?.['requestId'];
      if (typeof id === 'string' || typeof id === 'number') this.abandon(id);
    }
    return undefined;
  }

  abandon(id: RequestId): void {
    this.#running.get(id)?.abort();
    this.#running.delete(id);
  }

  agreed(): void {}

  async close(): Promise<void> {
    if (this.#closed) return;
    for (const id of [...this.#running.keys()]) this.abandon(id);
    this.#closed = true;
    this.#listener.closed(
      new SignalboxError('SBX_SERVER_EXITED', `Server "${this.#name}" ended.`, {
        why: 'It is made of other servers and was taken out of use.',
        fix: 'Call again, or see `signalbox servers list`.',
      }),
    );
  }

  async #answer(request: Request, signal: AbortSignal, origin: Origin | undefined): Promise<void> {
    let outcome: Outcome;
    try {
      outcome = await this.#outcome(request, signal, origin);
    } catch (error) {
      outcome = { error: rpcError(error) };
    }
    // as with any server, what was cancelled is not answered
    if (this.#closed || signal.aborted) return;
    this.#running.delete(request.id);
    const modern = eraOf(request) === 'modern' || request.method === 'server/discover';
    const [from, to] = modern ? (['legacy', 'modern'] as const) : (['modern', 'legacy'] as const);
    const identity = { name: this.#name, version: VERSION };
    this.#listener.message(response(request.id, bridgeOutcome(outcome, request.method, from, to, identity)));
  }

  async #outcome(request: Request, signal: AbortSignal, origin: Origin | undefined): Promise<Outcome> {
    const { method, params } = request;
    const capabilities = { tools: {} };
    switch (method) {
      case 'initialize': {
        const protocolVersion = negotiateLegacy(params?.['protocolVersion']);
        return { result: { protocolVersion, capabilities, serverInfo: { name: this.#name, version: VERSION } } };
      }
      case 'server/discover':
        return { result: { supportedVersions: [...MODERN_VERSIONS], capabilities } };
      case 'ping':
        return { result: {} };
      case 'tools/list':
        return { result: { tools: this.#definitions() } };
      case 'tools/call':
        return this.#call(request, signal, origin);
      default:
        return { error: { code: RPC.methodNotFound, message: `The server \`${this.#name}\` has no ${method}.` } };
    }
  }

  #definitions(): readonly JsonObject[] {
    const all: readonly (readonly [string, ChainTool | AggregateTool])[] = [
      ...Object.entries(this.#entry.chain ?? {}),
      ...Object.entries(this.#entry.aggregate ?? {}),
    ];
    return all.map(([name, { title, description, inputSchema, outputSchema, annotations }]) => ({
      name,
      ...(title === undefined ? {} : { title }),
      description,
      inputSchema,
      ...(outputSchema === undefined ? {} : { outputSchema }),
      ...(annotations === undefined ? {} : { annotations }),
    }));
  }

  async #call(request: Request, signal: AbortSignal, origin: Origin | undefined): Promise<Outcome> {
    const { name, arguments: given } = request.params ?? {};
    const chain = own(this.#entry.chain, name);
    const aggregate = own(this.#entry.aggregate, name);
    const tool = chain ?? aggregate;
    if (typeof name !== 'string' || tool === undefined) return { error: rpcError(unknownTool(this.#name, name), RPC.invalidParams) };
    const input = isObject(given) ? given : {};
    const wrong = await misfit(input, tool.inputSchema);
    if (wrong !== undefined) return toolFailure(badInput(name, wrong));
    const call: PatternCall = {
      server: this.#name,
      tool: name,
      input,
      era: eraOf(request),
      meta: passedOn(request.params),
      lookup: this.#lookup,
      signal,
      origin,
      onProgress: this.#progress(request, signal),
    };
    if (chain !== undefined) return runChain(chain, call);
    return aggregate === undefined ? { result: {} } : runAggregate(aggregate, call);
  }

  /** Progress must rise with every notification (2025-11-25 and 2026-07-28, "Progress"); what does not rise is raised by as little as can be. */
  #progress(request: Request, signal: AbortSignal): PatternCall['onProgress'] {
    const token = metaOf(request.params)?.['progressToken'];
    let last = 0;
    return (done, total, message) => {
      if (token === undefined || signal.aborted || this.#closed) return;
      last = done > last ? done : last + Number.EPSILON * Math.max(1, last);
      const params = { progressToken: token, progress: last, total, ...(message === undefined ? {} : { message }) };
      this.#listener.message({ jsonrpc: '2.0', method: 'notifications/progress', params });
    };
  }
}

function own<T>(tools: Readonly<Record<string, T>> | undefined, name: unknown): T | undefined {
  return typeof name === 'string' && tools !== undefined && Object.hasOwn(tools, name) ? tools[name] : undefined;
}

/** What the steps get of the call's `_meta`: not the envelope, which each connection writes itself, nor the progress token. */
function passedOn(params: JsonObject | undefined): JsonObject | undefined {
  const { progressToken: _token, ...rest } = metaOf(withoutEnvelope(params)) ?? {};
  return Object.keys(rest).length === 0 ? undefined : rest;
}

function unknownTool(server: string, name: unknown): SignalboxError {
  return new SignalboxError('SBX_TOOL_UNKNOWN', `The server \`${server}\` has no tool ${JSON.stringify(name)}.`, {
    why: 'Its tools are those under `chain` and `aggregate` in the configuration.',
    fix: 'List the tools anew.',
  });
}

function badInput(tool: string, wrong: string): SignalboxError {
  return new SignalboxError('SBX_PATTERN', `The arguments of the tool \`${tool}\` do not fit; no step has run.`, {
    why: wrong,
    fix: "Correct the arguments after the tool's inputSchema.",
  });
}
