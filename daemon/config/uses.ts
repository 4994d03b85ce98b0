import type { ConfigProblem } from '../api/config.ts';
import type { LoadedConfig } from './file.ts';
import type { MergedServer } from './merged-config.ts';
import { type Need, needsOf, withoutHolder } from './patterns.ts';
import { unknownName } from './unknown-name.ts';

/** How many servers may stand on one another by `fallback`, `chain` and `aggregate`. */
const DEEPEST = 8;

/**
 * Checks that what servers need of one another is there and leads nowhere back. A tool whose step cannot be met is left out, and so is such a fallback.
 * @param user the user's file: what stands there never means a workspace's server
 */
export function checkedUses(
  servers: ReadonlyMap<string, MergedServer>,
  user: LoadedConfig,
): { readonly servers: ReadonlyMap<string, MergedServer>; readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const sound = new Map(servers);
  const refuse = (name: string, need: Need, message: string, fix: string): void => {
    const server = sound.get(name);
    if (server === undefined) return;
    const what = need.tool === undefined ? 'The fallback' : 'The tool';
    const path = [...server.file.serverPath(name), ...need.at];
    problems.push(server.file.problemAt(path, 'SBX_CONFIG_INVALID', `${message} ${what} is left out.`, fix));
    sound.set(name, { ...server, entry: withoutHolder(server.entry, need.holder) });
  };
  for (const [name, { entry, from }] of servers) {
    for (const need of needsOf(entry)) {
      const known = from === 'user' ? user.servers : servers;
      if (servers.has(need.server) && known.has(need.server)) continue;
      const { message, fix } = unknownName(user, [], 'server', need.server, known.keys());
      refuse(name, need, message, fix);
    }
  }
  const heights = new Map<string, number>();
  /** @returns how many servers stand on one another from here down, this one included */
  const walk = (name: string, path: readonly string[]): number => {
    const known = heights.get(name);
    if (known !== undefined) return known;
    let height = 1;
    for (const need of needsOf(servers.get(name)?.entry ?? { command: '' })) {
      const entry = sound.get(name)?.entry;
      // the tool may be out already, for another of its steps
      if (entry === undefined || !needsOf(entry).some(({ at }) => at.join('/') === need.at.join('/'))) continue;
      const way = [...path, need.server];
      const tooDeep = (): void =>
        refuse(name, need, `More than ${DEEPEST} servers stand on one another: ${way.join(' → ')}.`, 'Call the last of them itself.');
      if (path.includes(need.server))
        refuse(
          name,
          need,
          `It leads back to where it began: ${way.slice(way.indexOf(need.server)).join(' → ')}.`,
          'Name a server that does not need this one.',
        );
      else if (way.length > DEEPEST) tooDeep();
      else {
        const below = walk(need.server, way);
        if (path.length + below > DEEPEST) tooDeep();
        else height = Math.max(height, below + 1);
      }
    }
    heights.set(name, height);
    return height;
  };
  for (const name of servers.keys()) walk(name, [name]);
  return { servers: sound, problems };
}
