/** `signalbox servers`: what is configured, and changes to it. */
import type { ControlClient } from '../api/control-client.ts';
import { onlyArgument, positionals, usageError, verbOf } from './arguments.ts';
import type { Command, CommandContext } from './command.ts';
import { addServer, scanServers } from './servers/add.ts';
import { serversText } from './status.ts';
import { WORKSPACE_OPTION, workspaceRef } from './target.ts';

const VERBS = ['list', 'add', 'scan', 'remove', 'enable', 'disable', 'restart', 'accept', 'where', 'logs'] as const;

/** `signalbox servers`. */
export const serversCommand: Command = {
  name: 'servers',
  summary: 'List, add, find, remove, enable, disable or restart servers, accept their changed tools, or read their logs',
  usage: [
    'signalbox servers [list]',
    'signalbox servers add NAME COMMAND [ARG …] | --url URL | --plugin PLUGIN | --entry JSON',
    'signalbox servers add --paste TEXT|-',
    'signalbox servers scan [NAME …] [--add]',
    'signalbox servers remove|enable|disable|restart NAME',
    'signalbox servers accept NAME [TOOL]',
    'signalbox servers where NAME',
    'signalbox servers logs NAME [-n LINES]',
  ],
  options: {
    workspace: WORKSPACE_OPTION,
    url: { type: 'string', value: 'URL', summary: 'add: a Streamable HTTP server' },
    plugin: { type: 'string', value: 'PLUGIN', summary: 'add: a bundled plugin, a folder or a package' },
    entry: { type: 'string', value: 'JSON', summary: 'add: the whole entry, as Claude Code or VS Code write it' },
    paste: { type: 'string', value: 'TEXT', summary: 'add: every server of a copied `mcpServers` block; - for standard input' },
    add: { type: 'boolean', summary: 'scan: add what was found (all, or the named ones) to the configuration' },
    lines: { type: 'string', short: 'n', value: 'LINES', summary: 'logs: how many of the last lines; 50 unless told' },
  },
  details: ['`scan` reads the files of the clients on this machine (Claude Code, VS Code, Cursor, …) and starts nothing.'],
  examples: [
    'signalbox servers add everything -- npx -y @modelcontextprotocol/server-everything',
    'signalbox servers add docs --url https://example.com/mcp',
    'signalbox servers scan --add',
    'signalbox servers add files --entry \'{"plugin": "filesystem", "settings": {"roots": ["/srv/data"]}}\'',
  ],
  async run(context) {
    const [verb, rest] = verbOf('servers', context.args, VERBS, 'list');
    if (verb === 'list') return list(context, rest);
    if (verb === 'add') return addServer(context, rest);
    if (verb === 'scan') return scanServers(context, rest);
    if (verb === 'accept') return accept(context, rest);
    const name = onlyArgument(`servers ${verb}`, rest, "the server's name");
    return change(context, await context.connect(), verb, name);
  },
};

async function list(context: CommandContext, rest: readonly string[]): Promise<number> {
  positionals('servers list', rest, []);
  const client = await context.connect();
  const answer = await client.call('servers/list', await workspaceRef(context, client));
  context.result(answer, () => serversText(answer.servers));
  return 0;
}

async function accept(context: CommandContext, rest: readonly string[]): Promise<number> {
  const [name = '', tool] = positionals('servers accept', rest, ["the server's name", "the server's own name of a tool?"]);
  const client = await context.connect();
  const params = { name, ...(tool === undefined ? {} : { tool }), ...(await workspaceRef(context, client)) };
  const answer = await client.call('servers/accept', params);
  context.result(answer, () =>
    answer.accepted.length === 0
      ? `No tool of \`${name}\` waited to be accepted.`
      : `Accepted ${answer.accepted.map((each) => `\`${each}\``).join(', ')} of \`${name}\` as they are now.`,
  );
  return 0;
}

async function change(
  context: CommandContext,
  client: ControlClient,
  verb: Exclude<(typeof VERBS)[number], 'list' | 'add' | 'scan' | 'accept'>,
  name: string,
): Promise<number> {
  const params = { name, ...(await workspaceRef(context, client)) };
  switch (verb) {
    case 'remove': {
      const { file } = await client.call('servers/remove', params);
      context.result({ name, file }, `Removed \`${name}\` from ${file}.`);
      return 0;
    }
    case 'enable':
    case 'disable': {
      const enabled = verb === 'enable';
      const { file } = await client.call('servers/enable', { ...params, enabled });
      context.result({ name, enabled, file }, `${enabled ? 'Enabled' : 'Disabled'} \`${name}\` in ${file}.`);
      return 0;
    }
    case 'restart':
      await client.call('servers/restart', params);
      context.result({ name, restarted: true }, `Restarted \`${name}\`.`);
      return 0;
    case 'where': {
      const place = await client.call('servers/where', params);
      context.result(place, `${place.file}:${place.line}:${place.column}`);
      return 0;
    }
    case 'logs': {
      const answer = await client.call('servers/logs', { ...params, lines: lineCount(context.flags.text('lines')) });
      context.result(answer, answer.lines.join('\n'));
      return 0;
    }
  }
}

/**
 * How many lines `-n` asks for; 50 unless told.
 * @throws SBX_USAGE when it is not a whole number
 */
export function lineCount(text: string | undefined): number {
  if (text === undefined) return 50;
  if (!/^\d{1,7}$/.test(text))
    throw usageError(`\`-n ${text}\` is not a number of lines.`, 'It must be a whole number.', 'For example `-n 100`.');
  return Number(text);
}
