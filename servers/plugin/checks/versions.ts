/**
 * The revision of every modern request is looked at (2026-07-28, "Versioning": the version is judged per request). The SDK's `serveStdio`
 * looks at the first one only, and serves whatever comes after it.
 */
import { type JSONRPCRequest, PROTOCOL_VERSION_META_KEY } from '@modelcontextprotocol/server';
import { type Check, shown } from '../checkpoint.ts';

/** The modern revisions the SDK serves. */
const MODERN_VERSIONS: readonly string[] = ['2026-07-28'];
/** UnsupportedProtocolVersionError. */
const UNSUPPORTED_VERSION = -32022;

/** Answers requests that name a revision which is not served with -32022. */
export const checkVersions: Check = (request) => {
  const requested = claimedVersion(request);
  if (typeof requested !== 'string' || MODERN_VERSIONS.includes(requested)) return undefined;
  const data = { supported: [...MODERN_VERSIONS], requested };
  return { refuse: { code: UNSUPPORTED_VERSION, message: `Unsupported protocol version: ${shown(requested)}`, data } };
};

/** The revision a request says it is of, as it stands there; undefined when it says none, as in the legacy era. */
export function claimedVersion({ params }: JSONRPCRequest): unknown {
  return params?._meta?.[PROTOCOL_VERSION_META_KEY];
}
