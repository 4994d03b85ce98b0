/** Which entries of a tree a search looks at: globs, and the rules of `.gitignore` files. */
import ignoreFactory, { type Ignore as IgnoreRules } from 'ignore';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Area, Located } from '../guard/area.ts';
import type { Place } from '../guard/beneath.ts';
import { readContent } from '../guard/content.ts';
import { compileGlob, type Glob } from '../guard/glob.ts';

const MAX_IGNORE_BYTES = 256 * 1024;

/** Compiles globs. @throws SignalboxError `SBX_FS_PATTERN` */
export function globsOf(patterns: readonly string[]): readonly Glob[] {
  return patterns.map((pattern) => {
    try {
      return compileGlob(pattern);
    } catch (cause) {
      throw new SignalboxError('SBX_FS_PATTERN', 'The glob cannot be used.', {
        why: cause instanceof Error ? cause.message : String(cause),
        fix: 'Give a simpler glob such as "*.ts" (at any depth) or "src/**/*.{ts,js}".',
        cause,
      });
    }
  });
}

/** Whether one of the globs matches. */
export function matchesAny(globs: readonly Glob[], path: string): boolean {
  return globs.some((glob) => glob(path));
}

/** The `.gitignore` files of a walk, from the root down; inner ones win. */
export interface Ignore {
  /** Reads the folder's own `.gitignore`; `leave` forgets it when the folder has been walked. */
  enter(folder: Place): { leave(): void };
  ignores(path: string, folder: boolean): boolean;
}

/** Starts with the rules that stand above the folder of the walk. */
export function ignoreRules(area: Area, start: Located): Ignore {
  const levels: { readonly base: string; readonly rules: IgnoreRules | undefined }[] = [];
  const read = (folder: Place): IgnoreRules | undefined => {
    const place = folder.child('.gitignore');
    if (place === undefined) return undefined;
    try {
      if (place.stat?.isFile() !== true || place.stat.size > MAX_IGNORE_BYTES) return undefined;
      return ignoreFactory({ allowRelativePaths: true }).add(readContent(place, MAX_IGNORE_BYTES).toString('utf8'));
    } catch {
      // Unreadable rules hide nothing; they are a convenience, not a guard.
      return undefined;
    } finally {
      place.close();
    }
  };
  const enter: Ignore['enter'] = (folder) => {
    levels.push({ base: folder.path === '' ? '' : `${folder.path}/`, rules: read(folder) });
    return { leave: () => void levels.pop() };
  };
  const names = start.place.path.split('/').slice(0, -1);
  for (let depth = 0; start.place.path !== '' && depth <= names.length; depth++) {
    let above: Located | undefined;
    try {
      above = area.locate(area.shown(start.root, names.slice(0, depth).join('/')), 'read');
      enter(above.place);
    } catch {
      // Gone since: nothing to ask.
    } finally {
      above?.place.close();
    }
  }
  return {
    enter,
    ignores: (path, folder) => {
      for (let index = levels.length - 1; index >= 0; index--) {
        const level = levels[index];
        if (level?.rules === undefined || !path.startsWith(level.base)) continue;
        const { ignored, unignored } = level.rules.test(`${path.slice(level.base.length)}${folder ? '/' : ''}`);
        if (ignored) return true;
        if (unignored) return false;
      }
      return false;
    },
  };
}
