/** The filesystem plugin: tools, resources and prompts over folders it cannot leave. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SignalboxError } from '../../daemon/api/errors.ts';
import { definePlugin, helpPrompt } from '../plugin/define.ts';
import { auditQueue } from './audit.ts';
import { followRoots } from './client-roots.ts';
import { registerCompletion } from './completion.ts';
import { type SearchPool, searchPool } from './engines/pool.ts';
import type { Area } from './guard/area.ts';
import { registerPrompts } from './prompts.ts';
import { registerResources } from './resources.ts';
import { openRoots, readSettings, type Settings } from './settings.ts';
import { type Subscriptions, subscriptions } from './subscriptions.ts';
import { registerTool } from './tools/define.ts';
import { directoryTree, getFileInfo, listAllowedDirectories, listDirectory } from './tools/listing.ts';
import { readMediaFile } from './tools/media.ts';
import { copyFile, deleteFile, listDeleted, moveFile, restoreDeleted } from './tools/moving.ts';
import { hashFile, readMultipleFiles, readTextFile } from './tools/reading.ts';
import { findSymbol, searchContent, searchFiles } from './tools/search.ts';
import { watchTool } from './tools/watching.ts';
import { createDirectory, editFile, writeFile } from './tools/writing.ts';

/** Beside this module, with this module's extension: `.ts` in the sources, `.mjs` when packaged. */
const WORKER = new URL(`./search-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

interface Ready {
  readonly pool: SearchPool;
  readonly subscribed: Subscriptions;
  readonly area: Area;
  readonly settings: Settings;
  readonly log: ReturnType<typeof auditQueue>;
}
type State = Ready | { readonly problem: { readonly what: string; readonly fix: string } };

export default definePlugin<State>({
  open(context) {
    const settings = readSettings(context.settings);
    if (settings.roots.length === 0) {
      return {
        problem: {
          what: 'The filesystem server has no folder to show.',
          fix: 'Name a project folder in "roots" of its settings, for example ["${workspaceFolder}"], or run it with --root ./project.',
        },
      };
    }
    try {
      const area = openRoots(settings, context.baseFolder);
      return {
        area,
        settings,
        log: auditQueue(context.audit),
        pool: searchPool(WORKER, () => area.handover()),
        subscribed: subscriptions(area),
      };
    } catch (thrown) {
      // A root that may not be shown: serve nothing, and say why where a person will see it.
      if (!(thrown instanceof SignalboxError) || thrown.code !== 'SBX_FS_ROOT') throw thrown;
      context.log(`${thrown.code}: ${thrown.message} ${thrown.why} ${thrown.fix}`);
      return { problem: { what: `${thrown.message} ${thrown.why} (${thrown.code})`, fix: thrown.fix } };
    }
  },
  register(server, _context, state) {
    if ('problem' in state) {
      helpPrompt(server, 'set-up-files', state.problem);
      return;
    }
    const { area, settings, log, subscribed } = state;
    const follow = settings.clientRoots === 'narrow' ? followRoots(server, area, () => state.pool.renew()) : undefined;
    for (const tool of toolsOf(state)) registerTool(server, tool, log.audit, follow);
    registerResources(server, area, settings.maxFileBytes, subscribed, log.audit, follow);
    registerPrompts(server, area, settings.maxFileBytes, log.audit);
    registerCompletion(server, area, follow);
    subscribed.attach(server);
  },
  async close(state) {
    if ('problem' in state) return;
    await Promise.all([state.pool.close(), state.subscribed.close()]);
    state.log.flush();
    state.area.close();
  },
});

function toolsOf({ area, settings, pool }: Ready): Parameters<typeof registerTool>[1][] {
  const { maxFileBytes, maxCopyBytes, gitignore } = settings;
  const reading = [
    readTextFile(area, maxFileBytes),
    readMultipleFiles(area, maxFileBytes),
    readMediaFile(area, maxFileBytes),
    listAllowedDirectories(area),
    listDirectory(area, { gitignore }),
    directoryTree(area),
    getFileInfo(area),
    hashFile(area),
    searchFiles(area),
    searchContent(area, pool, maxFileBytes),
    findSymbol(area, pool),
    watchTool(area),
  ];
  if (area.roots.every((root) => root.access === 'read')) return reading;
  return [
    ...reading,
    writeFile(area, maxFileBytes),
    editFile(area, maxFileBytes),
    createDirectory(area),
    moveFile(area),
    copyFile(area, maxCopyBytes),
    deleteFile(area),
    listDeleted(area),
    restoreDeleted(area),
  ];
}
