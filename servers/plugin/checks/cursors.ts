/**
 * A cursor that the server did not issue is refused with -32602 ("Pagination", Error Handling, in both revisions; the empty string is a cursor
 * like any other). The lists of the SDK have one page and do not look at it; those of a plugin may, each in its way.
 *
 * So that nothing must be remembered, a cursor carries its own proof: a checksum of server, list and what the plugin gave. It holds on every
 * connection and after a restart, as requests of 2026-07-28 depend on no connection. It guards nothing: who counts it out may page as they like.
 */
import { createHash } from 'node:crypto';
import { ProtocolErrorCode } from '@modelcontextprotocol/server';
import { type Answer, type Check, refuse } from '../checkpoint.ts';

const LISTS: ReadonlySet<string> = new Set(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']);
/** Characters of the checksum, six bits each. */
const PROOF = 12;
const UNKNOWN = {
  code: ProtocolErrorCode.InvalidParams,
  message: 'params.cursor: not a cursor of this list; nextCursor of the page before is expected, or none for the first page',
};

/**
 * Marks the cursors that lists give, hands them back as the plugin gave them, and refuses all others.
 * @param server name of the plugin
 */
export function checkCursors(server: string): Check {
  return (request) => {
    const { method, params } = request;
    if (!LISTS.has(method)) return undefined;
    const seal = (cursor: string): string =>
      createHash('sha256')
        .update(JSON.stringify([server, method, cursor]))
        .digest('base64url')
        .slice(0, PROOF) + cursor;
    const issue = (answer: Answer): Answer => {
      if ('error' in answer || typeof answer.result['nextCursor'] !== 'string') return answer;
      return { ...answer, result: { ...answer.result, nextCursor: seal(answer.result['nextCursor']) } };
    };
    const given = params?.['cursor'];
    // What is no string is no cursor at all: the SDK refuses it.
    if (typeof given !== 'string') return { answer: issue };
    const cursor = given.slice(PROOF);
    if (seal(cursor) === given) return { request: { ...request, params: { ...params, cursor } }, answer: issue };
    // The SDK's other refusals come first: a method that is not served, an envelope that is missing.
    return {
      answer: (answer) => ('error' in answer && answer.error.code !== ProtocolErrorCode.InternalError ? answer : refuse(answer, UNKNOWN)),
    };
  };
}
