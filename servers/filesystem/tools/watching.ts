/** watch: waits for changes. */
import { join } from 'node:path';
import { type Change, watchPath } from '../engines/watcher.ts';
import type { Area } from '../guard/area.ts';
import { refused } from '../guard/beneath.ts';
import { type FileTool, input, output, PATH, READ_ONLY } from './define.ts';

const MAX_CHANGES = 1000;
/** After the first change others are waited for so long: a build or a checkout makes many. */
const QUIET_MS = 250;

/** watch */
export function watchTool(area: Area): FileTool {
  return {
    name: 'watch',
    title: 'Wait for changes',
    description:
      'Waits until something beneath a folder is created, changed or deleted, and says what; or until the time is over. ' +
      'For example to see what a build or a person does. To be told about one file again and again subscribe to its resource.',
    input: input([], {
      path: { ...PATH, default: '.', description: `Folder or file. ${PATH.description}` },
      seconds: { type: 'number', minimum: 0.1, maximum: 300, default: 30, description: 'How long to wait at most.' },
      depth: { type: 'integer', minimum: 0, maximum: 32, default: 8, description: 'Levels of folders; 0: only the folder itself.' },
    }),
    output: output(['changes', 'timedOut'], {
      changes: {
        type: 'array',
        items: output(['type', 'path'], { type: { enum: ['created', 'changed', 'deleted'] }, path: { type: 'string' } }),
      },
      timedOut: { type: 'boolean' },
    }),
    annotations: READ_ONLY,
    run: async (args, call) => {
      const located = area.locate(typeof args['path'] === 'string' ? args['path'] : '.', 'read');
      const { root, place } = located;
      call.note({ root: root.path, path: place.path });
      const single = place.stat?.isDirectory() === true ? undefined : located.shown;
      if (single !== undefined && place.stat?.isFile() !== true) {
        place.close();
        throw refused(located.shown, 'It is neither a file nor a folder.', 'Choose another path.');
      }
      // A file is watched through its folder: a save by rename puts another file in its place.
      const folder = single === undefined ? place.path : place.path.split('/').slice(0, -1).join('/');
      place.close();
      const changes = new Map<string, Change>();
      let quiet: NodeJS.Timeout | undefined;
      const { promise: enough, resolve: end } = Promise.withResolvers<'changed' | 'over'>();
      const over = setTimeout(() => end('over'), (typeof args['seconds'] === 'number' ? args['seconds'] : 30) * 1000);
      const depth = single === undefined ? (typeof args['depth'] === 'number' ? args['depth'] : 8) : 0;
      const watcher = watchPath(area, root, join(root.path, folder), { depth }, (change) => {
        if (single !== undefined && change.path !== single) return;
        changes.set(`${change.type} ${change.path}`, change);
        if (changes.size >= MAX_CHANGES) end('changed');
        quiet ??= setTimeout(() => end('changed'), QUIET_MS);
      });
      const onAbort = (): void => end('over');
      call.signal.addEventListener('abort', onAbort, { once: true });
      try {
        await watcher.ready;
        call.progress(0, 'watching');
        const why = await enough;
        call.signal.throwIfAborted();
        const list = [...changes.values()];
        call.note({ changes: list.length });
        const text = list.map(({ type, path }) => `${type} ${path}`).join('\n');
        return { structured: { changes: list, timedOut: why === 'over' }, text: text || 'Nothing changed.' };
      } finally {
        clearTimeout(over);
        clearTimeout(quiet);
        call.signal.removeEventListener('abort', onAbort);
        await watcher.close();
      }
    },
  };
}
