/** "Add Server…": asks for the little each kind of server needs and writes the entry through the daemon. */
import type * as VSCode from 'vscode';
import { SignalboxError } from '../../daemon/api/errors.ts';
import type { DaemonConnection } from '../daemon/connection.ts';

/** Arguments of the command when it runs without dialogs. */
export interface ServerRequest {
  readonly name: string;
  readonly entry: Record<string, unknown>;
}

type Kind = VSCode.QuickPickItem & { readonly ask: (vscode: typeof VSCode) => Promise<ServerRequest | undefined> };

const KINDS: readonly Kind[] = [
  { label: '$(folder) Filesystem', description: 'bundled', detail: 'Read, list and search files in a folder', ask: askFilesystem },
  { label: '$(database) Database', description: 'bundled', detail: 'Query a SQLite database, read-only', ask: askDatabase },
  { label: '$(globe) HTTP API', description: 'bundled', detail: 'Tools from an OpenAPI 3 file, GET only', ask: askApi },
  { label: '$(terminal) Command', description: 'stdio', detail: 'Any MCP server that speaks on its standard streams', ask: askCommand },
  { label: '$(link) URL', description: 'Streamable HTTP', detail: 'An MCP server that listens at a URL', ask: askUrl },
  { label: '$(json) Paste JSON', description: 'mcpServers', detail: 'An entry as Claude Code, VS Code or a README has it', ask: askJson },
];

/**
 * @param from a complete entry, or nothing: then the person is asked
 * @returns the file that was written and the name in it, or `undefined` when the person went away
 */
export async function addServer(
  vscode: typeof VSCode,
  daemon: DaemonConnection,
  from: ServerRequest | undefined,
): Promise<{ file: string; name: string } | undefined> {
  const request =
    from?.entry === undefined
      ? await (
          await vscode.window.showQuickPick(KINDS, { title: 'Add Server', placeHolder: 'What kind of server?', matchOnDetail: true })
        )?.ask(vscode)
      : from;
  if (request === undefined) return undefined;
  const added = await daemon.call('servers/add', { name: request.name, entry: request.entry });
  void vscode.window.showInformationMessage(`Server "${added.name}" was added.`, 'Open Configuration').then(async (action) => {
    if (action !== undefined) await vscode.window.showTextDocument(vscode.Uri.file(added.file));
  });
  return added;
}

async function askFilesystem(vscode: typeof VSCode): Promise<ServerRequest | undefined> {
  const folder = await pickPath(vscode, 'Folder the tools may read', { canSelectFolders: true, canSelectFiles: false });
  return folder === undefined ? undefined : named(vscode, 'fs', { plugin: 'filesystem', settings: { roots: [folder], access: 'read' } });
}

async function askDatabase(vscode: typeof VSCode): Promise<ServerRequest | undefined> {
  const file = await pickPath(vscode, 'SQLite database', {});
  return file === undefined
    ? undefined
    : named(vscode, 'db', { plugin: 'database', settings: { connections: { main: `sqlite:${file}` } } });
}

async function askApi(vscode: typeof VSCode): Promise<ServerRequest | undefined> {
  const file = await pickPath(vscode, 'OpenAPI 3 description', { filters: { OpenAPI: ['json', 'yaml', 'yml'] } });
  return file === undefined ? undefined : named(vscode, 'api', { plugin: 'api', settings: { spec: file } });
}

async function askCommand(vscode: typeof VSCode): Promise<ServerRequest | undefined> {
  const line = await vscode.window.showInputBox({
    title: 'Command',
    prompt: 'The command and its arguments',
    placeHolder: 'npx -y @modelcontextprotocol/server-everything',
    ignoreFocusOut: true,
  });
  const [command, ...args] = splitCommand(line ?? '');
  return command === undefined ? undefined : named(vscode, 'mine', { type: 'stdio', command, args });
}

async function askUrl(vscode: typeof VSCode): Promise<ServerRequest | undefined> {
  const url = await vscode.window.showInputBox({
    title: 'URL',
    placeHolder: 'https://example.com/mcp',
    ignoreFocusOut: true,
    validateInput: (text) => (URL.canParse(text) ? undefined : 'This is not a URL'),
  });
  return url === undefined ? undefined : named(vscode, 'remote', { type: 'http', url });
}

async function askJson(vscode: typeof VSCode): Promise<ServerRequest | undefined> {
  const text = await vscode.window.showInputBox({
    title: 'JSON',
    prompt: 'Paste an entry of mcpServers (one line)',
    placeHolder: '{"my-server": {"command": "npx", "args": ["…"]}}',
    ignoreFocusOut: true,
  });
  if (text === undefined) return undefined;
  const { name, entry } = pastedEntry(text);
  return named(vscode, name, entry);
}

async function named(vscode: typeof VSCode, suggestion: string, entry: Record<string, unknown>): Promise<ServerRequest | undefined> {
  const name = await vscode.window.showInputBox({
    title: 'Name',
    prompt: 'Name of the server; its tools are called NAME__tool',
    value: suggestion,
    ignoreFocusOut: true,
  });
  return name === undefined || name === '' ? undefined : { name, entry };
}

async function pickPath(vscode: typeof VSCode, title: string, options: VSCode.OpenDialogOptions): Promise<string | undefined> {
  const defaultUri = vscode.workspace.workspaceFolders?.[0]?.uri;
  const picked = await vscode.window.showOpenDialog({
    title,
    openLabel: 'Use',
    ...(defaultUri === undefined ? {} : { defaultUri }),
    ...options,
  });
  return picked?.[0]?.fsPath;
}

/** Words of a command line; double and single quotes keep blanks together. */
export function splitCommand(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain ?? '');
}

/**
 * Takes what people have at hand: `{"mcpServers": {name: entry}}`, `{"servers": …}`, `{name: entry}` or a bare entry.
 * @throws SignalboxError `SBX_CONFIG_SYNTAX` when it is not JSON, `SBX_CONFIG_INVALID` when no entry is in it
 */
export function pastedEntry(text: string): ServerRequest {
  let value: unknown;
  try {
    // a README often shows `"name": {…}` without the braces around it
    value = JSON.parse(text.trim().startsWith('"') ? `{${text}}` : text);
  } catch (cause) {
    throw new SignalboxError('SBX_CONFIG_SYNTAX', 'The pasted text is not JSON.', {
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'Paste one entry, for example {"my-server": {"command": "npx", "args": ["-y", "some-package"]}}.',
      cause,
    });
  }
  const outer = asObject(value);
  const servers = asObject(outer?.['mcpServers']) ?? asObject(outer?.['servers']) ?? outer ?? {};
  if (isEntry(servers)) return { name: 'mine', entry: servers };
  for (const [name, candidate] of Object.entries(servers)) {
    const entry = asObject(candidate);
    if (entry !== undefined && isEntry(entry)) return { name, entry };
  }
  throw new SignalboxError('SBX_CONFIG_INVALID', 'No server was found in the pasted text.', {
    why: 'An entry has a "command", a "url" or a "plugin".',
    fix: 'Paste one entry, for example {"my-server": {"url": "https://example.com/mcp"}}.',
  });
}

function isEntry(value: Record<string, unknown>): boolean {
  return typeof value['command'] === 'string' || typeof value['url'] === 'string' || typeof value['plugin'] === 'string';
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}
