/** A server as another client writes it, as ours: each has its own words for the same few things. */

/**
 * @param entry a value of `mcpServers`, `servers`, `mcp_servers` or `context_servers`
 * @returns an entry of our configuration; `undefined` when there is nothing to run or call in it
 */
export function foreignEntry(entry: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  if (typeof entry['plugin'] === 'string') return { ...entry };
  // Zed before 2026 put the command into an object.
  const nested = objectOf(entry['command']);
  const command = nested?.['path'] ?? entry['command'];
  if (typeof command === 'string') {
    const source = nested ?? entry;
    return {
      type: 'stdio',
      command,
      ...(Array.isArray(source['args']) ? { args: source['args'] } : {}),
      ...(objectOf(source['env']) === undefined ? {} : { env: source['env'] }),
      ...(typeof entry['cwd'] === 'string' ? { cwd: entry['cwd'] } : {}),
    };
  }
  // Windsurf says serverUrl, Gemini httpUrl for Streamable HTTP and url for HTTP+SSE.
  const url = entry['url'] ?? entry['serverUrl'] ?? entry['httpUrl'];
  if (typeof url !== 'string') return undefined;
  const headers = objectOf(entry['headers']) ?? objectOf(entry['http_headers']);
  const variable = entry['bearer_token_env_var'];
  const bearer = typeof variable === 'string' ? { Authorization: `Bearer \${env:${variable}}` } : {};
  const all = { ...headers, ...bearer };
  return { type: entry['type'] === 'sse' ? 'sse' : 'http', url, ...(Object.keys(all).length === 0 ? {} : { headers: all }) };
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}
