/** `signalbox faults`: puts faults into live calls, for a while. */
import type { FaultInfo } from '../api/faults.ts';
import { faultRule } from '../sessions/replay-server/rules.ts';
import { positionals, usageError } from './arguments.ts';
import type { Command, CommandContext } from './command.ts';
import { table } from './table.ts';

/** `signalbox faults`. */
export const faultsCommand: Command = {
  name: 'faults',
  summary: 'Put faults into live calls on purpose, for a while',
  usage: ['signalbox faults set RULE [--minutes N]', 'signalbox faults list', 'signalbox faults clear [ID]'],
  options: { minutes: { type: 'string', value: 'N', summary: 'set: how long it holds; default 60, at most 1440' } },
  details: [
    'RULE is a kind and its settings, latency,ms=200,tool=query, or the same as a JSON object.\n' +
      'latency: the answer comes ms later. drop: the answer is lost (lose=request: the request). error: answered with an error (code, message), the server never hears of it. truncate: the answer is cut off (after bytes). disconnect: the connection breaks.',
    "Conditions: server, method, tool (the server's own name, or a URI), each with * for any characters; nth=3 (only the third), probability=0.1 with seed=7, times=2 (then it is spent). All of them must hold. The handshake is spared unless method names it.",
    '`signalbox status` shows faults as long as there are any. They end with the daemon; nothing is written to a file. `faults` in the entry of a server of your own configuration lasts.',
  ],
  examples: [
    'signalbox faults set latency,ms=2000,server=github',
    'signalbox faults set error,tool=query,nth=3 --minutes 5',
    'signalbox faults clear',
  ],
  async run(context) {
    const [verb, ...rest] = context.args;
    if (verb === 'set') return set(context, rest);
    if (verb === 'list') return list(context, rest);
    if (verb === 'clear') return clear(context, rest);
    throw usageError(
      verb === undefined ? '`signalbox faults` needs a verb.' : `There is no \`signalbox faults ${verb}\`.`,
      'It is set, list or clear.',
      'Run `signalbox help faults`.',
    );
  },
};

async function set(context: CommandContext, args: readonly string[]): Promise<number> {
  const [text = ''] = positionals('faults set', args, ['a rule']);
  const given = context.flags.text('minutes');
  const minutes = given === undefined ? undefined : Number(given);
  if (minutes !== undefined && !(minutes > 0))
    throw usageError(`\`--minutes ${given}\` is no time.`, 'It is a number above 0.', 'Leave it out for 60.');
  // Checked here too, so that a mistake is found without a daemon.
  const rule = { ...faultRule(text) };
  const client = await context.connect();
  const info = await client.call('faults/set', { rule, ...(minutes === undefined ? {} : { minutes }) });
  context.result(
    info,
    () => `${rowOf(info).join('  ')}\nIt ends at ${info.until}, with the daemon, or with \`signalbox faults clear ${info.id}\`.`,
  );
  return 0;
}

async function list(context: CommandContext, args: readonly string[]): Promise<number> {
  positionals('faults list', args, []);
  const client = await context.connect();
  const { faults } = await client.call('faults/list', {});
  context.result(faults, () => (faults.length === 0 ? 'No faults: calls are as they are.' : table(faults.map(rowOf))));
  return 0;
}

async function clear(context: CommandContext, args: readonly string[]): Promise<number> {
  const [id] = positionals('faults clear', args, ['an id?']);
  const client = await context.connect();
  const result = await client.call('faults/clear', id === undefined ? {} : { id });
  context.result(result, () => (result.cleared === 0 ? 'There was nothing to clear.' : `${result.cleared} cleared.`));
  return id !== undefined && result.cleared === 0 ? 1 : 0;
}

function rowOf({ id, rule, from, seen, made, until }: FaultInfo): string[] {
  return [
    id,
    JSON.stringify(rule),
    `${made} of ${seen} requests that fitted`,
    from === 'set' ? `until ${until}` : 'from the configuration',
  ];
}
