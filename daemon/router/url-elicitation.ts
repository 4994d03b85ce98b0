/** `-32042`: a legacy server refuses a call until the person has visited a page (2025-11-25, "URL elicitation required error"). */
import { SignalboxError } from '../api/errors.ts';
import { toInputRequest, unsupportedBy } from '../protocol/asking.ts';
import { isObject, type JsonObject, type Outcome } from '../protocol/message.ts';

const URL_REQUIRED = -32042;

/** Whether the outcome is that error. */
export function refusedByUrl(outcome: Outcome): boolean {
  return 'error' in outcome && outcome.error.code === URL_REQUIRED;
}

/**
 * The pages as entries of `inputRequests`.
 * @throws SBX_QUESTION_UNSUPPORTED when this client cannot show a page
 */
export function urlRequests(outcome: Outcome, capabilities: JsonObject): Record<string, JsonObject> {
  const data = 'error' in outcome && isObject(outcome.error.data) ? outcome.error.data : {};
  const pages = Array.isArray(data['elicitations']) ? data['elicitations'].filter(isObject) : [];
  if (unsupportedBy(capabilities, 'elicitation/create', { mode: 'url' }) !== undefined || pages.length === 0)
    throw new SignalboxError('SBX_QUESTION_UNSUPPORTED', 'The server wants a page to be visited before this call.', {
      why:
        pages.length === 0
          ? 'It did not say which page.'
          : `The client did not declare elicitation.url. The page: ${String(pages[0]?.['url'])}`,
      fix: 'Visit the page yourself and call again, or use a client that can open pages.',
    });
  return Object.fromEntries(
    pages.map((page, index) => [`page-${index + 1}`, toInputRequest('elicitation/create', { mode: 'url', ...page })]),
  );
}
