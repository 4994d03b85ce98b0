/** `signalbox serve`: a plugin alone over stdio, without the daemon. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SignalboxError } from '../api/errors.ts';
import { nearest } from '../config/suggestion.ts';
import { installation } from '../lifecycle/installation.ts';
import { usageError } from './arguments.ts';
import type { Command } from './command.ts';

/** `signalbox serve`. */
export const serveCommand: Command = {
  name: 'serve',
  summary: 'Serve one plugin alone over stdio, without the daemon',
  usage: ['signalbox serve PLUGIN [the flags of the plugin]'],
  options: {},
  raw: true,
  details: [
    'PLUGIN is a bundled one (filesystem, database, api) or the folder of one of your own.\nEverything behind it goes to the plugin; a wrong flag shows the right ones.',
  ],
  examples: ['signalbox serve filesystem --root .', 'signalbox serve ./my-plugin'],
  async run(context) {
    const [plugin, ...flags] = context.args;
    if (plugin === undefined || plugin.startsWith('-'))
      throw usageError('`signalbox serve` needs a plugin.', 'It was not given.', `Bundled: ${bundledPlugins().join(', ')}.`);
    const folder = pluginFolder(plugin, context.cwd);
    const args = ['--disable-warning=ExperimentalWarning', installation().pluginHost, folder, ...flags];
    const child = spawn(process.execPath, args, { cwd: context.cwd, stdio: 'inherit' });
    // a terminal sends Ctrl-C to both; a supervisor's SIGTERM reaches only us
    context.signal.addEventListener('abort', () => child.kill('SIGTERM'));
    return new Promise((done, fail) => {
      child.once('error', fail);
      child.once('exit', (code) => done(code ?? 1));
    });
  },
};

/** Names of the plugins that come with Signalbox. */
export function bundledPlugins(): readonly string[] {
  const { pluginsDir } = installation();
  return readdirSync(pluginsDir).filter((name) => existsSync(join(pluginsDir, name, 'plugin.json')));
}

function pluginFolder(plugin: string, cwd: string): string {
  if (bundledPlugins().includes(plugin)) return join(installation().pluginsDir, plugin);
  const folder = resolve(cwd, plugin);
  if (existsSync(join(folder, 'plugin.json'))) return folder;
  const meant = nearest(plugin, bundledPlugins());
  throw new SignalboxError('SBX_PLUGIN_NOT_FOUND', `There is no plugin \`${plugin}\`.`, {
    why: `It is not a bundled one (${bundledPlugins().join(', ')}), and ${join(folder, 'plugin.json')} does not exist.`,
    fix: meant === undefined ? 'Give a bundled plugin or the folder of one.' : `Did you mean \`signalbox serve ${meant}\`?`,
  });
}
