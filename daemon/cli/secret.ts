/** `signalbox secret`: values for `${secret:NAME}`, kept by the daemon and never on a command line. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { onlyArgument, positionals, usageError, verbOf } from './arguments.ts';
import type { Command, CommandContext } from './command.ts';
import { table } from './table.ts';
import { WORKSPACE_OPTION, workspaceRef } from './target.ts';

/** `signalbox secret`. */
export const secretCommand: Command = {
  name: 'secret',
  summary: 'Set, list, grant or remove secrets',
  usage: [
    'signalbox secret set NAME        (the value comes from standard input)',
    'signalbox secret list',
    'signalbox secret grant NAME SERVER',
    'signalbox secret rm NAME',
  ],
  options: { workspace: WORKSPACE_OPTION },
  details: [
    'A configuration uses it as ${secret:NAME}. Servers of your own file get it by naming it; those of a workspace only once it was granted to them.',
  ],
  examples: ['signalbox secret set github < token.txt', 'signalbox secret grant github github'],
  async run(context) {
    const [verb, rest] = verbOf('secret', context.args, ['set', 'list', 'grant', 'rm'] as const);
    switch (verb) {
      case 'list':
        return list(context, rest);
      case 'set': {
        const name = onlyArgument('secret set', rest, 'a name');
        const value = await secretValue(context, name);
        await (await context.connect()).call('secrets/set', { name, value });
        context.result({ name, set: true }, `Set \`${name}\`. Let a server use it: \`signalbox secret grant ${name} SERVER\`.`);
        return 0;
      }
      case 'grant': {
        const [name = '', server = ''] = positionals('secret grant', rest, ['a name', 'a server']);
        const client = await context.connect();
        await client.call('secrets/grant', { name, server, ...(await workspaceRef(context, client)) });
        context.result({ name, server, granted: true }, `The server \`${server}\` may use \`${name}\`.`);
        return 0;
      }
      case 'rm': {
        const name = onlyArgument('secret rm', rest, 'a name');
        const { removed } = await (await context.connect()).call('secrets/remove', { name });
        context.result({ name, removed }, removed ? `Removed \`${name}\`.` : `There is no secret \`${name}\`.`);
        return removed ? 0 : 1;
      }
    }
  },
};

async function list(context: CommandContext, rest: readonly string[]): Promise<number> {
  positionals('secret list', rest, []);
  const answer = await (await context.connect()).call('secrets/list', {});
  const rows = answer.secrets.map(({ name, grants }) => [
    name,
    grants.length === 0 ? 'granted to no workspace' : `granted to ${grants.join(', ')}`,
  ]);
  context.result(answer, () => (rows.length === 0 ? 'No secrets.' : table(rows)));
  return 0;
}

/** The value from a pipe without its last newline, or typed on a terminal without showing. Throws SBX_USAGE when it is empty. */
async function secretValue(context: CommandContext, name: string): Promise<string> {
  const value = context.stdin.isTTY === true ? await typed(context, name) : (await context.readInput()).replace(/\r?\n$/, '');
  if (value === '')
    throw usageError(`The secret \`${name}\` is empty.`, 'Standard input held nothing.', `echo VALUE | signalbox secret set ${name}`);
  return value;
}

async function typed(context: CommandContext, name: string): Promise<string> {
  context.stderr.write(`Value of ${name} (it does not show): `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: context.stdin, output: silent, terminal: true });
  try {
    return await lines.question('', { signal: context.signal });
  } finally {
    lines.close();
    context.stderr.write('\n');
  }
}
