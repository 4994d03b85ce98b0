/** "Add Server…": asks for the little each kind of server needs, takes what was pasted, or what other clients on this machine already use. */
import type * as VSCode from 'vscode';
import type { DaemonConnection } from '../daemon/connection.ts';
import type { Cli } from '../daemon/start.ts';
import { localFolders } from '../views/folders.ts';

/** Arguments of the command when it runs without dialogs. */
export interface ServerRequest {
  readonly name: string;
  readonly entry: Record<string, unknown>;
  readonly workspace?: string;
}
/** A server that was added: the file it was written to, and its name there. */
export interface AddedServer {
  readonly file: string;
  readonly name: string;
}
/** What adding works with. */
export interface AddParts {
  readonly vscode: typeof VSCode;
  readonly daemon: DaemonConnection;
  readonly cli: Cli;
}

type Ask = (parts: AddParts) => Promise<ServerRequest | readonly AddedServer[] | undefined>;

/**
 * @param from a complete entry, or nothing: then the person is asked
 * @returns what was added; empty when the person went away
 */
export async function addServer(parts: AddParts, from: ServerRequest | undefined): Promise<readonly AddedServer[]> {
  const { vscode, daemon } = parts;
  const { l10n, window } = vscode;
  const request =
    from?.entry === undefined
      ? await (
          await window.showQuickPick(kinds(vscode), {
            title: l10n.t('Add Server'),
            placeHolder: l10n.t('What kind of server?'),
            matchOnDetail: true,
          })
        )?.ask(parts)
      : from;
  if (request === undefined) return [];
  const added = 'entry' in request ? [await daemon.call('servers/add', request)] : request;
  const [first] = added;
  if (first === undefined) return [];
  const open = l10n.t('Open Configuration');
  const message = l10n.t('Added to Signalbox: {0}', added.map(({ name }) => name).join(', '));
  void window.showInformationMessage(message, open).then((action) => {
    if (action === open) void vscode.commands.executeCommand('signalbox.editServer', { name: first.name });
  });
  return added;
}

function kinds({ l10n }: typeof VSCode): readonly (VSCode.QuickPickItem & { readonly ask: Ask })[] {
  const bundled = l10n.t('bundled');
  return [
    {
      label: `$(folder) ${l10n.t('Filesystem')}`,
      description: bundled,
      detail: l10n.t('Read, list and search files in a folder'),
      ask: askFilesystem,
    },
    {
      label: `$(database) ${l10n.t('Database')}`,
      description: bundled,
      detail: l10n.t('Query SQLite, PostgreSQL, MySQL or MariaDB, read-only'),
      ask: askDatabase,
    },
    {
      label: `$(globe) ${l10n.t('HTTP API')}`,
      description: bundled,
      detail: l10n.t('Tools from an OpenAPI 3 file, GET only'),
      ask: askApi,
    },
    {
      label: `$(terminal) ${l10n.t('Command')}`,
      description: 'stdio',
      detail: l10n.t('Any MCP server that speaks on its standard streams'),
      ask: askCommand,
    },
    {
      label: `$(link) ${l10n.t('URL')}`,
      description: 'Streamable HTTP',
      detail: l10n.t('An MCP server that listens at a URL'),
      ask: askUrl,
    },
    {
      label: `$(json) ${l10n.t('Paste JSON')}`,
      description: 'mcpServers',
      detail: l10n.t('One or more entries as Claude Code, VS Code or a README has them'),
      ask: askJson,
    },
    {
      label: `$(search) ${l10n.t('Scan this machine')}`,
      description: l10n.t('other clients'),
      detail: l10n.t('Servers that Claude Code, Cursor, Codex and others already use'),
      ask: askScan,
    },
  ];
}

const askFilesystem: Ask = async ({ vscode }) => {
  const folder = await pickPath(vscode, vscode.l10n.t('Folder the tools may read'), { canSelectFolders: true, canSelectFiles: false });
  return folder === undefined ? undefined : named(vscode, 'fs', { plugin: 'filesystem', settings: { roots: [folder], access: 'read' } });
};

const askDatabase: Ask = async ({ vscode }) => {
  const { l10n, window } = vscode;
  const file = l10n.t('SQLite file…');
  const address = l10n.t('Address…');
  const kind = await window.showQuickPick(
    [
      { label: `$(file) ${file}`, detail: 'sqlite:./app.db', file: true },
      { label: `$(server) ${address}`, detail: 'postgresql://user@host/db, mysql://…', file: false },
    ],
    { title: l10n.t('Database') },
  );
  if (kind === undefined) return undefined;
  const picked = kind.file ? await pickPath(vscode, l10n.t('SQLite database'), {}) : undefined;
  const url = kind.file
    ? picked && `sqlite:${picked}`
    : await window.showInputBox({
        title: l10n.t('Address of the database'),
        prompt: l10n.t(
          'Without the password: store it with `signalbox secret set db-password` and write {0}',
          '$' + '{secret:db-password}',
        ),
        placeHolder: 'postgresql://user:$' + '{secret:db-password}@localhost:5432/app',
        ignoreFocusOut: true,
        validateInput: (text) =>
          /^(postgres|postgresql|mysql|mariadb|sqlite):.+/.test(text)
            ? undefined
            : l10n.t('It begins with postgresql:, mysql:, mariadb: or sqlite:'),
      });
  return url === undefined ? undefined : named(vscode, 'db', { plugin: 'database', settings: { connections: { main: url } } });
};

