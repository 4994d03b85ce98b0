/** A legacy client before servers that ask: pushed questions of a legacy server, and the rounds of a modern one. */
import { randomUUID } from 'node:crypto';
import { SignalboxError } from '../api/errors.ts';
import { inputRequired, unsupportedBy, withoutRound } from '../protocol/asking.ts';
import { RPC } from '../protocol/codes.ts';
import type { JsonObject, Outcome, RequestId } from '../protocol/message.ts';
import { unsupported } from '../upstreams/questions.ts';
import type { Question } from '../upstreams/request.ts';
import type { CallerSession } from './call.ts';

/** Rounds a modern server may ask in one call. */
const ROUNDS_LIMIT = 16;

/** Passes a legacy server's question to the legacy client, as that client declared it can be asked. */
export function passQuestion(session: CallerSession | undefined, related: RequestId): (question: Question) => Promise<Outcome> {
  return async ({ method, params, signal, onProgress }) => {
    if (session === undefined || unsupportedBy(session.capabilities, method, params) !== undefined) return { error: unsupported(method) };
    return session.ask(method, params, { signal, related, ...(onProgress === undefined ? {} : { onProgress }) });
  };
}

/** What the loop over the rounds needs. */
export interface RoundsOptions {
  readonly server: string;
  readonly session: CallerSession | undefined;
  readonly related: RequestId;
  readonly signal: AbortSignal;
  readonly params: JsonObject | undefined;
  /** Counts a question as open while it is. */
  readonly whileAsking: <T>(answer: Promise<T>) => Promise<T>;
  /** Issues the request once. */
  readonly send: (params: JsonObject | undefined) => Promise<Outcome>;
}

/**
 * Issues a request to a modern server until it is complete: its questions are pushed to the legacy client, the answers sent back
 * with the exact `requestState`.
 * @throws SBX_QUESTION_UNSUPPORTED, SBX_QUESTION_ROUNDS
 */
export async function answerRounds({ server, session, related, signal, params, send, whileAsking }: RoundsOptions): Promise<Outcome> {
  const opened: string[] = [];
  try {
    let next = params;
    for (let round = 0; round <= ROUNDS_LIMIT; round++) {
      const outcome = await send(next);
      const asked = inputRequired(outcome);
      if (asked === undefined) return outcome;
      const answers = await Promise.all(
        Object.entries(asked.requests).map(
          async ([key, request]) => [key, await whileAsking(ask(session, request, { server, signal, related, opened }))] as const,
        ),
      );
      next = {
        ...withoutRound(params),
        ...(answers.length > 0 ? { inputResponses: Object.fromEntries(answers) } : {}),
        ...(asked.state === undefined ? {} : { requestState: asked.state }),
      };
    }
  } finally {
    // A legacy client keeps the page of a URL elicitation open until it hears this (2025-11-25, "URL mode").
    for (const elicitationId of opened)
      session?.tell({ jsonrpc: '2.0', method: 'notifications/elicitation/complete', params: { elicitationId } });
  }
  throw new SignalboxError('SBX_QUESTION_ROUNDS', `Server "${server}" asked in more than ${ROUNDS_LIMIT} rounds.`, {
    why: 'It answered every answer with another question.',
    fix: 'This is a fault of the server: answering all its questions must lead to completion (2026-07-28).',
  });
}

async function ask(
  session: CallerSession | undefined,
  request: JsonObject,
  { server, signal, related, opened }: { server: string; signal: AbortSignal; related: RequestId; opened: string[] },
): Promise<JsonObject> {
  const method = String(request['method']);
  const params = request['params'] as JsonObject | undefined;
  const missing = session === undefined ? 'questions' : unsupportedBy(session.capabilities, method, params);
  if (session === undefined || missing !== undefined)
    throw new SignalboxError('SBX_QUESTION_UNSUPPORTED', `Server "${server}" asks something this client cannot answer (${method}).`, {
      why: `The client did not declare ${missing}.`,
      fix: 'Use a client that can be asked, or a tool that does not ask.',
    });
  const sent = params?.['mode'] === 'url' ? { ...params, elicitationId: randomUUID() } : params;
  const outcome = await session.ask(method, sent, { signal, related });
  if (sent !== params) opened.push(String(sent?.['elicitationId']));
  if (!('error' in outcome)) return outcome.result;
  // A client that fails to show a form has not answered it; the other questions have no answer that says so.
  if (method === 'elicitation/create') return { action: 'cancel' };
  if (method === 'roots/list' && outcome.error.code === RPC.methodNotFound) return { roots: [] };
  throw new SignalboxError('SBX_QUESTION_UNSUPPORTED', `The client could not answer ${method} of server "${server}".`, {
    why: outcome.error.message,
    fix: 'Call again; if it fails again, look at the client.',
  });
}
