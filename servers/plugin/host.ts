/**
 * Serves one plugin over stdio, both eras: `node host <plugin folder> [--settings-fd 3] [--audit-fd 4] [--workspace-folder DIR] [flags]`.
 * Exit codes: 0 the client ended, 1 the plugin crashed, 2 wrong manifest, settings or usage (one readable message on standard error).
 */
import { closeSync, createReadStream, realpathSync, statSync, writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { ERROR_CODES, type ErrorCode, errorShape, SignalboxError } from '../../daemon/api/errors.ts';
import type { PluginManifest } from '../../daemon/api/plugin.ts';
import { setCheckpoint } from './checkpoint.ts';
import { checkCursors } from './checks/cursors.ts';
import { checkInitialization } from './checks/initialization.ts';
import { checkMessages } from './checks/messages.ts';
import { checkParameters } from './checks/parameters.ts';
import { checkVersions } from './checks/versions.ts';
import * as define from './define.ts';
import { type HostOptions, readFlags } from './flags.ts';
import { checkSettings, readManifest } from './manifest.ts';

const API = 'mcp-signalbox/plugin';
const API_URL = 'signalbox:plugin';
const API_GLOBAL = 'mcp-signalbox.plugin-api';
/** `limits.messageBytes` of the daemon by default; the SDK's own 10 MiB would end the connection. */
const MESSAGE_BYTES = 64 * 1024 * 1024;

/**
 * Lets a plugin folder without node_modules import `mcp-signalbox/plugin`. The module is a view of the one already loaded here, so this
 * works from the sources and from one bundled file alike.
 */
function provideApi(): void {
  Object.assign(globalThis, { [Symbol.for(API_GLOBAL)]: define });
  const names = Object.keys(define).join(', ');
  const source = `export const { ${names} } = globalThis[Symbol.for(${JSON.stringify(API_GLOBAL)})];`;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === API ? { url: API_URL, format: 'module', shortCircuit: true } : next(specifier, context),
    load: (url, context, next) => (url === API_URL ? { format: 'module', source, shortCircuit: true } : next(url, context)),
  });
}

/** Standard output carries the protocol and nothing else: everything a plugin prints goes to standard error. */
function claimStdout(): Writable {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  // The console of a file-backed standard output writes past `write`; replace its methods too.
  for (const name of ['log', 'info', 'debug', 'dir', 'table'] as const) console[name] = (...items: unknown[]) => console.error(...items);
  const protocol = new Writable({
    decodeStrings: false,
    write: (chunk: string | Uint8Array, _encoding, done) => {
      write(chunk, (error) => done(error));
    },
  });
  process.stdout.on('error', (error) => protocol.destroy(error));
  return protocol;
}

async function readSettings(manifest: PluginManifest, options: HostOptions): Promise<Readonly<Record<string, unknown>>> {
  if (options.settingsFd === undefined) return checkSettings(manifest, options.settings);
  let document: unknown;
  try {
    document = JSON.parse(await text(createReadStream('', { fd: options.settingsFd })));
  } catch (cause) {
    throw new SignalboxError('SBX_PLUGIN_SETTINGS', `The settings of plugin ${manifest.name} could not be read.`, {
      why: `Descriptor ${options.settingsFd} holds no JSON document: ${cause instanceof Error ? cause.message : String(cause)}`,
      fix: 'Write one JSON object to that descriptor and close it, or leave out --settings-fd and use the flags.',
      cause,
    });
  }
  return checkSettings(
    manifest,
    typeof document === 'object' && document !== null && !Array.isArray(document) ? { ...document, ...options.settings } : document,
  );
}

function auditSink(manifest: PluginManifest, fd: number | undefined): define.PluginContext['audit'] {
  return (line) => {
    const entry = `${JSON.stringify({ time: new Date().toISOString(), plugin: manifest.name, ...line })}\n`;
    if (fd !== undefined) {
      try {
        writeSync(fd, entry);
        return;
      } catch {
        // The reader is gone: the line must not be lost, so it goes to standard error below.
      }
    }
    process.stderr.write(entry);
  };
}

