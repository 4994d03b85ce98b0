/** Finds a plugin by what the configuration calls it: a bundled name, a folder, or an npm package. By manifest only, never by import. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { SignalboxError } from '../api/errors.ts';

/**
 * The folder that holds the plugin's `plugin.json`.
 * @param plugin `filesystem`, `./my-plugin`, `/abs/path` or a package name
 * @param bundled folder of the bundled plugins
 * @param base folder relative names and packages are looked up from
 * @throws SBX_PLUGIN_NOT_FOUND
 */
export function pluginFolder(plugin: string, bundled: string, base: string): string {
  const isPath = isAbsolute(plugin) || plugin.startsWith('.');
  const tried: string[] = [];
  const has = (folder: string): boolean => {
    tried.push(folder);
    return existsSync(join(folder, 'plugin.json'));
  };
  if (isPath) {
    const folder = resolve(base, plugin);
    if (has(folder)) return folder;
  } else {
    if (/^[a-z][a-z0-9-]*$/.test(plugin) && has(join(bundled, plugin))) return join(bundled, plugin);
    const packaged = packageFolder(plugin, base);
    if (packaged !== undefined && has(packaged)) return packaged;
  }
  throw new SignalboxError('SBX_PLUGIN_NOT_FOUND', `Plugin "${plugin}" was not found.`, {
    why: `There is no plugin.json in ${tried.length > 0 ? tried.join(' or ') : `any node_modules above ${base}`}.`,
    fix: 'Name a bundled plugin (filesystem, database, api), a folder beginning with ./ or /, or an installed npm package.',
  });
}

function packageFolder(name: string, base: string): string | undefined {
  try {
    return dirname(createRequire(join(base, 'package.json')).resolve(`${name}/plugin.json`));
  } catch {
    return undefined; // not installed there: said by the caller, with where it looked
  }
}
