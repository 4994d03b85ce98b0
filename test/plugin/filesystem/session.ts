/** A filesystem server with settings of any kind, and a real client: everything the tests of this folder start. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { bundled, hostArgs } from '../client.ts';

/** What a tool gave. */
export interface Answer {
  readonly isError: boolean;
  readonly text: string;
  readonly structured: Readonly<Record<string, unknown>>;
  readonly content: readonly { readonly type: string; readonly [key: string]: unknown }[];
  readonly code: string | undefined;
}
/** A connected client. */
export interface Files {
  readonly client: Client;
  readonly pid: number;
  /** The audit lines so far. */
  readonly audit: readonly Readonly<Record<string, unknown>>[];
  call(
    name: string,
    args?: Readonly<Record<string, unknown>>,
    options?: { signal?: AbortSignal; onprogress?: (progress: { progress: number }) => void },
  ): Promise<Answer>;
  close(): Promise<void>;
}

/** Starts a server with a settings document. */
export async function files(
  settings: Readonly<Record<string, unknown>>,
  options: { era?: 'modern' | 'legacy'; env?: Readonly<Record<string, string>>; roots?: readonly string[] } = {},
): Promise<Files> {
  const folder = mkdtempSync(join(tmpdir(), 'sbx-fss-'));
  const file = join(folder, 'settings.json');
  writeFileSync(file, JSON.stringify(settings));
  // The host reads the settings from a descriptor; the client's transport hands over none, so a shell opens it.
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', ...hostArgs(bundled('filesystem'), '--settings-fd', '3')];
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const transport = new StdioClientTransport({
    command: 'sh',
    args: ['-c', `exec ${quoted} 3<'${file}'`],
    stderr: 'pipe',
    ...(options.env === undefined ? {} : { env: { PATH: process.env['PATH'] ?? '', ...options.env } }),
  });
  const audit: Record<string, unknown>[] = [];
  let rest = '';
  transport.stderr?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('{')) audit.push(JSON.parse(line) as Record<string, unknown>);
      else if (process.env['SBX_TEST_STDERR'] !== undefined) console.error(line);
    }
  });
  const client = new Client(
    { name: 'files-test', version: '1.0.0' },
    {
      versionNegotiation: { mode: options.era === 'legacy' ? 'legacy' : { pin: '2026-07-28' } },
      ...(options.roots === undefined ? {} : { capabilities: { roots: {} } }),
    },
  );
  if (options.roots !== undefined) {
    const roots = options.roots.map((path) => ({ uri: pathToFileURL(path).href }));
    client.setRequestHandler('roots/list', () => ({ roots }));
  }
  await client.connect(transport);
  return {
    client,
    audit,
    pid: transport.pid ?? 0,
    call: async (name, args = {}, callOptions = {}) => {
      const result = (await client.callTool({ name, arguments: { ...args } }, { timeout: 120_000, ...callOptions })) as {
        isError?: boolean;
        content: { type: string; text?: string }[];
        structuredContent?: Record<string, unknown>;
        _meta?: Record<string, unknown>;
      };
      const error = result._meta?.['dev.signalbox/error'] as { code: string } | undefined;
      return {
        isError: result.isError === true,
        text: result.content[0]?.text ?? '',
        structured: result.structuredContent ?? {},
        content: result.content,
        code: error?.code,
      };
    },
    close: async () => {
      await client.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A server whose home folder is the given one, and that is told to give it. */
export function spawnHome(home: string): Promise<Files> {
  return files({ roots: [home], allowHome: true }, { env: { HOME: home } });
}