async function loadPlugin(folder: string, manifest: PluginManifest): Promise<define.Plugin<unknown>> {
  const file = join(folder, manifest.main);
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await import(pathToFileURL(file).href)) as { readonly default?: unknown };
  } catch (cause) {
    const missing = statSync(file, { throwIfNoEntry: false }) === undefined;
    throw new SignalboxError(missing ? 'SBX_PLUGIN_MANIFEST' : 'SBX_PLUGIN_CRASHED', `Plugin ${manifest.name} could not be loaded.`, {
      why: missing ? `main: ${file} does not exist.` : cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
      fix: missing ? 'Correct the key `main` of plugin.json.' : `Correct ${file}.`,
      cause,
    });
  }
  if (!define.isPlugin(loaded.default)) {
    throw new SignalboxError('SBX_PLUGIN_MANIFEST', `Plugin ${manifest.name} has no plugin in its main module.`, {
      why: `The default export of ${file} was not made by definePlugin.`,
      fix: `Write \`export default definePlugin({ register(server) { … } })\` with definePlugin from '${API}'.`,
    });
  }
  return loaded.default;
}

async function serve(args: readonly string[]): Promise<void> {
  const protocol = claimStdout();
  const [given, ...rest] = args;
  if (given === undefined || given.startsWith('-')) {
    throw new SignalboxError('SBX_USAGE', 'No plugin folder was given.', {
      why: 'The first argument is the folder that holds plugin.json.',
      fix: 'Run `signalbox serve filesystem --root .` or give a folder.',
    });
  }
  let folder = resolve(given);
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) folder = realpathSync(folder);
  const manifest = readManifest(folder);
  const options = readFlags(manifest, rest);
  const settings = await readSettings(manifest, options);
  provideApi();
  const plugin = await loadPlugin(folder, manifest);
  const context: define.PluginContext = {
    settings,
    baseFolder: options.workspaceFolder ?? process.cwd(),
    audit: auditSink(manifest, options.auditFd),
    log: (message) => process.stderr.write(`${manifest.name}: ${message}\n`),
    ...(options.workspaceFolder === undefined ? {} : { workspaceFolder: options.workspaceFolder }),
  };
  const state = await plugin.open?.(context);
  const transport = new StdioServerTransport(process.stdin, protocol, { maxBufferSize: MESSAGE_BYTES });
  setCheckpoint(transport, [checkVersions, checkInitialization(), checkCursors(manifest.name), checkParameters, checkMessages]);
  const handle = serveStdio(
    async () => {
      const server = new McpServer({ name: manifest.name, title: manifest.title, version: manifest.version });
      await plugin.register(server, context, state);
      return server;
    },
    { transport, onerror: (error) => context.log(error.message) },
  );
  let ending = false;
  const end = async (): Promise<void> => {
    if (ending) return;
    ending = true;
    await handle.close();
    await plugin.close?.(state);
    if (options.auditFd !== undefined) closeSync(options.auditFd);
    process.exit(0);
  };
  // Whatever a plugin holds open (a timer, a socket) must not keep the process after its client has gone.
  process.stdin.once('end', () => void end());
  process.stdin.once('close', () => void end());
  process.once('SIGTERM', () => void end());
  process.once('SIGINT', () => void end());
}

function fail(thrown: unknown): never {
  // By shape, not by class: a bundled plugin carries its own copy of SignalboxError.
  const own = define.isExplained(thrown) && thrown.code in ERROR_CODES;
  const shape = errorShape(
    own
      ? new SignalboxError(thrown.code as ErrorCode, thrown.message, thrown)
      : new SignalboxError('SBX_PLUGIN_CRASHED', 'The plugin crashed.', {
          why: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
          fix: 'Correct the plugin; the stack names the line.',
        }),
  );
  writeSync(2, `${shape.code}: ${shape.message}\n  cause: ${shape.cause}\n  fix: ${shape.fix}\n`);
  process.exit(ERROR_CODES[shape.code]);
}

process.on('uncaughtException', fail);

serve(process.argv.slice(2)).catch(fail);
