/** `signalbox read`: a resource of an endpoint. */
import { positionals } from './arguments.ts';
import { contentText } from './call.ts';
import type { Command } from './command.ts';
import { table } from './table.ts';
import { endpointRef, TARGET_OPTIONS } from './target.ts';

/** `signalbox read`. */
export const readCommand: Command = {
  name: 'read',
  summary: 'Read a resource; without a URI, list them',
  usage: ['signalbox read [URI] [--endpoint NAME] [--workspace DIR]'],
  options: TARGET_OPTIONS,
  async run(context) {
    const [uri] = positionals('read', context.args, ['a URI?']);
    const client = await context.connect();
    if (uri === undefined) {
      const answer = await client.call('resources/list', await endpointRef(context, client));
      const rows = answer.resources.map((resource) => [String(resource['uri']), String(resource['title'] ?? resource['name'] ?? '')]);
      context.result(answer, () => (rows.length === 0 ? 'No resources.' : table(rows)));
      return 0;
    }
    const result = await client.call('resources/read', { uri, ...(await endpointRef(context, client)) });
    context.result(result, () => contentText(result['contents']));
    return 0;
  },
};
