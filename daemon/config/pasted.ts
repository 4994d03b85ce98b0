/** Servers in a text somebody copied out of a README or another client's file. */
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { SignalboxError } from '../api/errors.ts';

/** A server to add. */
export interface PastedServer {
  readonly name: string;
  readonly entry: Record<string, unknown>;
}

/** Keys under which clients keep their servers. */
const BLOCKS = ['mcpServers', 'servers', 'context_servers', 'mcp_servers'];

/**
 * Takes what people have at hand: `{"mcpServers": {…}}`, `{"servers": …}`, the same without the braces around it, `{name: entry}`, or a bare entry
 * (named `mine`). Comments and trailing commas are allowed.
 * @returns every server in it, at least one
 * @throws SBX_CONFIG_SYNTAX when it is not JSON, SBX_CONFIG_INVALID when there is no server in it
 */
export function pastedServers(text: string): readonly PastedServer[] {
  const bare = text.trim();
  const value = parsed(bare.startsWith('"') ? `{${bare.replace(/,\s*$/, '')}}` : bare);
  // VS Code's settings.json has them one level deeper.
  const outer = objectOf(objectOf(value)?.['mcp']) ?? objectOf(value) ?? {};
  const servers = BLOCKS.map((key) => objectOf(outer[key])).find((block) => block !== undefined) ?? outer;
  if (isEntry(servers)) return [{ name: 'mine', entry: servers }];
  const found = Object.entries(servers).flatMap(([name, candidate]): PastedServer[] => {
    const entry = objectOf(candidate);
    return entry !== undefined && isEntry(entry) ? [{ name, entry }] : [];
  });
  if (found.length > 0) return found;
  throw new SignalboxError('SBX_CONFIG_INVALID', 'No server was found in the pasted text.', {
    why: 'An entry has a "command", a "url" or a "plugin".',
    fix: 'Paste one entry, for example {"my-server": {"url": "https://example.com/mcp"}}.',
  });
}

function parsed(text: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first === undefined) return value;
  throw new SignalboxError('SBX_CONFIG_SYNTAX', 'The pasted text is not JSON.', {
    why: `${printParseErrorCode(first.error)} at character ${first.offset + 1}.`,
    fix: 'Paste one entry, for example {"my-server": {"command": "npx", "args": ["-y", "some-package"]}}.',
  });
}

function isEntry(value: Record<string, unknown>): boolean {
  return ['command', 'url', 'serverUrl', 'httpUrl', 'plugin'].some((key) => typeof value[key] === 'string');
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}
