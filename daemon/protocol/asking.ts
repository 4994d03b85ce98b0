/** What servers ask clients (elicitation, sampling, roots), and the form the two eras give it. Pure. */
import { createHash } from 'node:crypto';
import { isObject, type JsonObject, metaOf, type Outcome, type Request } from './message.ts';
import { memberOf } from './outcome.ts';

/** Methods a modern server may answer with `input_required` (2026-07-28, "Multi round-trip requests"), and in which we let a legacy one ask. */
export const MAY_ASK: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** Why a client that declared `capabilities` cannot be asked this; undefined when it can. */
export function unsupportedBy(capabilities: JsonObject, method: string, params: JsonObject | undefined): string | undefined {
  const capability = (name: string): JsonObject | undefined => {
    const value = capabilities[name];
    return isObject(value) ? value : undefined;
  };
  switch (method) {
    case 'elicitation/create': {
      const elicitation = capability('elicitation');
      if (elicitation === undefined) return 'elicitation';
      // An empty object means forms (2025-11-25 and 2026-07-28, "Elicitation", capabilities).
      if (params?.['mode'] === 'url') return elicitation['url'] === undefined ? 'elicitation.url' : undefined;
      return elicitation['form'] === undefined && elicitation['url'] !== undefined ? 'elicitation.form' : undefined;
    }
    case 'sampling/createMessage': {
      const sampling = capability('sampling');
      if (sampling === undefined) return 'sampling';
      const tools = params?.['tools'] !== undefined || params?.['toolChoice'] !== undefined;
      return tools && sampling['tools'] === undefined ? 'sampling.tools' : undefined;
    }
    case 'roots/list':
      return capability('roots') === undefined ? 'roots' : undefined;
    default:
      return undefined;
  }
}

/** A legacy server's question as an entry of `inputRequests`: what only the legacy era knows is left out. */
export function toInputRequest(method: string, params: JsonObject | undefined): JsonObject {
  if (params === undefined) return { method };
  const { elicitationId: _id, task: _task, _meta: meta, ...rest } = params;
  const { progressToken: _token, 'io.modelcontextprotocol/related-task': _related, ...kept } = isObject(meta) ? meta : {};
  return { method, params: Object.keys(kept).length > 0 ? { ...rest, _meta: kept } : rest };
}

/** `inputRequests` of an `input_required` result; undefined when the result is none. */
export function inputRequired(outcome: Outcome): { requests: Readonly<Record<string, JsonObject>>; state: string | undefined } | undefined {
  if ('error' in outcome || memberOf(outcome, 'resultType') !== 'input_required') return undefined;
  const { inputRequests, requestState } = outcome.result;
  const requests = isObject(inputRequests)
    ? Object.entries(inputRequests).filter((entry): entry is [string, JsonObject] => isObject(entry[1]))
    : [];
  return { requests: Object.fromEntries(requests), state: typeof requestState === 'string' ? requestState : undefined };
}

/** Params without what belongs to a round: the request as it was first sent. */
export function withoutRound(params: JsonObject | undefined): JsonObject | undefined {
  if (params === undefined || !('inputResponses' in params || 'requestState' in params)) return params;
  const { inputResponses: _responses, requestState: _state, ...rest } = params;
  return rest;
}

/** SHA-256 over method and params without round and `_meta`, keys sorted: what sealed state is bound to. base64url, 43 characters. */
export function requestDigest(request: Pick<Request, 'method' | 'params'>): string {
  const { _meta, ...params } = withoutRound(request.params) ?? {};
  return createHash('sha256').update(request.method).update('\n').update(sorted(params)).digest('base64url');
}

/** SHA-256 of a question without `_meta` and ids: the same question in a second run has the same. */
export function questionDigest(method: string, params: JsonObject | undefined): string {
  return createHash('sha256')
    .update(sorted(toInputRequest(method, withoutMeta(params))))
    .digest('base64url');
}

function withoutMeta(params: JsonObject | undefined): JsonObject | undefined {
  if (metaOf(params) === undefined) return params;
  const { _meta, ...rest } = params ?? {};
  return rest;
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    isObject(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) : item,
  );
}
