/** The daemon under measurement: the bundle that ships, in folders of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { end } from './processes.ts';
import { post, RawClient, type Target } from './raw-client.ts';

/** `_meta` of every modern request. */
export const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const HELLO = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } };

/** Builds a daemon whose traffic nobody sees: its edges are not handed the tap. */
export const untapped: Plugin = {
  name: 'untapped',
  setup: ({ onLoad }) => {
    onLoad({ filter: /daemon[\\/]main\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const edges = text.match(EDGE)?.length;
      if (edges !== 3) throw new Error(`${path} hands the tap to ${edges} edges, not to 3; this plugin has to learn where.`);
      return { contents: text.replaceAll(EDGE, '$1\n    tap: undefined,'), loader: 'ts' };
    });
  },
};
const EDGE = /((?:serverHost|new EndpointSet|new BridgeServer)\(\{[^}]*?)\n {4}tap,/g;

/** Bundles the command line of a source tree as `npm run build` does; the path of the script to run. */
export async function bundle(root: string, into: string, plugins: readonly Plugin[] = []): Promise<string> {
  mkdirSync(into, { recursive: true });
  const outfile = join(into, 'cli.mjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['daemon/cli/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    logLevel: 'error',
    plugins: [...plugins],
    banner: { js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);" },
  });
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(into, 'package.json'), JSON.stringify({ name, version, build: 'bench', type: 'module' }));
  copyFileSync(join(root, 'daemon', 'config', 'config.schema.json'), join(into, 'config.schema.json'));
  return outfile;
}

/** A daemon with a configuration of its own; may be stopped and started again on the same state. */
export class Daemon {
  readonly #dir: string;
  readonly #script: string;
  readonly #flags: readonly string[];
  #child: ChildProcess | undefined;
  #target: Target | undefined;

  /** @param flags for Node, e.g. `--cpu-prof` */
  constructor(dir: string, script: string, servers: object, flags: readonly string[] = []) {
    this.#dir = dir;
    this.#script = resolve(script);
    this.#flags = flags;
    mkdirSync(join(dir, 'config'), { recursive: true });
    this.configure(servers);
  }

  /** Writes its configuration; to be called before it starts. */
  configure(servers: object): void {
    writeFileSync(join(this.#dir, 'config', 'config.jsonc'), JSON.stringify({ servers }));
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get #env(): NodeJS.ProcessEnv {
    return { ...process.env, SIGNALBOX_STATE_DIR: join(this.#dir, 'state'), SIGNALBOX_CONFIG_DIR: join(this.#dir, 'config') };
  }

  /** Starts it; resolves when it says that it serves. */
  async start(): Promise<void> {
    const args = [...this.#flags, '--disable-warning=ExperimentalWarning', this.#script, 'up', '--foreground', '--json'];
    const child = spawn(process.execPath, args, { env: this.#env, cwd: this.#dir, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    let printed = '';
    await new Promise<void>((serving, failed) => {
      const fail = (why: string): void => failed(new Error(`the daemon ${why}: ${printed}${said}`));
      child.once('exit', (code) => fail(`ended with ${code}`));
      child.stdout.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        if (!printed.trimEnd().endsWith('}')) return; // not all of its status yet
        if (printed.includes('"error": {\n    "code"')) fail('refused');
        else serving();
      });
    });
  }

  /** Ends it; its state stays. */
  async stop(): Promise<void> {
    if (this.#child !== undefined) await end(this.#child);
    this.#child = undefined;
  }

  /** Stops it and removes its folders. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Where a client of the default endpoint posts to, authorized; the same after a restart. */
  async target(): Promise<Target> {
    if (this.#target !== undefined) return this.#target;
    const { url, token } = (await this.command('clients', 'token', 'bench')) as { url: string; token: string };
    const { port, pathname } = new URL(url);
    this.#target = { port: Number(port), path: pathname, headers: { authorization: `Bearer ${token}` } };
    return this.#target;
  }

  /** The headers of a new legacy session. */
  async session(): Promise<Target> {
    return openSession(await this.target());
  }

  /** The headers of modern requests of one method (and name). */
  async modern(method: string, name?: string): Promise<Target> {
    const target = await this.target();
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...(name === undefined ? {} : { 'mcp-name': name }) };
    return { ...target, headers: { ...target.headers, ...headers } };
  }

  /** Runs `signalbox …`; its `--json` answer. */
  async command(...args: string[]): Promise<unknown> {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', this.#script, ...args, '--json'], {
      env: this.#env,
      cwd: this.#dir,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await new Promise((done) => child.on('close', done));
    return JSON.parse(text);
  }
}

/** Initializes a legacy session; the target with its headers. */
export async function openSession(target: Target): Promise<Target> {
  const initialize = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: HELLO });
  const { head } = await ask(target, initialize);
  const session = /\r\nmcp-session-id: (\S+)/.exec(head)?.[1];
  const headers = {
    ...target.headers,
    'mcp-protocol-version': HELLO.protocolVersion,
    ...(session === undefined ? {} : { 'mcp-session-id': session }),
  };
  await ask({ ...target, headers }, '{"jsonrpc":"2.0","method":"notifications/initialized"}');
  return { ...target, headers };
}

/** One request on a connection of its own; the whole answer. */
export async function ask(target: Target, body: string): Promise<{ readonly head: string; readonly text: string }> {
  const client = new RawClient(target.port, true);
  try {
    const { head, body: bytes } = await client.send(post(target, body).bytes);
    return { head, text: bytes.toString() };
  } finally {
    client.close();
  }
}
