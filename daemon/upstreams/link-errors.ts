/** What links report when a server does not do as the transports say. */
import { SignalboxError } from '../api/errors.ts';

/** A line on stdout that is no message. */
export function notJson(server: string, line: string, cause: unknown): SignalboxError {
  return new SignalboxError('SBX_SERVER_NOT_JSON', `Server "${server}" printed something that is not a message on stdout.`, {
    why: `The line begins with: ${line.slice(0, 120)}`,
    fix: 'A stdio server may write only JSON-RPC to stdout; send its logging to stderr.',
    cause,
  });
}

/** A frame over the limit. */
export function tooLarge(server: string, bytes: number, limit: number): SignalboxError {
  return new SignalboxError('SBX_MESSAGE_TOO_LARGE', `A message of server "${server}" has ${bytes} bytes.`, {
    why: `limits.messageBytes is ${limit}.`,
    fix: 'Ask for less, or raise limits.messageBytes in the configuration.',
  });
}

/** A server that does not read what is sent to it. */
export function busy(server: string, waiting: number): SignalboxError {
  return new SignalboxError('SBX_BUSY', `Server "${server}" does not read what is sent to it.`, {
    why: `${waiting} bytes wait on its standard input, twice limits.messageBytes would be too many; nothing of this call was sent.`,
    fix: `Try again later; if it hangs, \`signalbox servers restart ${server}\`.`,
  });
}

/** A server that cannot be reached, or whose connection broke. */
export function unreachable(server: string, url: string, why: string, cause?: unknown): SignalboxError {
  return new SignalboxError('SBX_SERVER_UNREACHABLE', `Server "${server}" cannot be reached at ${new URL(url).origin}.`, {
    why,
    fix: 'Check that it runs and that its url is right, then try again.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** An HTTP answer that is no message. */
export function httpFailure(server: string, status: number, body: Buffer | undefined): SignalboxError {
  const text = body?.toString('utf8', 0, 1200).slice(0, 300) ?? '';
  return new SignalboxError('SBX_SERVER_HTTP', `Server "${server}" answered with HTTP ${status}.`, {
    why: text === '' ? 'It sent no body.' : `It said: ${text}`,
    fix:
      status === 401 || status === 403
        ? 'Check the headers (token) of this server in the configuration.'
        : 'Check the url of this server in the configuration.',
  });
}
