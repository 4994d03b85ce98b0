/** `signalbox status`: the whole picture. */
import type { DaemonStatus, ServerStatus } from '../api/control.ts';
import { positionals } from './arguments.ts';
import type { Command } from './command.ts';
import { errorText } from './program.ts';
import { table } from './table.ts';

/** `signalbox status`. */
export const statusCommand: Command = {
  name: 'status',
  summary: 'Show the daemon, its endpoints and its servers',
  usage: ['signalbox status'],
  options: {},
  async run(context) {
    positionals('status', context.args, []);
    const client = await context.connect();
    const status = await client.call('status', {});
    context.result(status, () => statusText(status));
    return 0;
  },
};

/** The picture for a person. */
export function statusText(status: DaemonStatus): string {
  const facts = [
    ['running', `pid ${status.pid}, port ${status.port}, since ${status.startedAt}, Node ${status.node}`],
    ['configuration', status.configFile],
    ['state', status.stateDir],
    ...(status.portNote === undefined ? [] : [['note', status.portNote]]),
  ];
  const parts = [`Signalbox ${status.version}\n${table(facts, { indent: 2 })}`, endpointsText(status), serversText(status.servers)];
  if (status.faults !== undefined)
    parts.push(
      `FAULTS ARE PUT INTO CALLS ON PURPOSE (\`signalbox faults clear\`)\n${table(
        status.faults.map(({ id, rule, made, until }) => [
          id,
          JSON.stringify(rule),
          `${made} so far`,
          until === undefined ? 'configuration' : `until ${until}`,
        ]),
        { indent: 2 },
      )}`,
    );
  if (status.replays !== undefined)
    parts.push(
      `Recordings served\n${table(
        status.replays.map(({ id, recording, url }) => [id, recording, url]),
        { indent: 2 },
      )}`,
    );
  if (status.workspaces.length > 0)
    parts.push(
      `Workspaces\n${table(
        status.workspaces.map(({ id, trust, folder }) => [id, trust, folder]),
        { indent: 2 },
      )}`,
    );
  if (status.problems.length > 0)
    parts.push(
      `Configuration problems\n${status.problems.map(({ file, line, column, code, message, fix }) => `  ${file}:${line}:${column} ${code}: ${message}\n    fix: ${fix}`).join('\n')}`,
    );
  return parts.join('\n\n');
}

/** The endpoints with what they serve. */
export function endpointsText({ endpoints }: Pick<DaemonStatus, 'endpoints'>): string {
  const rows = endpoints.map(({ name, url, servers }) => [name, url, servers.join(', ')]);
  return rows.length === 0 ? 'No endpoints.' : `Endpoints\n${table(rows, { indent: 2 })}`;
}

/** The servers, one a line; the reason of one that is down, and what is wrong with one that works, stand below it. */
export function serversText(servers: readonly ServerStatus[]): string {
  if (servers.length === 0) return 'No servers.';
  const rows = servers.map(({ name, alias, workspace, kind, state, asking, tools, resources, prompts, connections }) => [
    name,
    alias === name || alias === '' ? '' : `as ${alias}`,
    kind,
    asking === undefined ? state : `${state}, asking`,
    `${tools} tools, ${resources} resources, ${prompts} prompts${connectionsOf(connections)}`,
    workspace ?? '',
  ]);
  const lines = table(rows, { indent: 2 }).split('\n');
  const told = lines.flatMap((line, index) => {
    const { reason, problems = [] } = servers[index] ?? {};
    const shapes = reason === undefined ? problems : [reason, ...problems];
    return [
      line,
      ...shapes.map((shape) => `      ${errorText({ ...shape, code: shape.code as 'SBX_INTERNAL' }).replaceAll('\n', '\n    ')}`),
    ];
  });
  return `Servers\n${told.join('\n')}`;
}

function connectionsOf(connections: DaemonStatus['servers'][number]['connections']): string {
  if (connections === undefined) return '';
  const { shared, own } = connections;
  return own === 0 ? `, ${shared} connections` : `, ${shared} shared connections, ${own} of single clients`;
}
