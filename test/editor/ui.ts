/** Installs the packaged .vsix in a fresh profile and uses it as a person does, in the real workbench. Takes the screenshots of the README. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { freshProfile, type HostPieces, type HostServer, launchBrowser, startServer } from './host.ts';
import { makeScratch, ROOT, type Scratch } from './scratch.ts';
import type { SuiteResult } from './suite/index.ts';

const ARTIFACTS = join(ROOT, 'artifacts', 'editor');
/** Written only on request: a test run must not change committed files. */
const SCREENSHOTS = process.env['SIGNALBOX_SCREENSHOTS'] === undefined ? ARTIFACTS : join(ROOT, 'media', 'screenshots');

/** Packages the extension, installs it, drives it. A step that fails ends the drive and is reported with its screenshot's place. */
export async function runUi(host: HostPieces): Promise<readonly SuiteResult[]> {
  mkdirSync(ARTIFACTS, { recursive: true });
  mkdirSync(SCREENSHOTS, { recursive: true });
  const vsix = process.env['SIGNALBOX_VSIX'] ?? packageExtension();
  const scratch = makeScratch();
  const profile = freshProfile({
    'workbench.colorTheme': 'Default Dark Modern',
    'window.commandCenter': false,
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
    server = await startServer(host, profile, { env: scratch.env });
    browser = await launchBrowser(host);
    const opened = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1.5 })).newPage();
    page = opened;
    opened.setDefaultTimeout(20_000);
    for (const [name, run] of Object.entries(STEPS)) {
      step = name;
      await run(opened, scratch, server.url);
      results.push({ name: `UI: ${name}`, state: 'passed' });
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

const STEPS: Readonly<Record<string, (page: Page, scratch: Scratch, url: string) => Promise<void>>> = {
  'the activity bar has the view, and the status bar its item': async (page, scratch, url) => {
    await page.goto(`${url}/?folder=${encodeURIComponent(scratch.project)}`);
    await page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'signals.csv' }).waitFor();
    await page.locator('.activitybar a.action-label[aria-label="Signalbox"]').waitFor();
    await page.locator('.statusbar-item', { hasText: 'Signalbox' }).waitFor();
  },
  'opening the view starts the daemon and shows every server ready': async (page) => {
    await page.locator('.activitybar a.action-label[aria-label="Signalbox"]').click();
    for (const name of ['files', 'line', 'timetable']) await row(page, name, 'ready').waitFor();
    await page.locator('.statusbar-item', { hasText: 'Signalbox 3/3' }).waitFor();
  },
  'servers expand to their tools': async (page) => {
    for (const [name, tool] of [
      ['timetable', 'timetable__'],
      ['line', 'line__'],
      ['files', 'files__'],
    ] as const) {
      // One at a time: the rows of all tools together do not fit, and what is out of sight is not there.
      const twistie = row(page, name, 'ready').locator('.monaco-tl-twistie');
      await twistie.click();
      await row(page, tool).first().waitFor();
      if (name !== 'files') await twistie.click();
    }
  },
  'a tool is called from the palette and its result is a document': async (page) => {
    await command(page, 'Signalbox: Call a Tool…');
    await quickInput(page).fill('line__query');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'line__query' }).first().waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.quick-input-widget', { hasText: 'Arguments as one JSON object' }).waitFor();
    await quickInput(page).fill(JSON.stringify({ connection: 'main', sql: 'SELECT * FROM stations' }));
    await page.keyboard.press('Enter');
    await page.locator('.editor-instance .view-line', { hasText: 'Birch' }).first().waitFor();
    await page.locator('.statusbar-item', { hasText: 'Signalbox 3/3' }).hover();
    await page.mouse.move(700, 500);
    await page.screenshot({ path: join(SCREENSHOTS, 'servers.png') });
  },
  'VS Code lists the endpoint as an MCP server': async (page) => {
    await command(page, 'MCP: List Servers');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Signalbox' }).first().waitFor();
    await page.screenshot({ path: join(ARTIFACTS, 'ui-mcp-servers.png') });
    await page.keyboard.press('Escape');
  },
  'Connect Claude Code shows the change before it writes anything': async (page) => {
    await command(page, 'Signalbox: Connect Claude Code…');
    await page.locator('.tab', { hasText: 'Connect Claude Code' }).waitFor();
    await page.locator('.notifications-toasts .monaco-button', { hasText: 'Write' }).waitFor();
    await page.screenshot({ path: join(ARTIFACTS, 'ui-connect.png') });
    await command(page, 'Notifications: Clear All Notifications');
  },
  'stopping the daemon brings the welcome view back': async (page) => {
    await command(page, 'Signalbox: Stop Daemon');
    await page.locator('.welcome-view-content .monaco-button', { hasText: 'Start Daemon' }).waitFor();
  },
};

/** A row of the Signalbox tree that contains all the words. */
function row(page: Page, ...words: readonly string[]) {
  return words.reduce((rows, word) => rows.filter({ hasText: word }), page.locator('.pane-body .monaco-list-row'));
}

function quickInput(page: Page) {
  return page.locator('.quick-input-widget:visible input[type=text]');
}

/** Runs a command through the palette, as a person does. */
async function command(page: Page, title: string): Promise<void> {
  await page.keyboard.press('F1');
  await quickInput(page).fill(`>${title}`);
  await page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first().waitFor();
  await page.keyboard.press('Enter');
}
