/** Tool calls a person watches: progress, log lines and questions on the way to the result. */
/** An answer to a question, as MCP defines an `ElicitResult`. */
export interface CallAnswer {
  readonly action: 'accept' | 'decline' | 'cancel';
  readonly content?: Readonly<Record<string, unknown>>;
}

/** Requests about calls. `call` is a name the caller chooses, unique on its connection while the call runs. */
export interface CallMethods {
  /**
   * Calls a tool and answers with its result when it is done; what happens meanwhile comes as `call` events to this connection. A connection that ends
   * cancels its calls.
   */
  'call/run': {
    params: { endpoint?: string; workspace?: string; call: string; name: string; arguments: Record<string, unknown> };
    result: Record<string, unknown>;
  };
  'call/answer': { params: { call: string; question: string; answer: object }; result: Record<string, never> };
  /** `call/run` then fails with SBX_CALL_CANCELLED. */
  /** Whether a value fits a JSON Schema (2020-12 unless it names another): arguments before a call, structured content after it. */
  'schema/check': { params: { schema: object; value?: unknown }; result: { problems: readonly string[] } };
  'call/cancel': { params: { call: string; reason?: string }; result: { cancelled: boolean } };
}

/** What happens in a call. */
export type CallEvent = { readonly call: string } & (
  | { readonly kind: 'progress'; readonly progress: number; readonly total?: number; readonly message?: string }
  | { readonly kind: 'log'; readonly level: string; readonly logger?: string; readonly data: unknown }
  /** An elicitation (MCP, "Elicitation"): `params` is what the server sent; form mode has `requestedSchema`, URL mode `url`. */
  | { readonly kind: 'question'; readonly question: string; readonly params: Readonly<Record<string, unknown>> }
  /** The server took a question back, or what a page was opened for is done. */
  | { readonly kind: 'withdrawn'; readonly question: string }
);
/** Events about calls. */
export interface CallEvents {
  call: CallEvent;
}
