/**
 * A legacy connection begins with `initialize` (2025-11-25, "Lifecycle", Initialization: "MUST be the first interaction"; before its answer a
 * client sends nothing but pings). The SDK's `serveStdio` serves whatever comes first.
 */
import { ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { Check } from '../checkpoint.ts';
import { claimedVersion } from './versions.ts';

const NOT_INITIALIZED = {
  // 2026-07-28 wants this code for a request without its envelope, 2025-11-25 names none for one without a handshake.
  code: ProtocolErrorCode.InvalidParams,
  message: 'Not initialized: initialize comes first (2025-11-25), or the version in params._meta of each request (2026-07-28)',
};

/**
 * Refuses requests of a connection that was not initialized; those of the modern era name their revision and need no handshake. A request that
 * does not wait for the answer to `initialize` is served: it only SHOULD wait.
 */
export function checkInitialization(): Check {
  let initialized = false;
  return (request) => {
    if (request.method === 'initialize') {
      const before = initialized;
      initialized = true;
      return {
        // "Cancellation": a client must not cancel it, and a cancellation that is invalid should be ignored.
        kept: true,
        answer: (answer) => {
          if ('error' in answer) initialized = before;
          return answer;
        },
      };
    }
    if (initialized || request.method === 'ping' || claimedVersion(request) !== undefined) return undefined;
    return { refuse: NOT_INITIALIZED };
  };
}
