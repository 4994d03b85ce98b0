/** `signalbox clients`: who may use which endpoint. */
import { onlyArgument, positionals, verbOf } from './arguments.ts';
import type { Command } from './command.ts';
import { table } from './table.ts';
import { TARGET_OPTIONS, WORKSPACE_OPTION, workspaceRef } from './target.ts';

/** `signalbox clients`. */
export const clientsCommand: Command = {
  name: 'clients',
  summary: 'List client credentials, show one, or revoke it',
  usage: [
    'signalbox clients [list]',
    'signalbox clients token CLIENT [--endpoint NAME] [--rotate]',
    'signalbox clients revoke CLIENT [--endpoint NAME]',
  ],
  options: {
    endpoint: TARGET_OPTIONS.endpoint,
    workspace: WORKSPACE_OPTION,
    rotate: { type: 'boolean', summary: 'token: replace it; the old one stops working' },
  },
  details: ['`token` prints the URL and the bearer token for a client that connects over HTTP; it creates them at the first call.'],
  async run(context) {
    const [verb, rest] = verbOf('clients', context.args, ['list', 'token', 'revoke'] as const, 'list');
    if (verb === 'list') {
      positionals('clients list', rest, []);
      const client = await context.connect();
      const answer = await client.call('clients/list', {});
      const rows = answer.clients.map(({ client: name, endpoint, workspace, createdAt, lastUsedAt }) => [
        name,
        workspace === undefined ? endpoint : `${workspace}/${endpoint}`,
        `created ${createdAt}`,
        lastUsedAt === undefined ? 'never used' : `last used ${lastUsedAt}`,
      ]);
      context.result(answer, () => (rows.length === 0 ? 'No clients have a credential.' : table(rows)));
      return 0;
    }
    const name = onlyArgument(`clients ${verb}`, rest, "the client's name");
    const client = await context.connect();
    const endpoint = context.flags.text('endpoint');
    const params = { client: name, ...(endpoint === undefined ? {} : { endpoint }), ...(await workspaceRef(context, client)) };
    if (verb === 'token') {
      const answer = await client.call('clients/token', context.flags.on('rotate') ? { ...params, rotate: true } : params);
      context.result(answer, `${answer.url}\nAuthorization: Bearer ${answer.token}`);
      return 0;
    }
    const answer = await client.call('clients/revoke', params);
    context.result(answer, answer.revoked === 0 ? `\`${name}\` had no such credential.` : `Revoked ${answer.revoked} of \`${name}\`.`);
    return answer.revoked === 0 ? 1 : 0;
  },
};
