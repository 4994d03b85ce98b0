/** What the tester knows about a connection: what it asked, what it declared, what may therefore come. */
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { at, type Judge } from './judge.ts';

/** A request on its way, or answered. */
export interface Asked {
  readonly id: unknown;
  readonly method: string;
  readonly params: JsonObject | undefined;
  /** Whether the request itself was well formed; a malformed one may be answered without its id. */
  readonly wellFormed: boolean;
  /** Headers or versions were wrong on purpose. */
  readonly provoked: boolean;
  channel: string;
  answers: number;
  cancelled: boolean;
  /** Nobody waits for its answer any more. */
  givenUp?: boolean;
}

/** What passes now: it decides what an answer to nothing means. */
export type Phase = 'request' | 'notification' | 'malformed';

/** The state of one connection as the protocol defines it. */
export class Model {
  readonly judge: Judge;
  readonly requests = new Map<string, Asked>();
  /** Last progress per token. */
  readonly progress = new Map<string, number>();
  /** Legacy: URIs subscribed now. */
  readonly subscribed = new Set<string>();
  /** Ids of server requests seen. */
  readonly serverIds = new Set<string>();
  /** Ids of elicitations the server issued. */
  readonly elicitations = new Set<string>();
  readonly listens = new Map<string, { acknowledged: boolean; filter: JsonObject; ended: boolean }>();
  /** GET streams that go on where another stream was cut. */
  readonly resumed = new Set<string>();
  /** SSE event ids seen. */
  readonly eventIds = new Set<string>();
  /** Capabilities the server declared. */
  capabilities: JsonObject | undefined;
  clientCapabilities: JsonObject;
  serverInfo: string | undefined;
  logLevel: string | undefined;
  initialized = false;
  phase: Phase = 'request';

  constructor(judge: Judge, clientCapabilities: JsonObject) {
    this.judge = judge;
    this.clientCapabilities = clientCapabilities;
  }

  /** Requests nobody answered yet. */
  open(): readonly Asked[] {
    return [...this.requests.values()].filter((asked) => asked.answers === 0);
  }

  /** Those that an answer without an id may mean: a stream that was opened is not among them as long as something else waits. */
  waiting(): readonly Asked[] {
    const all = this.open().filter(({ wellFormed, cancelled, givenUp }) => wellFormed && !cancelled && givenUp !== true);
    const brief = all.filter(({ id }) => this.listens.get(keyOf(id))?.acknowledged !== true);
    return brief.length > 0 ? brief : all;
  }

  /** Answers with no id, or with one that nobody gave, that came while several requests waited: whose they are shows when no more wait. */
  readonly nameless: JsonObject[] = [];

  /** Gives such answers to the requests that are left, once there are as many: nobody waits for one that has come. */
  settled(): readonly (readonly [Asked, JsonObject])[] {
    if (this.nameless.length === 0) return [];
    const left = this.waiting();
    if (left.length > this.nameless.length) return [];
    return this.nameless.splice(0).flatMap((message, index) => {
      const asked = left[index];
      if (asked === undefined) return [];
      asked.answers = 1;
      return [[asked, message] as const];
    });
  }

  /** The open or answered request that gave this progress token. */
  ofToken(token: unknown): Asked | undefined {
    return [...this.requests.values()].findLast((asked) => {
      const given = at(asked.params, '_meta', 'progressToken');
      return given !== undefined && given === token;
    });
  }

  /** Whether the server declared a capability, with a member that is true if one is named. */
  declares(name: string, member?: string): boolean {
    const capability = at(this.capabilities, name);
    return isObject(capability) && (member === undefined || capability[member] === true);
  }
}

/** Ids and tokens by type and value: 1 and "1" are two. */
export function keyOf(id: unknown): string {
  return JSON.stringify(id) ?? 'undefined';
}
