/** Installs the packaged .vsix in a fresh profile and uses it as a person does, in the real workbench. Takes the screenshots of the README. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { claudeEnv, findClaude } from './claude.ts';
import { STEPS } from './first-run.ts';
import { freshProfile, type HostPieces, type HostServer, launchBrowser, startServer } from './host.ts';
import { makeScratch, ROOT } from './scratch.ts';
import type { SuiteResult } from './suite/index.ts';

const ARTIFACTS = join(ROOT, 'artifacts', 'editor');
/** Written only on request: a test run must not change committed files. */
const SCREENSHOTS = process.env['SIGNALBOX_SCREENSHOTS'] === undefined ? ARTIFACTS : join(ROOT, 'media', 'screenshots');

/** Packages the extension, installs it, drives it. A step that fails ends the drive and is reported with its screenshot's place. */
export async function runUi(host: HostPieces): Promise<readonly SuiteResult[]> {
  mkdirSync(ARTIFACTS, { recursive: true });
  mkdirSync(SCREENSHOTS, { recursive: true });
  const vsix = process.env['SIGNALBOX_VSIX'] ?? packageExtension();
  const scratch = makeScratch({ faulty: true });
  const claude = claudeEnv(scratch, findClaude());
  const profile = freshProfile({
    'workbench.colorTheme': 'Dark Modern',
    'window.commandCenter': false,
    // Few cases and always the same: the drive shows that a fault is found, not how rare a one.
    'signalbox.conformance.runs': 3,
    'signalbox.conformance.seed': 1,
    'chat.commandCenter.enabled': false,
  });
  const results: SuiteResult[] = [];
  let server: HostServer | undefined;
  let browser: Browser | undefined;
  let page: Page | undefined;
  let step = 'install the .vsix';
  try {
    install(host, profile, vsix);
    results.push({ name: step, state: 'passed' });
    server = await startServer(host, profile, { env: { ...scratch.env, ...claude } });
    browser = await launchBrowser(host);
    const opened = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1.5 })).newPage();
    page = opened;
    opened.setDefaultTimeout(40_000);
    const shot = async (name: string): Promise<void> => void (await opened.screenshot({ path: join(SCREENSHOTS, `${name}.png`) }));
    const drive = { page: opened, scratch, url: server.url, profile, shot };
    for (const [name, { run, skip }] of Object.entries(STEPS)) {
      step = name;
      const reason = skip?.();
      if (reason === undefined) await run(drive);
      results.push(reason === undefined ? { name: `UI: ${name}`, state: 'passed' } : { name: `UI: ${name} (${reason})`, state: 'skipped' });
    }
  } catch (error) {
    await page?.screenshot({ path: join(ARTIFACTS, 'ui-failure.png'), timeout: 5_000 }).catch(() => undefined);
    results.push({
      name: `UI: ${step}`,
      state: 'failed',
      error: `${error instanceof Error ? error.stack : String(error)}\nscreenshot: artifacts/editor/ui-failure.png`,
    });
  } finally {
    await browser?.close().catch(() => undefined);
    await server?.stop();
    await scratch.dispose();
    const left = await leftBehind(scratch.dir);
    if (left.length > 0) results.push({ name: 'UI: no process is left', state: 'failed', error: left.join('\n') });
    else results.push({ name: 'UI: no process is left', state: 'passed' });
    rmSync(profile, { recursive: true, force: true });
  }
  return results;
}

/** Makes the .vsix with the project's own script; SIGNALBOX_VSIX names one that is already there. */
function packageExtension(): string {
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'package.ts')], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return join(ROOT, `mcp-signalbox-${version}.vsix`);
}

function install(host: HostPieces, profile: string, vsix: string): void {
  const cli = [join(host.codeServer, 'out', 'node', 'entry.js'), '--config', join(profile, 'code-server.yaml')];
  const folders = ['--user-data-dir', join(profile, 'data'), '--extensions-dir', join(profile, 'extensions')];
  execFileSync(host.node, [...cli, ...folders, '--install-extension', vsix, '--force'], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Command lines of processes that still have the throw-away user's folder in their environment, after a moment to end. Linux only. */
async function leftBehind(dir: string): Promise<readonly string[]> {
  if (process.platform !== 'linux') return [];
  let left: string[] = [];
  for (let times = 0; times < 50; times++) {
    left = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
      .flatMap((pid) => {
        try {
          if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(dir)) return [];
          return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`;
        } catch {
          return []; // ended meanwhile, or another user's
        }
      });
    if (left.length === 0) return left;
    await new Promise((later) => setTimeout(later, 200));
  }
  return left;
}
