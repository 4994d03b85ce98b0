/** `signalbox trust`: lets a workspace file do something, after showing what. */
import { positionals, usageError } from './arguments.ts';
import type { Command } from './command.ts';
import { existingFolder } from './target.ts';

/** `signalbox trust`. */
export const trustCommand: Command = {
  name: 'trust',
  summary: 'Show what a workspace file would run, and trust it',
  usage: ['signalbox trust [DIR] [--yes]', 'signalbox trust [DIR] --revoke'],
  options: {
    yes: { type: 'boolean', short: 'y', summary: 'trust without asking' },
    revoke: { type: 'boolean', summary: 'trust it no longer' },
  },
  details: [
    'DIR is the working directory unless told. A file .signalbox/config.jsonc in it does nothing at all until it is trusted.\nThe trust is for its content as it is now; a changed file has to be trusted again.',
  ],
  async run(context) {
    const [given] = positionals('trust', context.args, ['a folder?']);
    const folder = existingFolder(context.cwd, given ?? '.');
    const client = await context.connect();
    if (context.flags.on('revoke')) {
      const info = await client.call('workspace/trust', { folder, trusted: false });
      context.result(info, `${info.folder} is no longer trusted; its servers are stopped.`);
      return 0;
    }
    const { preview, ...info } = await client.call('workspace/open', { folder });
    if (info.trust === 'none') {
      context.result({ ...info, preview }, `${info.folder} has no .signalbox/config.jsonc: there is nothing to trust.`);
      return 0;
    }
    if (info.trust === 'trusted') {
      context.result({ ...info, preview }, `${info.folder} is trusted.`);
      return 0;
    }
    const reason = info.trust === 'changed' ? ' It was trusted before and has changed.' : '';
    context.note(`${info.folder}/.signalbox/config.jsonc is not trusted.${reason} It would:`);
    for (const line of preview) context.note(`  ${line}`);
    if (!context.flags.on('yes') && !(await context.confirm('Trust it?'))) {
      if (context.stdin.isTTY === true) {
        context.result({ ...info, preview }, 'Not trusted; nothing was changed.');
        return 1;
      }
      throw usageError(
        'Nobody can be asked whether to trust it.',
        'Standard input is not a terminal.',
        'Read the list above, then add --yes.',
      );
    }
    const trusted = await client.call('workspace/trust', { folder, trusted: true });
    context.result({ ...trusted, preview }, `${trusted.folder} is trusted.`);
    return 0;
  },
};
