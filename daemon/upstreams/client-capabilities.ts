/** What we declare to be able to do as the client of a legacy server, and the answers to what belongs to no call. */
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { JsonObject, Outcome } from '../protocol/message.ts';
import { unsupported } from './questions.ts';
import type { Question } from './request.ts';

/**
 * Capabilities of a connection that several clients share: everything a client may have (2025-11-25, "Capability negotiation"); a question to a
 * client that cannot is answered with its refusal.
 * @param folder workspace folder of the endpoint; roots are declared only with one
 */
export function sharedCapabilities(folder: string | undefined): JsonObject {
  return { elicitation: { form: {}, url: {} }, sampling: { tools: {}, context: {} }, ...(folder === undefined ? {} : { roots: {} }) };
}

/** Answers a question outside any call on a shared connection: roots are the workspace folder, nothing else has an answer. */
export function answerForAll(folder: string | undefined): (question: Question) => Promise<Outcome> {
  return async ({ method }) =>
    method === 'roots/list' && folder !== undefined
      ? { result: { roots: [{ uri: pathToFileURL(folder).href, name: basename(folder) }] } }
      : { error: unsupported(method) };
}
