/** Where `test/clients/install.sh` puts the real programs. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const CACHES = [process.env['SIGNALBOX_TEST_CACHE'] ?? join(homedir(), '.cache', 'signalbox-test'), join(import.meta.dirname, '.cache')];

/** The `claude` of the cache, if it is there. */
export function cachedClaude(): string | undefined {
  return cached('claude-code', '@anthropic-ai', 'claude-code', 'bin', 'claude.exe');
}

/** The MCP Inspector's launcher script (for Node) in the cache, if it is there. */
export function cachedInspector(): string | undefined {
  return cached('inspector', '@modelcontextprotocol', 'inspector', 'clients', 'launcher', 'build', 'index.js');
}

/** The program of another client in the cache, if it is there: what its package puts on PATH. */
export function cachedProgram(client: 'codex' | 'gemini' | 'copilot'): string | undefined {
  return cached(client, '.bin', client);
}

function cached(folder: string, ...names: readonly string[]): string | undefined {
  return CACHES.map((cache) => join(cache, folder, 'node_modules', ...names)).find(existsSync);
}
