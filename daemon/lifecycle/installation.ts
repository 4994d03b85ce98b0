/** Where the running code lives: a source checkout or a packaged `dist`. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SignalboxError } from '../api/errors.ts';

/** The parts of Signalbox on disk. All paths are absolute. */
export interface Installation {
  /** The repository, or the `dist` folder. */
  readonly root: string;
  readonly kind: 'source' | 'dist';
  /** Version of the package. */
  readonly version: string;
  /** Differs between two builds of one version; `source` in a checkout. */
  readonly build: string;
  /** What Node runs to be the command line. */
  readonly cliEntry: string;
  /** What Node runs to serve a plugin over stdio. */
  readonly pluginHost: string;
  /** What Node runs to test a server. */
  readonly conformRunner: string;
  /** Folder of the bundled plugins' folders. */
  readonly pluginsDir: string;
  /** JSON Schema of the configuration. */
  readonly schemaFile: string;
}

/**
 * Finds the installation by climbing from a folder of it.
 *
 * @param from absolute folder; the running code's own unless told
 * @throws SignalboxError `SBX_INTERNAL` when the files around the code are neither a checkout nor a `dist`
 */
export function installation(from: string = import.meta.dirname): Installation {
  for (let root = from; ; root = dirname(root)) {
    const has = (...names: string[]): boolean => existsSync(join(root, ...names));
    if (has('cli.mjs') && has('package.json') && has('config.schema.json')) {
      const { version, build } = packageOf(root);
      return {
        root,
        kind: 'dist',
        version,
        build: build ?? 'unknown',
        cliEntry: join(root, 'cli.mjs'),
        pluginHost: join(root, 'servers', 'plugin', 'host.mjs'),
        conformRunner: join(root, 'conform.mjs'),
        pluginsDir: join(root, 'servers'),
        schemaFile: join(root, 'config.schema.json'),
      };
    }
    if (has('tsconfig.json') && has('daemon', 'lifecycle') && has('servers')) {
      return {
        root,
        kind: 'source',
        version: packageOf(root).version,
        build: 'source',
        cliEntry: join(root, 'daemon', 'cli', 'main.ts'),
        pluginHost: join(root, 'servers', 'plugin', 'host.ts'),
        conformRunner: join(root, 'daemon', 'conformance', 'process', 'main.ts'),
        pluginsDir: join(root, 'servers'),
        schemaFile: join(root, 'daemon', 'config', 'config.schema.json'),
      };
    }
    if (dirname(root) === root) break;
  }
  throw new SignalboxError('SBX_INTERNAL', 'Signalbox cannot find its own files.', {
    why: `Neither a packaged dist nor a source checkout lies around ${from}.`,
    fix: 'Install Signalbox again.',
  });
}

function packageOf(root: string): { version: string; build?: string } {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string; build?: string };
}
