/** The traffic page as it ships, alone in Chromium: a hundred thousand rows, the keyboard, hostile text, its security policy. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { TrafficRow } from '../../daemon/api/sessions.ts';
import type { FromPage, PageState, ToPage } from '../../extension/traffic/messages.ts';
import { trafficPage } from '../../extension/traffic/page.ts';
import { call } from '../unit/extension/traffic/rows.ts';
import { type HostPieces, launchBrowser } from './host.ts';
import { ROOT } from './scratch.ts';
import type { SuiteResult } from './suite/index.ts';

const ORIGIN = 'http://page.test';
/** Rows that may be in the document: a screenful and what is drawn beyond it. */
const MOST_DRAWN = 80;
const BATCH = 2_000;
const MANY = 100_000;

const STATE: PageState = {
  title: 'MCP Traffic',
  live: true,
  query: '',
  problems: [],
  paused: false,
  revealed: false,
  sessions: [],
  more: false,
  content: { query: '' },
};

/** A page, and the extension's half of the conversation. */
interface Drive {
  readonly page: Page;
  readonly heard: FromPage[];
  readonly violations: string[];
  send(message: ToPage): Promise<void>;
  /** Waits until the page has said something of the kind. */
  said<T extends FromPage['type']>(
    type: T,
    fits?: (message: Extract<FromPage, { type: T }>) => boolean,
  ): Promise<Extract<FromPage, { type: T }>>;
}

/** Runs the steps, each in a fresh page. */
export async function runPage(host: HostPieces, only = ''): Promise<readonly SuiteResult[]> {
  const browser = await launchBrowser(host);
  const results: SuiteResult[] = [];
  try {
    for (const [name, step] of Object.entries(STEPS).filter(([each]) => each.includes(only))) {
      const drive = await open(browser);
      try {
        await step(drive);
        assert.deepEqual(drive.violations, [], 'the page keeps to its security policy');
        results.push({ name: `page: ${name}`, state: 'passed' });
      } catch (error) {
        await drive.page.screenshot({ path: join(ROOT, 'artifacts', 'editor', 'page-failure.png') }).catch(() => undefined);
        results.push({ name: `page: ${name}`, state: 'failed', error: error instanceof Error ? (error.stack ?? '') : String(error) });
      } finally {
        await drive.page.close();
      }
    }
  } finally {
    await browser.close();
  }
  return results;
}

async function open(browser: Browser): Promise<Drive> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(20_000);
  const heard: FromPage[] = [];
  const violations: string[] = [];
  const waiting = new Set<() => void>();
  await page.exposeFunction('toExtension', (message: FromPage) => {
    heard.push(message);
    for (const look of waiting) look();
  });
  await page.exposeFunction('violated', (what: string) => violations.push(what));
  await page.addInitScript({
    content: `globalThis.acquireVsCodeApi = () => ({ postMessage: (message) => toExtension(message), setState() {} });
      document.addEventListener('securitypolicyviolation', (event) => violated(event.violatedDirective + ' ' + event.blockedURI));`,
  });
  const uri = (path: string) => ({ path, toString: () => `${ORIGIN}${path}` });
  const vscode = { env: { language: 'en' }, Uri: { joinPath: (_base: unknown, ...parts: string[]) => uri(`/${parts.join('/')}`) } };
  const html = trafficPage(vscode as never, { cspSource: ORIGIN, asWebviewUri: (each: unknown) => each } as never, uri('/') as never);
  await page.route(`${ORIGIN}/**`, (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === '/') return route.fulfill({ contentType: 'text/html', body: html });
    const type = pathname.endsWith('.css') ? 'text/css' : 'text/javascript';
    return route.fulfill({ contentType: type, body: readFileSync(join(ROOT, pathname)) });
  });
  await page.goto(`${ORIGIN}/`);
  const drive: Drive = {
    page,
    heard,
    violations,
    // A string: the tests are compiled without the browser's types.
    send: (message) => page.evaluate(`globalThis.postMessage(${JSON.stringify(message)})`).then(() => undefined),
    said(type, fits = () => true) {
      const find = () => heard.find((message) => message.type === type && fits(message as never)) as never;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`the page did not say ${type}; it said ${JSON.stringify(heard.slice(-5))}`)),
          20_000,
        );
        const look = (): void => {
          const found = find();
          if (found === undefined) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      });
    },
  };
  await drive.said('ready');
  await drive.send({ type: 'state', state: STATE, strings: {} });
  return drive;
}

/** Rows in the document. */
function drawn(page: Page): Promise<number> {
  return page.locator('.body .row').count();
}

