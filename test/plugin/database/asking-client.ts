/** A real client of every era that can be asked: it records the questions and gives the answer it was told. */
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { bundled, hostArgs, type Peer } from '../client.ts';

export interface AskingClient {
  readonly client: Client;
  readonly questions: string[];
  /** What the person does; `none`: the client has no elicitation. */
  answer: { action: 'accept' | 'decline' | 'cancel'; content?: Record<string, unknown> };
  /** Standard error of the server: its audit lines. */
  lines(): readonly Record<string, unknown>[];
  call(
    name: string,
    args: Record<string, unknown>,
  ): Promise<{ isError: boolean; text: string; structured: Record<string, unknown> | undefined }>;
  close(): Promise<void>;
}

export async function ask(peer: Peer, args: readonly string[], settings: object, canAsk = true): Promise<AskingClient> {
  const questions: string[] = [];
  let heard = '';
  const info = { name: 'asking', version: '1.0.0' };
  const capabilities = canAsk ? { elicitation: { form: {} } } : {};
  // Settings come by flags here: what flags cannot say goes by an environment variable into the one connection's file.
  const parameters = {
    command: process.execPath,
    args: hostArgs(bundled('database'), ...args),
    stderr: 'pipe' as const,
    env: { ...process.env, ...settings } as Record<string, string>,
  };
  const state: AskingClient = {
    client: undefined as never,
    questions,
    answer: { action: 'accept', content: { run: true } },
    lines: () =>
      heard
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    call: async (name, given) => {
      const result = (await state.client.callTool({ name, arguments: given })) as {
        isError?: boolean;
        content: readonly { text?: string }[];
        structuredContent?: Record<string, unknown>;
      };
      return { isError: result.isError === true, text: result.content[0]?.text ?? '', structured: result.structuredContent };
    },
    close: () => state.client.close(),
  };
  const listen = (stream: NodeJS.ReadableStream | null): void => void stream?.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  const reply = (message: string) => {
    questions.push(message);
    return state.answer;
  };
  if (peer === 'v1') {
    const client = new OldClient(info, { capabilities });
    if (canAsk) client.setRequestHandler(ElicitRequestSchema, ({ params }) => reply(params.message) as never);
    const transport = new OldStdio(parameters);
    listen(transport.stderr as NodeJS.ReadableStream | null);
    await client.connect(transport as never);
    return Object.assign(state, { client });
  }
  const client = new Client(info, { capabilities, versionNegotiation: { mode: peer === 'modern' ? { pin: '2026-07-28' } : 'legacy' } });
  if (canAsk) client.setRequestHandler('elicitation/create', ({ params }) => reply(params.message) as never);
  const transport = new StdioClientTransport(parameters);
  listen(transport.stderr as NodeJS.ReadableStream | null);
  await client.connect(transport);
  return Object.assign(state, { client });
}
