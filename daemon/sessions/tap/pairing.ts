/** Which request a response answers. */
import type { RpcId, TapFrame } from '../../api/sessions.ts';
import { isObject, type JsonObject, metaOf } from '../../protocol/message.ts';

/** A request that was answered. */
export interface Asked {
  readonly seq: number;
  readonly time: number;
  readonly method: string;
  readonly target: Target | undefined;
  readonly toolUseId: string | undefined;
}
/** What a request or notification is about, and the member that says so. */
export interface Target {
  readonly key: string;
  readonly value: string;
}

/** Requests remembered; beyond that the oldest is forgotten, and its answer stands alone. */
const OPEN_LIMIT = 20_000;

/** Pairs the requests and responses of all connections it is shown, in the order of their `seq`. */
export class Pairing {
  readonly #open = new Map<string, TapFrame>();

  /** Remembers a request; what it is about is looked at when it is answered. */
  asked(frame: TapFrame): void {
    const { id } = frame.message as { id: RpcId };
    this.#open.set(keyOf(frame, id, frame.direction, frame.call), frame);
    if (this.#open.size > OPEN_LIMIT) this.#open.delete(this.#open.keys().next().value ?? '');
  }

  /** The request a response answers, once. */
  answered(frame: TapFrame): Asked | undefined {
    const { id } = frame.message as { id?: RpcId };
    const direction = frame.direction === 'in' ? 'out' : 'in';
    const key = keyOf(frame, id ?? null, direction, frame.call);
    const asked = this.#open.get(key);
    if (asked === undefined) return undefined;
    this.#open.delete(key);
    const { method, params } = asked.message as { method: string; params?: JsonObject };
    return { seq: asked.seq, time: asked.time, method, target: targetOf(method, params), toolUseId: toolUseOf(params) };
  }
}

/** `_meta["claudecode/toolUseId"]`: what Claude Code calls this use of a tool in its transcript. */
export function toolUseOf(params: JsonObject | undefined): string | undefined {
  const id = metaOf(params)?.['claudecode/toolUseId'];
  return typeof id === 'string' ? id : undefined;
}

/**
 * What a request is known by until it is answered. A modern client may have several connections of which the tap makes one, and each
 * counts its ids from 1: there the call tells them apart.
 */
function keyOf({ connection }: TapFrame, id: RpcId, direction: 'in' | 'out', call: number | undefined): string {
  const own = direction === 'in' && connection.edge === 'client' && call !== undefined ? call : '';
  return `${connection.id} ${direction} ${own} ${typeof id} ${id}`;
}

/** The tool, prompt or URI (or what comes nearest) a request or notification is about. */
export function targetOf(method: string, params: JsonObject | undefined): Target | undefined {
  if (params === undefined) return undefined;
  switch (method) {
    case 'completion/complete': {
      const ref = isObject(params['ref']) ? params['ref'] : {};
      return text(ref, 'name') ?? text(ref, 'uri');
    }
    case 'notifications/message':
      return text(params, 'logger') ?? text(params, 'level');
    case 'logging/setLevel':
      return text(params, 'level');
    case 'elicitation/create':
      return text(params, 'message');
    case 'notifications/cancelled':
      return text(params, 'requestId');
    case 'notifications/progress':
      return text(params, 'message');
    default:
      return text(params, 'name') ?? text(params, 'uri') ?? text(params, 'taskId');
  }
}

function text(params: JsonObject, key: string): Target | undefined {
  const value = params[key];
  return typeof value === 'string' || typeof value === 'number' ? { key, value: String(value) } : undefined;
}
