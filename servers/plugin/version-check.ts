/**
 * The revision of every modern request is looked at (2026-07-28, "Versioning": the version is judged per request). The SDK's `serveStdio`
 * looks at the first one only, and serves whatever comes after it.
 */
import type { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

/** The modern revisions the SDK serves. */
const MODERN_VERSIONS: readonly string[] = ['2026-07-28'];
const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
/** UnsupportedProtocolVersionError. */
const UNSUPPORTED_VERSION = -32022;

type Listener = NonNullable<StdioServerTransport['onmessage']>;
type Message = Parameters<Listener>[0];

/** Answers requests that name a revision which is not served with -32022, before anything else sees them. */
export function checkVersions(transport: StdioServerTransport): void {
  let listener: StdioServerTransport['onmessage'];
  const checked: Listener = (message) => {
    const requested = requestedVersion(message);
    if (requested === undefined || !('id' in message) || MODERN_VERSIONS.includes(requested)) return listener?.(message);
    const data = { supported: [...MODERN_VERSIONS], requested };
    void transport
      .send({
        jsonrpc: '2.0',
        id: message.id ?? undefined,
        error: { code: UNSUPPORTED_VERSION, message: `Unsupported protocol version: ${requested}`, data },
      })
      .catch((error: unknown) => transport.onerror?.(error instanceof Error ? error : new Error(String(error))));
  };
  Object.defineProperty(transport, 'onmessage', {
    configurable: true,
    get: () => (listener === undefined ? undefined : checked),
    set: (next: StdioServerTransport['onmessage']) => {
      listener = next;
    },
  });
}

function requestedVersion(message: Message): string | undefined {
  if (!('method' in message)) return undefined;
  const meta = message.params?.['_meta'];
  const version = typeof meta === 'object' && meta !== null ? (meta as Record<string, unknown>)[VERSION_KEY] : undefined;
  return typeof version === 'string' ? version : undefined;
}
