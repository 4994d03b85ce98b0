/**
 * Every message passes here, between the pipe and the SDK. A list of checks does what the specification asks of every server and the SDK leaves
 * out, so that no plugin has to; each stands in a file of its own in `checks/`.
 */
import type { JSONRPCErrorResponse, JSONRPCMessage, JSONRPCRequest, JSONRPCResultResponse, RequestId } from '@modelcontextprotocol/server';
import type { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

/** What a request came to. */
export type Answer = JSONRPCResultResponse | JSONRPCErrorResponse;
/** Why a request is refused: the error member of its answer. */
export type Refusal = JSONRPCErrorResponse['error'];

/** What becomes of a request: the SDK never sees it, or sees it and its answer is looked at on the way out. */
export type Verdict = { readonly refuse: Refusal } | Passage;
interface Passage {
  /** What the SDK sees instead. */
  readonly request?: JSONRPCRequest;
  answer?(answer: Answer): Answer;
  /** A cancellation of this request is ignored. */
  readonly kept?: true;
}

/** Looks at one request; nothing: it passes as it is. One for each connection, where it remembers anything. */
export type Check = (request: JSONRPCRequest) => Verdict | undefined;

/** Refuses what was answered. */
export function refuse(answer: Answer, error: Refusal): Answer {
  return { jsonrpc: '2.0', id: answer.id, error };
}

const LONGEST_WORD = 60;
/** A word of the client's own in an error, which is one sentence. */
export function shown(word: string): string {
  return word.length > LONGEST_WORD ? `${word.slice(0, LONGEST_WORD).toWellFormed()}…` : word;
}

/** Puts the checks before whoever listens to this transport. They are asked in their order; the first that refuses ends it. */
export function setCheckpoint(transport: StdioServerTransport, checks: readonly Check[]): void {
  const open = new Map<RequestId, readonly Passage[]>();
  const send = transport.send.bind(transport);
  let listener: StdioServerTransport['onmessage'];

  const incoming = (message: JSONRPCMessage): void => {
    if (!('method' in message)) return listener?.(message);
    if (!('id' in message)) {
      if (message.method === 'notifications/cancelled') {
        const id = message.params?.['requestId'] as RequestId;
        if (open.get(id)?.some(({ kept }) => kept) === true) return;
        // What was taken back gets no answer.
        open.delete(id);
      }
      return listener?.(message);
    }
    let request: JSONRPCRequest = message;
    const passages: Passage[] = [];
    for (const check of checks) {
      const verdict = check(request);
      if (verdict === undefined) continue;
      if ('refuse' in verdict) {
        send({ jsonrpc: '2.0', id: request.id, error: verdict.refuse }).catch((error: unknown) =>
          transport.onerror?.(error instanceof Error ? error : new Error(String(error))),
        );
        return;
      }
      if (verdict.request !== undefined) request = verdict.request;
      passages.push(verdict);
    }
    if (passages.length > 0) open.set(request.id, passages);
    listener?.(request);
  };
  transport.send = (message) => {
    if ('method' in message || message.id === undefined) return send(message);
    const passages = open.get(message.id) ?? [];
    open.delete(message.id);
    return send(passages.reduce<Answer>((answer, passage) => passage.answer?.(answer) ?? answer, message));
  };
  Object.defineProperty(transport, 'onmessage', {
    configurable: true,
    get: () => (listener === undefined ? undefined : incoming),
    set: (next: StdioServerTransport['onmessage']) => {
      listener = next;
    },
  });
}
