/** The first-run path: what a person does on the first day, step by step, each on the state the one before left. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Frame, Page } from 'playwright-core';
import { findClaude, runClaude } from './claude.ts';
import type { Scratch } from './scratch.ts';
import { answer, command, openSideBar, pick, quickInput, row, toast, webview } from './workbench.ts';

/** What a step works with. */
export interface Drive {
  readonly page: Page;
  readonly scratch: Scratch;
  readonly url: string;
  /** Folder of VS Code's profile. */
  readonly profile: string;
  /** Takes a picture for the README, or for the artifacts. */
  shot(name: string): Promise<void>;
}

/** A step; `skip` says why it cannot be done on this machine. */
export interface Step {
  readonly run: (drive: Drive) => Promise<void>;
  readonly skip?: () => string | undefined;
}

const noClaude = (): string | undefined =>
  findClaude() === undefined ? 'Claude Code is not installed: test/clients/install.sh' : undefined;

const SERVERS = ['files', 'line', 'points', 'timetable'];
const THEMES = [
  ['Light Modern', 'vscode-light'],
  ['Dark Modern', 'vscode-dark'],
  ['Default High Contrast', 'vscode-high-contrast'],
  ['Default High Contrast Light', 'vscode-high-contrast-light'],
] as const;

/** The steps by name. */
export const STEPS: Readonly<Record<string, Step>> = {
  'the activity bar has the view, and the status bar its item': {
    async run({ page, scratch, url }) {
      await page.goto(`${url}/?folder=${encodeURIComponent(scratch.project)}`);
      await page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'signals.csv' }).waitFor();
      await page.locator('.activitybar a.action-label[aria-label="Signalbox"]').waitFor();
      await page.locator('.statusbar-item', { hasText: 'Signalbox' }).waitFor();
    },
  },
  'opening the view starts the daemon and shows every server ready': {
    async run({ page }) {
      await openSideBar(page);
      for (const name of SERVERS) await row(page, name, 'ready').first().waitFor();
      await page.locator('.statusbar-item', { hasText: `Signalbox ${SERVERS.length}/${SERVERS.length}` }).waitFor();
    },
  },
  'a tool is called from the palette and its result is a document': {
    async run({ page, shot }) {
      await command(page, 'Signalbox: Call a Tool…');
      await quickInput(page).fill('line__query');
      await page.locator('.quick-input-list .monaco-list-row', { hasText: 'line__query' }).first().waitFor();
      await page.keyboard.press('Enter');
      // The form: its first empty required field has the focus, and after it the row that calls.
      await page.locator('.quick-input-list .monaco-list-row', { hasText: 'sql *' }).waitFor();
      await page.keyboard.press('Enter');
      await page.locator('.quick-input-title', { hasText: 'Call Query: sql' }).waitFor();
      await quickInput(page).fill('SELECT * FROM stations');
      await page.keyboard.press('Enter');
      await page.locator('.quick-input-list .monaco-list-row', { hasText: 'SELECT * FROM stations' }).waitFor();
      await page.keyboard.press('Enter');
      await page.locator('.editor-instance .view-line', { hasText: 'Birch' }).first().waitFor();
      await page.mouse.move(700, 500);
      await shot('servers');
    },
  },
  'VS Code lists the endpoint as an MCP server': {
    async run({ page }) {
      await command(page, 'MCP: List Servers');
      await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Signalbox' }).first().waitFor();
      await page.keyboard.press('Escape');
    },
  },
  'traffic shows the call, and what belongs to it at both edges': {
    async run({ page }) {
      await command(page, 'Signalbox: Show Traffic');
      const frame = webview(page);
      const line = frame.getByRole('row').filter({ hasText: 'line__query' }).filter({ hasText: 'ok' }).first();
      await line.click();
      const change = frame.getByLabel('Differences between the edges').locator('li', { hasText: '/params/name' });
      await change.first().waitFor();
      assert.match((await change.first().textContent()) ?? '', /"line__query" → "query"/);
    },
  },
  'Claude Code is connected after the change was shown': {
    skip: noClaude,
    async run({ page, scratch }) {
      await command(page, 'Signalbox: Connect Claude Code…');
      await pick(page, 'everywhere on this machine');
      await answer(page, 'Connect Claude Code to Signalbox as shown?', /^(Run|Write)$/);
      // `claude mcp list` of the real program says so.
      await toast(page, 'Claude Code reaches Signalbox').waitFor({ timeout: 60_000 });
      const written = readFileSync(join(scratch.dir, 'claude', '.claude.json'), 'utf8');
      assert.match(written, /signalbox/);
      await command(page, 'Notifications: Clear All Notifications');
    },
  },
  'the traffic of the real Claude Code is seen and recorded': {
    skip: noClaude,
    async run({ page, scratch, shot }) {
      await command(page, 'Signalbox: Show Traffic');
      const frame = webview(page);
      await frame.getByRole('button', { name: 'Record' }).click();
      await frame.getByRole('button', { name: /^Stop Recording/ }).waitFor();
      const results = await runClaude(scratch, findClaude() ?? '', [
        { tool: { name: 'mcp__signalbox__files__read_text_file', input: { path: 'README.md' } } },
        { tool: { name: 'mcp__signalbox__line__query', input: { connection: 'main', sql: 'SELECT name FROM stations ORDER BY name' } } },
        { text: 'Read.' },
      ]);
      assert.deepEqual(
        results.map(({ isError }) => isError),
        [false, false],
        JSON.stringify(results),
      );
      await frame.getByRole('searchbox', { name: 'Filter' }).fill('client:claude-code');
      // The filter is asked for when the typing rests; a row chosen before that would be gone with the old list.
      await frame.locator('.body .row', { hasText: 'line__query' }).filter({ hasText: 'control' }).first().waitFor({ state: 'detached' });
      const line = frame
        .getByRole('row')
        .filter({ hasText: 'claude-code' })
        .filter({ hasText: 'files__read_text_file' })
        .filter({ hasText: 'ok' });
      const pane = frame.getByText('As the server got it');
      // On a busy machine the list of the new filter may come after the click, and takes the chosen row with it.
      for (let tries = 0; tries < 10 && !(await pane.isVisible()); tries++) {
        await line.first().click();
        await pane.waitFor({ timeout: 3000 }).catch(() => undefined);
      }
      await pane.waitFor();
      await frame.getByLabel('Differences between the edges').first().waitFor();
      assert.equal(await frame.locator('.body .row').filter({ hasText: 'replay' }).count(), 0);
      await shot('traffic');
      await frame.getByRole('searchbox', { name: 'Filter' }).fill('');
      await frame.getByRole('button', { name: /^Stop Recording/ }).click();
      await frame.getByRole('button', { name: 'Record', exact: true }).waitFor();
    },
  },
  'the recording is listed, opened and replayed without a difference': {
    skip: noClaude,
    async run({ page }) {
      await openSideBar(page);
      const recording = row(page, 'frames').first();
      await recording.click();
      await page.locator('.tab', { hasText: 'Recording' }).first().waitFor();
      const frame = webview(page);
      await frame.getByRole('row').filter({ hasText: 'files__read_text_file' }).first().waitFor();
      await command(page, 'Signalbox: Replay Recording Against…');
      await pick(page, 'frames');
      await pick(page, 'default');
      await toast(page, 'answers are the same.').waitFor();
      await command(page, 'Notifications: Clear All Notifications');
    },
  },
  'a changed answer is a difference in the diff editor': {
    skip: noClaude,
    async run({ page, scratch, shot }) {
      appendFileSync(join(scratch.project, 'README.md'), 'Trains run on Sundays, too.\n');
      await command(page, 'Signalbox: Replay Recording Against…');
      await pick(page, 'frames');
      await pick(page, 'default');
      await toast(page, 'Different: 1').waitFor();
      await page.locator('.monaco-diff-editor .view-line', { hasText: 'Trains run on Sundays' }).first().waitFor();
      await shot('replay');
      await command(page, 'Notifications: Clear All Notifications');
    },
  },
  'conformance of a faulty server ends with a counterexample at the line of its source': {
    async run({ page, shot }) {
      await command(page, 'Signalbox: Run Conformance Tests…');
      await pick(page, 'points');
      await toast(page, 'are broken').waitFor({ timeout: 90_000 });
      await answer(page, 'are broken', 'Show in Test Explorer');
      await row(page, 'points').first().waitFor();
      await command(page, 'Test: Peek Output');
      await page.locator('.test-output-peek').waitFor();
      await page.locator('.test-output-peek .monaco-diff-editor').first().waitFor();
      await shot('conformance');
      await page.keyboard.press('Escape');
      await command(page, 'Notifications: Clear All Notifications');
    },
  },
  'after a reload of the window traffic is there again, without a barrier in a light, a dark and both high-contrast themes': {
    async run({ page, profile }) {
      const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
      const file = join(profile, 'data', 'User', 'settings.json');
      for (const [theme, marker] of THEMES) {
        writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), 'workbench.colorTheme': theme }));
        await page.reload();
        // VS Code brings the tab back if it had time to write down that there was one; the command is right in both cases.
        await page.locator('.statusbar-item', { hasText: `Signalbox ${SERVERS.length}/${SERVERS.length}` }).waitFor();
        await command(page, 'Signalbox: Show Traffic');
        const frame = webview(page);
        await frame.locator(`body.${marker}`).waitFor();
        await frame.getByRole('row').filter({ hasText: 'line__query' }).first().click();
        await frame.getByLabel('Differences between the edges').first().waitFor();
        const inner = await frameOf(page);
        await inner.evaluate(axe);
        const violations = await inner.evaluate(
          "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html, failureSummary }) => ({ html, failureSummary })) })))",
        );
        assert.deepEqual(violations, [], theme);
      }
    },
  },
  'stopping the daemon brings the welcome view back': {
    async run({ page }) {
      await openSideBar(page);
      await command(page, 'Signalbox: Stop Daemon');
      await page.locator('.welcome-view-content .monaco-button', { hasText: 'Start Daemon' }).waitFor();
    },
  },
};

/** The frame of the webview's own document. */
async function frameOf(page: Page): Promise<Frame> {
  for (const frame of page.frames()) {
    if (frame.isDetached()) continue;
    if ((await frame.locator('#traffic .grid').count()) > 0) return frame;
  }
  throw new Error(`no traffic page among ${page.frames().length} frames`);
}
