/** The filesystem plugin: a few tools over folders it cannot leave. */
import { resolve } from 'node:path';
import { SignalboxError } from '../../daemon/api/errors.ts';
import { definePlugin, helpPrompt, tool } from '../plugin/define.ts';
import { denyList } from './guard/deny.ts';
import { type Area, openArea } from './guard/roots.ts';
import { getFileInfo, listDirectory, readTextFile } from './tools/reading.ts';
import { searchFiles } from './tools/search.ts';
import { writeFile } from './tools/writing.ts';

interface Settings {
  readonly roots?: readonly string[];
  readonly access?: 'read' | 'write';
  readonly deny?: readonly string[];
  readonly maxFileBytes?: number;
}
type State = { readonly area: Area } | { readonly problem: { readonly what: string; readonly fix: string } };

const DEFAULT_MAX_FILE_BYTES = 10 * 1024 * 1024;

export default definePlugin<State>({
  open({ settings, baseFolder, log }) {
    const { roots = [], deny = [] } = settings as Settings;
    if (roots.length === 0) {
      return {
        problem: {
          what: 'The filesystem server has no folder to show.',
          fix: 'Name a project folder in "roots" of its settings, for example ["${workspaceFolder}"], or run it with --root ./project.',
        },
      };
    }
    try {
      return {
        area: openArea(
          roots.map((root) => resolve(baseFolder, root)),
          denyOf(deny),
        ),
      };
    } catch (thrown) {
      // A root that may not be shown: serve nothing, and say why where a person will see it.
      if (!(thrown instanceof SignalboxError) || thrown.code !== 'SBX_FS_ROOT') throw thrown;
      log(`${thrown.code}: ${thrown.message} ${thrown.why} ${thrown.fix}`);
      return { problem: { what: `${thrown.message} ${thrown.why} (${thrown.code})`, fix: thrown.fix } };
    }
  },
  register(server, { settings, audit }, state) {
    if ('problem' in state) {
      helpPrompt(server, 'set-up-files', state.problem);
      return;
    }
    const { access = 'read', maxFileBytes = DEFAULT_MAX_FILE_BYTES } = settings as Settings;
    tool(server, readTextFile(state.area, maxFileBytes));
    tool(server, listDirectory(state.area));
    tool(server, searchFiles(state.area));
    tool(server, getFileInfo(state.area));
    if (access === 'write') tool(server, writeFile(state.area, audit));
  },
  close(state) {
    if ('area' in state) state.area.close();
  },
});

function denyOf(patterns: readonly string[]): ReturnType<typeof denyList> {
  try {
    return denyList(patterns);
  } catch (cause) {
    throw new SignalboxError('SBX_PLUGIN_SETTINGS', 'A pattern of "deny" cannot be used.', {
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'Write simpler globs in "deny".',
      cause,
    });
  }
}
