/** Starts a plugin through the host as a real process and connects a real SDK client to it. */
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js';

const HOST = fileURLToPath(new URL('../../servers/plugin/host.ts', import.meta.url));

/** The peers every plugin is tried with. */
export const PEERS = ['modern', 'legacy', 'v1'] as const;
export type Peer = (typeof PEERS)[number];

/** What the tests look at, the same for every peer. */
export interface Answer {
  readonly isError: boolean;
  readonly text: string;
  readonly structured: Readonly<Record<string, unknown>> | undefined;
}
export interface Session {
  readonly protocol: string | undefined;
  tools(): Promise<readonly string[]>;
  prompts(): Promise<readonly string[]>;
  prompt(name: string): Promise<string>;
  call(name: string, args?: Record<string, unknown>): Promise<Answer>;
  close(): Promise<void>;
}

/** Folder of a bundled plugin. */
export function bundled(name: string): string {
  return fileURLToPath(new URL(`../../servers/${name}`, import.meta.url));
}

/** The command line of the host. */
export function hostArgs(folder: string, ...args: readonly string[]): string[] {
  return [HOST, folder, ...args];
}

/** Connects a peer to a plugin. */
export async function connect(
  peer: Peer,
  folder: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Session> {
  const info = { name: 'plugin-test', version: '1.0.0' };
  const parameters = {
    command: process.execPath,
    args: hostArgs(folder, ...args),
    stderr: (process.env['SBX_TEST_STDERR'] === undefined ? 'ignore' : 'inherit') as 'ignore' | 'inherit',
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: { PATH: process.env['PATH'] ?? '', ...options.env } }),
  };
  if (peer === 'v1') {
    const client = new OldClient(info);
    await client.connect(new OldStdio(parameters) as never);
    return session(client as unknown as AnyClient, '2025');
  }
  const client = new Client(info, { versionNegotiation: { mode: peer === 'modern' ? { pin: '2026-07-28' } : 'legacy' } });
  await client.connect(new StdioClientTransport(parameters));
  return session(client as unknown as AnyClient, client.getNegotiatedProtocolVersion());
}

/** The methods all clients share, with the results loosely typed because the two SDKs' types differ. */
interface AnyClient {
  listTools(): Promise<{ tools: readonly { name: string }[] }>;
  listPrompts(): Promise<{ prompts: readonly { name: string }[] }>;
  getPrompt(params: { name: string }): Promise<{ messages: readonly { content: unknown }[] }>;
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
  close(): Promise<void>;
}

function session(client: AnyClient, protocol: string | undefined): Session {
  return {
    protocol,
    tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    prompts: async () => (await client.listPrompts()).prompts.map((prompt) => prompt.name),
    prompt: async (name) => JSON.stringify((await client.getPrompt({ name })).messages),
    call: async (name, args = {}) => {
      const result = (await client.callTool({ name, arguments: args })) as {
        isError?: boolean;
        content: readonly { text?: string }[];
        structuredContent?: Record<string, unknown>;
      };
      return { isError: result.isError === true, text: result.content[0]?.text ?? '', structured: result.structuredContent };
    },
    close: () => client.close(),
  };
}