async function bring({ send, said }: Drive, batch: number, rows: readonly TrafficRow[], dropped = 0): Promise<void> {
  await send({ type: 'rows', batch, rows, dropped });
  await said('ack', (message) => message.batch === batch);
}

async function counted({ page }: Drive, what: 'rows' | 'dropped', value: number): Promise<void> {
  await page.locator(`.counts[data-${what}="${value}"]`).waitFor();
}

const STEPS: Readonly<Record<string, (drive: Drive) => Promise<void>>> = {
  'a hundred thousand rows are all there, and a screenful is drawn': async (drive) => {
    const { page } = drive;
    await page.getByLabel('Lines').selectOption('frames');
    for (let first = 1, batch = 1; first < MANY; first += BATCH, batch++)
      await bring(drive, batch, Array.from({ length: BATCH / 4 }, (_, index) => call(first + index * 4)).flat());
    await counted(drive, 'rows', MANY);
    assert.equal(await page.locator('.grid').getAttribute('aria-rowcount'), String(MANY + 1));
    // Follows: the last row is in sight.
    await page.locator(`.body .row[data-seq="${MANY}"]`).waitFor();
    assert.ok((await drawn(page)) <= MOST_DRAWN, `${await drawn(page)} rows are drawn`);
    for (const part of [0.5, 0.25, 0]) {
      await page.evaluate(`{ const list = document.querySelector('.grid'); list.scrollTop = Math.floor(list.scrollHeight * ${part}); }`);
      const near = Math.max(1, Math.floor(MANY * part));
      await page.locator(`.body .row[aria-rowindex="${near + 3}"]`).waitFor();
      assert.equal(await page.locator(`.body .row[aria-rowindex="${near + 3}"]`).getAttribute('data-seq'), String(near + 2));
      assert.ok((await drawn(page)) <= MOST_DRAWN);
    }
    // Scrolled away it stays where it is, whatever comes.
    assert.equal(await page.getByRole('button', { name: 'Follow' }).getAttribute('aria-pressed'), 'false');
    await bring(drive, 1_000, call(MANY + 1));
    await counted(drive, 'rows', MANY + 4);
    assert.equal(await page.locator('.body .row[data-seq="1"]').count(), 1);
    await page.getByRole('button', { name: 'Follow' }).click();
    await page.locator(`.body .row[data-seq="${MANY + 4}"]`).waitFor();
  },
  'a thousand frames a second are drawn as they come, none is lost and what was lost is said': async (drive) => {
    const { page } = drive;
    let batch = 0;
    // Twenty seconds' worth at that rate, as fast as the page takes them: the acknowledgements are the only brake.
    for (let first = 1; first <= 20_000; first += 500)
      await bring(drive, ++batch, Array.from({ length: 125 }, (_, index) => call(first + index * 4)).flat());
    await counted(drive, 'rows', 20_000);
    assert.ok((await drawn(page)) <= MOST_DRAWN);
    await page.locator('.body .row[data-seq="19997"]').waitFor();
    assert.deepEqual(
      drive.heard.flatMap((message) => (message.type === 'ack' ? [message.batch] : [])),
      Array.from({ length: batch }, (_, index) => index + 1),
    );
    await bring(drive, ++batch, call(30_001), 42);
    await counted(drive, 'dropped', 42);
    await page.locator('.counts', { hasText: '42 events were lost' }).waitFor();
  },
  'the keyboard reaches every row and the call of it': async (drive) => {
    const { page } = drive;
    await bring(drive, 1, Array.from({ length: 500 }, (_, index) => call(index * 4 + 1)).flat());
    await page.locator('.grid').focus();
    const active = async (): Promise<string | null> => {
      const id = await page.locator('.grid').getAttribute('aria-activedescendant');
      return id === null ? null : page.locator(`#${id}`).getAttribute('data-seq');
    };
    const press = async (key: string, seq: number): Promise<void> => {
      await page.keyboard.press(key);
      await page.locator(`.body .row[data-seq="${seq}"][aria-selected="true"]`).waitFor();
      assert.equal(await active(), String(seq));
    };
    await press('Home', 1);
    await press('ArrowDown', 5);
    await press('ArrowUp', 1);
    await press('End', 1_997);
    await press('Home', 1);
    for (let times = 0; times < 3; times++) await page.keyboard.press('PageDown');
    await page.locator('.body .row[data-seq="1"]').waitFor({ state: 'detached' });
    await press('Home', 1);
    await page.keyboard.press('Enter');
    assert.equal((await drive.said('select')).seq, 1);
    await page.getByRole('heading', { name: 'tools/call · read' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await drive.said('select', ({ seq }) => seq === 5);
    await page.keyboard.press('Control+f');
    await page.keyboard.type('is:error');
    assert.equal((await drive.said('query')).text, 'is:error');
  },
  'both edges of a call stand side by side with what the daemon changed': async (drive) => {
    const { page } = drive;
    const [request, sent, got, answer] = call(1);
    assert.ok(request && sent && got && answer);
    await bring(drive, 1, [request, sent, got, answer]);
    await page.locator('.body .row[data-seq="1"]').click();
    await drive.said('select');
    const params = { name: 'files__read', arguments: { path: 'a' } };
    const result = { content: [{ type: 'text', text: 'x' }] };
    await drive.send({
      type: 'call',
      seq: 1,
      rows: [
        { ...request, message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params } },
        { ...sent, message: { jsonrpc: '2.0', id: 9, method: 'tools/call', params: { ...params, name: 'read' } } },
        { ...got, message: { jsonrpc: '2.0', id: 9, result } },
        { ...answer, message: { jsonrpc: '2.0', id: 1, result } },
      ],
    });
    const changes = page.getByLabel('Differences between the edges');
    await changes.first().waitFor();
    assert.deepEqual(await changes.first().locator('li').allTextContents(), ['/id 1 → 9', '/params/name "files__read" → "read"']);
    assert.deepEqual(await page.locator('figure.left mark').allTextContents(), ['  "id": 1,', '    "name": "files__read",', '  "id": 1,']);
    for (const [name, expected] of [
      ['Open as JSON', { type: 'open', seq: 1 }],
      ['Resend', { type: 'resend', seq: 1, edit: false }],
      ['Edit and Resend…', { type: 'resend', seq: 1, edit: true }],
    ] as const) {
      await page.getByRole('button', { name, exact: true }).click();
      await drive.said(expected.type, (message) => JSON.stringify(message) === JSON.stringify(expected));
    }
    await page.keyboard.press('Escape');
    await page.locator('.details').waitFor({ state: 'hidden' });
  },
  'what servers say is text, whatever it looks like': async (drive) => {
    const { page } = drive;
    const evil = '<img src="https://evil.test/x" onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>';
    const rows = call(1).map((row) => ({ ...row, method: evil, target: evil, client: evil, server: evil }));
    await bring(drive, 1, [...rows, { seq: 9, time: 9, kind: 'stderr', edge: 'server', server: evil, text: evil } as TrafficRow]);
    await drive.send({ type: 'state', state: { ...STATE, title: evil, trouble: evil, recording: evil, problems: [evil] } });
    await page.locator('.body .row[data-seq="1"]').click();
    await drive.send({ type: 'call', seq: 1, rows: rows.map((row) => ({ ...row, message: { [evil]: evil } })) });
    await page.locator('figure').first().waitFor();
    assert.equal(await page.locator('img, #traffic script').count(), 0);
    assert.equal(await page.evaluate('globalThis.hacked'), undefined);
    assert.match((await page.locator('.body .row[data-seq="1"] .target').textContent()) ?? '', /<img/);
  },
  'the controls say what they do': async (drive) => {
    const { page } = drive;
    const session = { id: 's1', client: 'claude-code', endpoint: '/mcp/default', transport: 'bridge', openedAt: '', lastAt: '' } as const;
    const sessions = [{ ...session, frames: 4, calls: 1, errors: 0, dropped: 0, recordings: [] }];
    await drive.send({ type: 'state', state: { ...STATE, sessions } });
    await page.getByLabel('Session').selectOption('s1');
    assert.equal((await drive.said('query')).text, 'session:s1');
    await page.getByRole('button', { name: 'Pause' }).click();
    assert.equal((await drive.said('pause')).paused, true);
    await page.getByRole('button', { name: 'Record' }).click();
    assert.equal((await drive.said('record')).on, true);
    await page.getByRole('button', { name: 'Show Secrets' }).click();
    assert.equal((await drive.said('reveal')).on, true);
    await drive.send({
      type: 'state',
      state: { ...STATE, sessions, revealed: true, paused: true, recording: 'mine', query: 'session:s1' },
    });
    await page.getByRole('alert').filter({ hasText: 'Secrets are shown. Paused' }).waitFor();
    await page.getByRole('button', { name: 'Stop Recording mine' }).click();
    await drive.said('record', ({ on }) => !on);
    // A recording is not live: nothing to follow, pause or reveal.
    await drive.send({ type: 'state', state: { ...STATE, live: false, more: true } });
    await page.getByRole('button', { name: 'Pause' }).waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Load More' }).click();
    await drive.said('more');
  },
};
