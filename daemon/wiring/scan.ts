/** The MCP servers other clients on this machine already use, in the form of our configuration. */
import { type ErrorShape, errorShape } from '../api/errors.ts';
import type { WirableClient } from './client.ts';
import { readClientFile, valueAt } from './client-file.ts';
import { foreignEntry } from './foreign-entry.ts';
import { type Scope, SERVER_KEY, type WiringEnvironment } from './wiring.ts';

/** A server found in a client's file. */
export interface FoundServer {
  /** As the client calls it. */
  readonly name: string;
  /** For `servers/add`. */
  readonly entry: Record<string, unknown>;
  /** Where: the first is where it was taken from, the others have the same. */
  readonly from: readonly { readonly client: string; readonly scope: Scope; readonly file: string }[];
}
/** What a scan found. */
export interface Scan {
  readonly servers: readonly FoundServer[];
  /** Files that cannot be read, and entries Signalbox cannot run. */
  readonly skipped: readonly ({ readonly client: string; readonly file: string; readonly name?: string } & Pick<
    ErrorShape,
    'code' | 'message'
  >)[];
}

/** Reads the files of all clients; changes nothing, starts nothing. The same server in two clients is found once. */
export function scanClients(clients: readonly WirableClient[], environment: WiringEnvironment): Scan {
  const servers = new Map<string, FoundServer>();
  const skipped: Scan['skipped'][number][] = [];
  for (const client of clients) {
    for (const scope of client.scopes) {
      const { file, path, format } = client.place(scope, environment);
      let all: unknown;
      try {
        all = valueAt(readClientFile(file, format), path.slice(0, -1));
      } catch (error) {
        const { code, message } = errorShape(error);
        skipped.push({ client: client.name, file, code, message });
        continue;
      }
      if (!isObject(all)) continue;
      for (const [name, value] of Object.entries(all)) {
        if (name === SERVER_KEY) continue;
        const entry = isObject(value) ? foreignEntry(value) : undefined;
        if (entry === undefined) {
          skipped.push({
            client: client.name,
            file,
            name,
            code: 'SBX_CONFIG_INVALID',
            message: `\`${name}\` has neither a command nor a URL.`,
          });
          continue;
        }
        const key = JSON.stringify([name, entry]);
        const from = [...(servers.get(key)?.from ?? []), { client: client.name, scope, file }];
        servers.set(key, { name, entry, from });
      }
    }
  }
  return { servers: [...servers.values()], skipped };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