const askApi: Ask = async ({ vscode }) => {
  const file = await pickPath(vscode, vscode.l10n.t('OpenAPI 3 description'), { filters: { OpenAPI: ['json', 'yaml', 'yml'] } });
  return file === undefined ? undefined : named(vscode, 'api', { plugin: 'api', settings: { spec: file } });
};

const askCommand: Ask = async ({ vscode }) => {
  const line = await vscode.window.showInputBox({
    title: vscode.l10n.t('Command'),
    prompt: vscode.l10n.t('The command and its arguments'),
    placeHolder: 'npx -y @modelcontextprotocol/server-everything',
    ignoreFocusOut: true,
  });
  const [command, ...args] = splitCommand(line ?? '');
  return command === undefined ? undefined : named(vscode, 'mine', { type: 'stdio', command, args });
};

const askUrl: Ask = async ({ vscode }) => {
  const url = await vscode.window.showInputBox({
    title: vscode.l10n.t('URL'),
    placeHolder: 'https://example.com/mcp',
    ignoreFocusOut: true,
    validateInput: (text) => (/^https?:/.test(text) && URL.canParse(text) ? undefined : vscode.l10n.t('This is not an http or https URL')),
  });
  return url === undefined ? undefined : named(vscode, 'remote', { type: 'http', url });
};

/** The clipboard, when something that looks like servers is in it: an input box has one line and a block has many. */
const askJson: Ask = async ({ vscode, daemon, cli }) => {
  const { l10n, window, env } = vscode;
  const clipboard = await env.clipboard.readText();
  const looksRight = /["'](command|url|serverUrl|httpUrl|plugin)["']\s*:/.test(clipboard);
  const text = await window.showInputBox({
    title: l10n.t('JSON'),
    prompt: looksRight ? l10n.t('Taken from the clipboard; Enter adds it') : l10n.t('Paste an `mcpServers` block or one entry of it'),
    value: looksRight ? clipboard.replaceAll(/\s*\n\s*/g, ' ') : '',
    placeHolder: '{"my-server": {"command": "npx", "args": ["…"]}}',
    ignoreFocusOut: true,
  });
  if (text === undefined || text.trim() === '') return undefined;
  await daemon.start();
  return addedBy(await cli(['servers', 'add', '--paste', '-'], { input: text }));
};

interface Found {
  readonly name: string;
  readonly entry: Record<string, unknown>;
  readonly from: readonly { readonly client: string }[];
}

const askScan: Ask = async ({ vscode, daemon, cli }) => {
  const { l10n, window } = vscode;
  // Of a folder that VS Code does not trust nothing is read.
  const [folder] = vscode.workspace.isTrusted ? localFolders(vscode) : [];
  const options = folder === undefined ? {} : { cwd: folder };
  const { servers } = (await cli(['servers', 'scan'], options)) as { servers: readonly Found[] };
  if (servers.length === 0) {
    void window.showInformationMessage(l10n.t('No other client on this machine has a server configured.'));
    return undefined;
  }
  const picked = await window.showQuickPick(
    servers.map(({ name, entry, from }) => ({
      label: name,
      description: from.map(({ client }) => client).join(', '),
      detail: String(entry['url'] ?? [entry['command'], ...((entry['args'] as unknown[] | undefined) ?? [])].join(' ')),
      name,
      entry,
    })),
    { title: l10n.t('Servers found on this machine'), canPickMany: true, ignoreFocusOut: true },
  );
  const added: AddedServer[] = [];
  for (const { name, entry } of picked ?? []) added.push(await daemon.call('servers/add', { name, entry }));
  return added;
};

function addedBy(document: unknown): readonly AddedServer[] {
  return (document as { added: readonly AddedServer[] }).added;
}

async function named(vscode: typeof VSCode, suggestion: string, entry: Record<string, unknown>): Promise<ServerRequest | undefined> {
  const name = await vscode.window.showInputBox({
    title: vscode.l10n.t('Name'),
    prompt: vscode.l10n.t('Name of the server; its tools are called NAME__tool'),
    value: suggestion,
    ignoreFocusOut: true,
  });
  return name === undefined || name === '' ? undefined : { name, entry };
}

async function pickPath(vscode: typeof VSCode, title: string, options: VSCode.OpenDialogOptions): Promise<string | undefined> {
  const defaultUri = vscode.workspace.workspaceFolders?.[0]?.uri;
  const picked = await vscode.window.showOpenDialog({
    title,
    openLabel: vscode.l10n.t('Use'),
    ...(defaultUri === undefined ? {} : { defaultUri }),
    ...options,
  });
  return picked?.[0]?.fsPath;
}

/** Words of a command line; double and single quotes keep blanks together. */
export function splitCommand(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain ?? '');
}
