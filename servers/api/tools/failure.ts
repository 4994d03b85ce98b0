/** Error answers in words that tell a model what to do next. */
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Operation } from '../description/operation.ts';
import type { Fetched } from '../guard/exchange.ts';
import { waitOf } from '../request/pace.ts';
import { selected } from '../request/select.ts';

/** The error of an answer with an error status. @param reason its body, without secrets */
export function statusError(operation: Operation, url: URL, fetched: Fetched, reason: string): SignalboxError {
  const { status } = fetched;
  const what = `The API answered ${status} for ${operation.method} ${url.pathname}.`;
  const why = reason.trim().slice(0, 2000) || 'It gave no reason.';
  const wait = waitOf(status, fetched.headers, Date.now());
  if (status === 429 || (status === 403 && wait !== undefined)) {
    const seconds = wait === undefined ? undefined : Math.ceil(wait / 1000);
    return new SignalboxError('SBX_API_LIMITED', what, {
      why,
      fix: `The rate limit is used up. Do something else and try again ${seconds === undefined ? 'in a minute' : `in ${seconds} s`}; ask for more in one request where the tool allows it.`,
    });
  }
  return new SignalboxError(status === 401 || status === 403 ? 'SBX_API_AUTH' : 'SBX_API_STATUS', what, {
    why,
    fix: nextStep(status, operation),
  });
}

function nextStep(status: number, operation: Operation): string {
  const writes = operation.method !== 'GET' && operation.method !== 'HEAD';
  switch (status) {
    case 401:
      return 'Do not try again: the credentials are missing or no longer good. A person has to check "auth" or "headers" in the settings of this server.';
    case 403:
      return 'Do not try again with the same arguments: these credentials may not do this. Choose something they may see, or ask the person for more rights.';
    case 404:
    case 410:
      return 'Nothing is there under these arguments. Check names and ids, for example by listing or searching first.';
    case 405:
    case 501:
      return 'The API does not do this here; use another tool.';
    case 400:
    case 422:
      return 'Correct the arguments: the cause says what is wrong with them.';
    case 409:
    case 412:
      return 'The thing has changed or exists already. Read its present state, then decide anew.';
    case 413:
    case 414:
    case 431:
      return 'Send less: fewer items or shorter values.';
    case 415:
    case 406:
      return 'The API does not take or give this content type; this is for the owner of the description.';
    default:
      if (status < 500) return 'Check the arguments.';
      return writes
        ? 'The API failed, and it is not known whether the change was made. Look at the present state before you try again.'
        : 'The API failed, after several tries. Try again later; the arguments are not at fault.';
  }
}

/** The error of an answer that is one although its status says 200, by the rules of the operation. */
export function disguisedError(operation: Operation, url: URL, fetched: Fetched, body: unknown): SignalboxError | undefined {
  for (const rule of operation.failures) {
    const hit = selected(body, rule.when);
    if (hit === null || hit === false || hit === '') continue;
    const message = rule.message === undefined ? undefined : selected(body, rule.message);
    const reason =
      typeof message === 'string' && message !== '' ? message : typeof hit === 'string' ? hit : JSON.stringify(body).slice(0, 500);
    return statusError(operation, url, { ...fetched, status: rule.status ?? 400 }, reason);
  }
  return undefined;
}
