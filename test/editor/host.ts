/** Starts the VS Code server and a headless Chromium, and runs a test module inside the extension host of a real workbench. */
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

/** The pieces setup.sh installed. */
export interface HostPieces {
  readonly node: string;
  readonly codeServer: string;
  readonly vscode: string;
  readonly chromium: string;
}

/** A running VS Code server. */
export interface HostServer {
  readonly url: string;
  log(): string;
  stop(): Promise<void>;
}

const START_LIMIT_MS = 60_000;

/** What setup.sh installed on this machine, or `undefined`. */
export function findHost(): HostPieces | undefined {
  const cache = process.env['SIGNALBOX_TEST_CACHE'] ?? join(homedir(), '.cache', 'signalbox-test');
  const file = join(cache, 'vscode-host', 'host.json');
  if (!existsSync(file)) return undefined;
  const pieces = JSON.parse(readFileSync(file, 'utf8')) as HostPieces;
  return existsSync(pieces.node) && existsSync(pieces.codeServer) && existsSync(pieces.chromium) ? pieces : undefined;
}

/** A fresh VS Code profile with everything switched off that would cover the window or call home. */
export function freshProfile(settings: Record<string, unknown> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'signalbox-profile-'));
  const user = join(dir, 'data', 'User');
  mkdirSync(user, { recursive: true });
  writeFileSync(
    join(user, 'settings.json'),
    JSON.stringify({
      'workbench.startupEditor': 'none',
      'telemetry.telemetryLevel': 'off',
      'extensions.autoCheckUpdates': false,
      'extensions.autoUpdate': false,
      'extensions.ignoreRecommendations': true,
      'security.workspace.trust.enabled': false,
      'workbench.enableExperiments': false,
      'update.showReleaseNotes': false,
      'git.autofetch': false,
      'window.restoreWindows': 'none',
      'workbench.secondarySideBar.defaultVisibility': 'hidden', // the Chat pane takes the focus
      'chat.agentHost.sessionCatalog.enabled': false,
      ...settings,
    }),
  );
  return dir;
}

/** Starts the server on a free loopback port; resolves when it listens. */
export async function startServer(
  host: HostPieces,
  profile: string,
  options: { args?: readonly string[]; env?: Record<string, string> } = {},
): Promise<HostServer> {
  const args = [
    ...[join(host.vscode, 'out', 'server-main.js'), '--host', '127.0.0.1', '--port', '0', '--without-connection-token'],
    ...['--accept-server-license-terms', '--telemetry-level', 'off', '--disable-workspace-trust', '--server-data-dir', profile],
    ...['--user-data-dir', join(profile, 'data'), '--extensions-dir', join(profile, 'extensions'), ...(options.args ?? [])],
  ];
  // A group of its own: the extension hosts it forks end with it.
  const child = spawn(host.node, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, EXTENSIONS_GALLERY: '{}', ...options.env },
  });
  const kill = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // the whole group is gone
    }
  };
  let log = '';
  const url = await new Promise<string>((done, failed) => {
    const timer = setTimeout(() => failed(new Error(`the VS Code server did not start:\n${log}`)), START_LIMIT_MS);
    const read = (chunk: Buffer): void => {
      log += chunk.toString();
      const port = /Extension host agent listening on (\d+)/.exec(log)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      done(`http://127.0.0.1:${port}`);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('exit', (code) => failed(new Error(`the VS Code server exited with ${code}:\n${log}`)));
  });
  return {
    url,
    log: () => log,
    async stop() {
      if (child.exitCode !== null) return;
      const gone = new Promise((done) => child.once('exit', done));
      kill('SIGTERM');
      const hard = setTimeout(() => kill('SIGKILL'), 3_000);
      await gone;
      clearTimeout(hard);
      kill('SIGKILL');
    },
  };
}

/** Headless Chromium that can reach nothing but loopback. */
export function launchBrowser(host: HostPieces): Promise<Browser> {
  const args = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
  ];
  return chromium.launch({
    executablePath: host.chromium,
    headless: true,
    args: [...args, '--disable-sync', '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'],
  });
}

/** What runs inside the extension host. */
export interface HostRun {
  readonly extension: string;
  /** Module with `run()`, `.cjs`. */
  readonly tests: string;
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly artifacts: string;
  readonly limitMs: number;
}

/** Runs a test module inside the extension host; resolves to its exit code. */
export async function runInHost(host: HostPieces, run: HostRun): Promise<number> {
  mkdirSync(run.artifacts, { recursive: true });
  const console_ = createWriteStream(join(run.artifacts, 'console.log'));
  const profile = freshProfile();
  let server: HostServer | undefined;
  let browser: Browser | undefined;
  let page: Page | undefined;
  try {
    // Without --enable-smoke-test-driver a built workbench ignores the extension paths in the payload.
    server = await startServer(host, profile, { args: ['--enable-smoke-test-driver'], env: run.env });
    browser = await launchBrowser(host);
    page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
    page.on('pageerror', (error) => console_.write(`PAGEERROR ${error.stack}\n`));
    page.on('console', (message) => console_.write(`${message.text()}\n`));
    const exit = exitCode(page, run);
    await page.goto(`${server.url}/?${payload(server.url, run)}`);
    return await exit;
  } catch (error) {
    await page?.screenshot({ path: join(run.artifacts, 'stuck.png'), timeout: 5_000 }).catch(() => undefined);
    throw error;
  } finally {
    await browser?.close().catch(() => undefined);
    await server?.stop();
    if (server !== undefined) writeFileSync(join(run.artifacts, 'server.log'), server.log());
    console_.end();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** The smoke-test driver calls these two functions of the page. */
async function exitCode(page: Page, { artifacts, limitMs }: HostRun): Promise<number> {
  return new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new Error(`no result from the extension host within ${limitMs} ms`)), limitMs);
    page.on('crash', () => failed(new Error('the page crashed')));
    void page.exposeFunction('codeAutomationLog', (_type: string, words: readonly unknown[]) => {
      if (process.env['SIGNALBOX_TEST_VERBOSE'] !== undefined) console.log(...words);
    });
    void page.exposeFunction(
      'codeAutomationExit',
      (code: number, logs: readonly { relativePath: string; contents: string }[] | undefined) => {
        clearTimeout(timer);
        for (const log of logs ?? []) writeFileSync(join(artifacts, `log-${log.relativePath.replaceAll(/[^\w.-]+/g, '_')}`), log.contents);
        done(code);
      },
    );
  });
}

function payload(url: string, { extension, tests, folder, env }: HostRun): URLSearchParams {
  const remote = (path: string): string => `vscode-remote://${new URL(url).host}${encodeURI(resolve(path))}`;
  const entries = [
    ['extensionDevelopmentPath', remote(extension)],
    ['extensionTestsPath', remote(tests)],
    ['extensionEnvironment', JSON.stringify(env)],
  ];
  return new URLSearchParams({ payload: JSON.stringify(entries), folder: resolve(folder) });
}
