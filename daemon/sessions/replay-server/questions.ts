/** Questions of a recorded server in the words of the other era. Pure but for the ids of pages. */
import { toInputRequest, unsupportedBy } from '../../protocol/asking.ts';
import { RPC } from '../../protocol/codes.ts';
import { isObject, isRequest, type JsonObject, type Request, type RpcError } from '../../protocol/message.ts';
import type { Exchange, Frame } from './script.ts';

/** Whether a frame is a question of a legacy server. */
export function isQuestion(frame: Frame | undefined): frame is Frame {
  return frame?.by === 'server' && isRequest(frame.message);
}

/** The questions that stand next to each other from a place of an exchange on: asked before any of them was answered. */
export function questionsFrom({ own }: Exchange, from: number): readonly Frame[] {
  const questions: Frame[] = [];
  for (let at = from, frame = own[at]; isQuestion(frame); frame = own[++at]) questions.push(frame);
  return questions;
}

/** What a client lacks to be asked these. */
export function lacking(capabilities: JsonObject, questions: readonly Frame[]): string | undefined {
  for (const { message } of questions) {
    const unable = isRequest(message) ? unsupportedBy(capabilities, message.method, message.params) : undefined;
    if (unable !== undefined) return unable;
  }
  return undefined;
}

/** What a modern client is told that lacks it (2026-07-28, "Missing required client capability"). */
export function cannotAsk(capability: string): RpcError {
  const [name = '', mode] = capability.split('.');
  return {
    code: RPC.missingCapability,
    message: `The recorded server asks for ${capability} here, and the client does not support it.`,
    data: { requiredCapabilities: { [name]: mode === undefined ? {} : { [mode]: {} } } },
  };
}

/** Questions as `inputRequests`. */
export function inputRequests(questions: readonly Frame[]): JsonObject {
  return Object.fromEntries(
    questions.map((frame) => {
      const { method, params } = frame.message as Request;
      return [keyOf(frame), toInputRequest(method, params)];
    }),
  );
}

/** Name of a question among `inputRequests`. */
export function keyOf({ n }: Frame): string {
  return `q${n}`;
}

/** The pages that an error of a legacy server (-32042) wants visited first, as `inputRequests`; undefined when it is another error. */
export function pagesOf({ code, data }: RpcError): JsonObject | undefined {
  const elicitations: unknown[] = isObject(data) && Array.isArray(data['elicitations']) ? data['elicitations'] : [];
  const pages = elicitations.filter((one) => isObject(one));
  if (code !== -32042 || pages.length === 0) return undefined;
  return Object.fromEntries(
    pages.map((page, index) => [`page${index + 1}`, toInputRequest('elicitation/create', { mode: 'url', ...page })]),
  );
}

let pages = 0;

/** An entry of `inputRequests` as a request to a legacy client. A page has an id there (2025-11-25, "Elicitation"). */
export function legacyQuestion({ method, params }: JsonObject): Request {
  const made: Request = { jsonrpc: '2.0', id: '', method: String(method) };
  if (!isObject(params)) return made;
  if (params['mode'] !== 'url' || params['elicitationId'] !== undefined) return { ...made, params };
  pages += 1;
  return { ...made, params: { ...params, elicitationId: `replay-${pages}` } };
}
