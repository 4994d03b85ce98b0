/** `signalbox wire <client>`: puts Signalbox into a client's configuration, or takes it out again. */
import { nearest } from '../config/suggestion.ts';
import { installLauncher } from '../lifecycle/install.ts';
import { installation } from '../lifecycle/installation.ts';
import type { WirableClient } from '../wiring/client.ts';
import { WIRABLE_CLIENTS } from '../wiring/clients.ts';
import { wiringOf } from '../wiring/entry-wiring.ts';
import type { Scope, UndoResult, Wiring, WiringEnvironment, WiringResult } from '../wiring/wiring.ts';
import { onlyArgument, positionals, usageError } from './arguments.ts';
import type { Command, CommandContext } from './command.ts';
import { wiringEnvironment } from './wire/environment.ts';
import { listClients } from './wire/list.ts';

/** `signalbox wire`. */
export const wireCommand: Command = {
  name: 'wire',
  summary: 'Connect a client (Claude Code, VS Code, Cursor, …) to Signalbox, with a preview, a check and an undo',
  usage: [
    'signalbox wire <client> [--scope user|local|project] [--preview]',
    'signalbox wire <client> [--scope …] --check',
    'signalbox wire <client> [--scope …] --undo [--preview]',
    'signalbox wire --list',
  ],
  options: {
    scope: {
      type: 'string',
      short: 's',
      value: 'SCOPE',
      summary: 'user: everywhere (default); local: this project, only you; project: everyone in it',
    },
    preview: { type: 'boolean', short: 'p', summary: 'show the exact command or the diff and change nothing' },
    check: { type: 'boolean', short: 'c', summary: 'try whether it works: ask the client, or start exactly what was written' },
    undo: { type: 'boolean', summary: 'put back what stood there before' },
    list: { type: 'boolean', short: 'l', summary: 'which clients are installed, wired, and connected now' },
  },
  details: [
    `Clients: ${WIRABLE_CLIENTS.map(({ name }) => name).join(', ')}.`,
    "Only Signalbox's own entry is touched, through the client's own command line where it is Claude Code's. The file is backed up first.",
    'With --check the exit code is 1 when the client does not reach Signalbox.',
  ],
  examples: [
    'signalbox wire --list',
    'signalbox wire claude-code --preview',
    'signalbox wire cursor --scope project',
    'signalbox wire codex --check',
    'signalbox wire claude-code --undo',
  ],
  async run(context) {
    if (context.flags.on('list')) {
      positionals('wire --list', context.args, []);
      return listClients(context, wiringEnvironment(context));
    }
    const client = clientNamed(onlyArgument('wire', context.args, 'a client'));
    const scope = scopeOf(client, context);
    const environment = wiringEnvironment(context);
    const wiring = wiringOf(client, scope, environment);
    const preview = context.flags.on('preview');
    if (context.flags.on('check')) return check(context, client, scope, wiring, environment);
    if (context.flags.on('undo')) await undo(context, client, wiring, preview);
    else if (preview) await showPlan(context, wiring);
    else await write(context, client, scope, wiring);
    return 0;
  },
};

/** One line on a wiring that was taken back. */
export function undoText({ client, scope, file, outcome }: UndoResult): string {
  return outcome === 'restored'
    ? `Took Signalbox out of ${client} (${scope} scope) in ${file}.`
    : `Signalbox was not in ${file} any more (${client}, ${scope} scope).`;
}

function clientNamed(name: string): WirableClient {
  const names = WIRABLE_CLIENTS.map((client) => client.name);
  const found = WIRABLE_CLIENTS.find((client) => client.name === name);
  if (found !== undefined) return found;
  const meant = nearest(name, names);
  throw usageError(
    `Signalbox cannot wire a client named \`${name}\`.`,
    `It knows ${names.join(', ')}.`,
    meant === undefined ? 'Give one of these names.' : `Did you mean \`signalbox wire ${meant}\`?`,
  );
}

function scopeOf({ name, scopes }: WirableClient, { flags }: CommandContext): Scope {
  const given = flags.text('scope');
  const [fallback] = scopes;
  const scope = given === undefined ? fallback : scopes.find((candidate) => candidate === given);
  if (scope !== undefined) return scope;
  throw usageError(`${name} has no scope \`${given}\`.`, `It has ${scopes.join(', ')}.`, 'Give one of these with --scope.');
}

async function check(
  context: CommandContext,
  client: WirableClient,
  scope: Scope,
  wiring: Wiring,
  environment: WiringEnvironment,
): Promise<number> {
  // The SDK's client is loaded for this alone.
  const { checkWiring } = await import('../wiring/check.ts');
  const result = await checkWiring(client, scope, wiring, environment);
  context.result(result, () => `${client.title} ${result.ok ? 'reaches' : 'does not reach'} Signalbox: ${result.said}`);
  return result.ok ? 0 : 1;
}

async function showPlan(context: CommandContext, wiring: Wiring): Promise<void> {
  const plan = await wiring.preview();
  context.result(plan, () => {
    if (plan.method === 'none') return `Already wired: ${plan.file}`;
    return plan.method === 'command'
      ? `Would run:\n${plan.command}\nwhich writes ${plan.file}`
      : `Would change ${plan.file}:\n${plan.diff}`;
  });
}

async function write(context: CommandContext, client: WirableClient, scope: Scope, wiring: Wiring): Promise<void> {
  // Refused before anything is installed when it cannot be done.
  await wiring.preview();
  // A project's entry goes through npx; the other scopes name the launcher, which must be there when the client starts it.
  if (scope !== 'project') installLauncher({ paths: context.paths, installation: installation() });
  const result = await wiring.write();
  context.result(result, () => writtenText(client, result));
}

function writtenText({ title, next }: WirableClient, result: WiringResult): string {
  const { changed, scope, file, backup } = result;
  if (!changed) return `${title} is wired already (${scope} scope): ${file}`;
  return [
    `Wired ${title} (${scope} scope): ${file}`,
    ...(backup === undefined ? [] : [`The file as it was: ${backup}`]),
    next,
    `Check it with \`signalbox wire ${result.client} --scope ${scope} --check\`.`,
    `Take it back with \`signalbox wire ${result.client} --scope ${scope} --undo\`.`,
  ].join('\n');
}

async function undo(context: CommandContext, client: WirableClient, wiring: Wiring, preview: boolean): Promise<void> {
  const result = await wiring.undo({ preview });
  context.result(result, () => {
    if (!preview) return undoText(result);
    return result.outcome === 'gone'
      ? `${client.title} is not wired any more: ${result.file}`
      : `Would change ${result.file}:\n${result.diff}`;
  });
}
