/** `signalbox servers add`: a command, a URL, a plugin, an entry, or what was pasted. */
import type { ControlClient } from '../../api/control-client.ts';
import { pastedServers } from '../../config/pasted.ts';
import { WIRABLE_CLIENTS } from '../../wiring/clients.ts';
import { foreignEntry } from '../../wiring/foreign-entry.ts';
import { scanClients } from '../../wiring/scan.ts';
import { positionals, usageError } from '../arguments.ts';
import type { CommandContext } from '../command.ts';
import { jsonObject } from '../json-object.ts';
import { table } from '../table.ts';
import { workspaceRef } from '../target.ts';
import { wiringEnvironment } from '../wire/environment.ts';

type Added = { readonly name: string; readonly file: string };

/** Adds one server, or with `--paste` every server of the pasted text. */
export async function addServer(context: CommandContext, [name, ...command]: readonly string[]): Promise<number> {
  const pasted = context.flags.text('paste');
  if (pasted !== undefined) return paste(context, pasted, name);
  if (name === undefined) throw usageError('`signalbox servers add` needs a name.', 'It was not given.', 'Run `signalbox help servers`.');
  const entry = entryOf(context, command);
  const client = await context.connect();
  const answer = await client.call('servers/add', { name, entry, ...(await workspaceRef(context, client)) });
  context.result(answer, `Added \`${answer.name}\` to ${answer.file}.`);
  return 0;
}

/** `signalbox servers scan [NAME …] [--add]`: what other clients on this machine use; with names and `--add`, added. */
export async function scanServers(context: CommandContext, names: readonly string[]): Promise<number> {
  const scan = scanClients(WIRABLE_CLIENTS, wiringEnvironment(context));
  const wanted = names.length === 0 ? scan.servers : scan.servers.filter(({ name }) => names.includes(name));
  const missing = names.find((name) => !scan.servers.some((server) => server.name === name));
  if (missing !== undefined)
    throw usageError(
      `No client has a server \`${missing}\`.`,
      `There are: ${scan.servers.map(({ name }) => name).join(', ') || 'none'}.`,
      'Run `signalbox servers scan` to see them.',
    );
  if (context.flags.on('add')) return addAll(context, wanted);
  context.result({ ...scan, servers: wanted }, () => {
    if (wanted.length === 0) return 'No other client on this machine has a server configured.';
    return table(
      wanted.map(({ name, entry, from }) => [
        name,
        String(entry['url'] ?? [entry['command'], ...((entry['args'] as unknown[] | undefined) ?? [])].join(' ')),
        [...new Set(from.map(({ client }) => client))].join(', '),
      ]),
    );
  });
  if (!context.json) for (const { code, message } of scan.skipped) context.note(`${code}: ${message}`);
  return 0;
}

async function paste(context: CommandContext, given: string, name: string | undefined): Promise<number> {
  positionals('servers add --paste', name === undefined ? [] : [name], ['a name?']);
  const found = pastedServers(given === '-' ? await context.readInput() : given);
  if (name !== undefined && found.length > 1)
    throw usageError(
      `There are ${found.length} servers in the pasted text.`,
      'One name was given for all of them.',
      'Leave the name out; each has its own.',
    );
  return addAll(
    context,
    found.map((server) => ({ name: name ?? server.name, entry: ownEntry(server.entry) })),
  );
}

/** Our configuration takes what Claude Code and VS Code write; what others write is put into its words. */
function ownEntry(entry: Record<string, unknown>): Record<string, unknown> {
  const known = ['command', 'url', 'plugin'].some((key) => typeof entry[key] === 'string');
  return known && entry['type'] !== 'local' && entry['source'] === undefined ? entry : (foreignEntry(entry) ?? entry);
}

/** Adds what can be added and names what cannot; exit code 1 when nothing could be. */
async function addAll(context: CommandContext, servers: readonly { name: string; entry: Record<string, unknown> }[]): Promise<number> {
  const client = await context.connect();
  const workspace = await workspaceRef(context, client);
  const added: Added[] = [];
  let last: unknown;
  for (const { name, entry } of servers) {
    try {
      added.push(await addOne(client, name, entry, workspace));
    } catch (error) {
      last = error;
      if (!context.json) context.note(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (added.length === 0 && last !== undefined) throw last;
  context.result({ added }, () => added.map(({ name, file }) => `Added \`${name}\` to ${file}.`).join('\n'));
  return 0;
}

function addOne(client: ControlClient, name: string, entry: Record<string, unknown>, workspace: { workspace?: string }): Promise<Added> {
  return client.call('servers/add', { name, entry, ...workspace });
}

function entryOf({ flags }: CommandContext, [command, ...args]: readonly string[]): Record<string, unknown> {
  const [url, plugin, text] = [flags.text('url'), flags.text('plugin'), flags.text('entry')];
  const forms = [command, url, plugin, text].filter((form) => form !== undefined);
  if (forms.length !== 1)
    throw usageError(
      'A server is a command, a URL, a plugin or an entry.',
      forms.length === 0 ? 'None was given.' : 'More than one was given.',
      'Give exactly one; `signalbox help servers` has examples.',
    );
  if (url !== undefined) return { type: 'http', url };
  if (plugin !== undefined) return { plugin };
  if (command !== undefined) return { type: 'stdio', command, args };
  return jsonObject('--entry', text ?? '');
}
