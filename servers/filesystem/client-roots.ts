/**
 * The client's own roots, where the settings say `"clientRoots": "narrow"`: they limit what it sees and never add to it. A legacy client is
 * asked after the handshake and when it says that they have changed; a modern one by `input_required`, at its first call that touches files.
 */
import { fileURLToPath } from 'node:url';
import { type InputRequiredResult, inputRequired, type McpServer, type ServerContext } from '@modelcontextprotocol/server';
import type { Area } from './guard/area.ts';

/** Before a tool runs: undefined when it may, else what the client is asked first. */
export type Follow = (context: ServerContext) => Promise<InputRequiredResult | undefined>;

const KEY = 'roots';

/**
 * Follows the roots of the client of one MCP instance. A client that has none to tell is not limited.
 * @param changed is called when the limits are other ones than before
 */
export function followRoots(server: McpServer, area: Area, changed: () => void): Follow {
  const { server: low } = server;
  let known: Promise<void> | undefined;
  const limit = (roots: readonly { readonly uri: string }[]): void => {
    area.narrow(roots.flatMap(({ uri }) => pathOf(uri)));
    changed();
  };
  const ask = (): Promise<void> => low.listRoots().then(({ roots }) => limit(roots));
  const unlimited = async (): Promise<void> => {
    area.narrow(undefined);
    changed();
  };
  // Nothing is shown before the client has been asked.
  area.narrow([]);
  low.setNotificationHandler('notifications/roots/list_changed', () => {
    known = ask();
  });
  return async (context) => {
    const envelope = context.mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
    if (envelope === undefined) {
      known ??= low.getClientCapabilities()?.roots === undefined ? unlimited() : ask();
      await known;
      return undefined;
    }
    const capabilities = envelope['io.modelcontextprotocol/clientCapabilities'] as { readonly roots?: unknown } | undefined;
    if (known === undefined && capabilities?.roots === undefined) known = unlimited();
    if (known !== undefined) return undefined;
    const answer = context.mcpReq.inputResponses?.[KEY] as { readonly roots?: unknown } | undefined;
    if (!Array.isArray(answer?.roots)) return inputRequired({ inputRequests: { [KEY]: inputRequired.listRoots() } });
    limit(answer.roots.filter((root): root is { uri: string } => typeof (root as { uri?: unknown } | null)?.uri === 'string'));
    known = Promise.resolve();
    return undefined;
  };
}

function pathOf(uri: string): string[] {
  try {
    return [fileURLToPath(uri)];
  } catch {
    // Not a folder of this machine: nothing of ours lies in it.
    return [];
  }
}
