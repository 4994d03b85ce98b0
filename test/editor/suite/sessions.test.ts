/** Traffic, recordings and conformance as commands, seen from inside VS Code, against the real daemon. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import type { RecordingInfo, ReplayReport } from '../../../daemon/api/recordings.ts';
import type { SignalboxExtension } from '../../../extension/main.ts';

describe('Sessions in a real extension host', () => {
  let signalbox: SignalboxExtension;
  let dir: string;

  before(async () => {
    const extension = vscode.extensions.getExtension<SignalboxExtension>('signalbox.mcp-signalbox');
    assert.ok(extension, 'the extension is installed');
    signalbox = await extension.activate();
    await vscode.commands.executeCommand('signalbox.startDaemon');
    dir = mkdtempSync(join(tmpdir(), 'signalbox-suite-'));
  });
  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await vscode.commands.executeCommand('signalbox.stopDaemon');
    rmSync(dir, { recursive: true, force: true });
  });

  const call = (sql: string): Promise<unknown> =>
    signalbox.daemon.call('tools/call', { endpoint: 'default', name: 'line__query', arguments: { sql } });

  it('opens live traffic in one tab, however often it is asked', async () => {
    await vscode.commands.executeCommand('signalbox.showTraffic');
    await vscode.commands.executeCommand('signalbox.showTraffic', 'is:error');
    // The extension host hears of a new tab a moment later.
    const tabs = async () =>
      vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter(({ input }) => input instanceof vscode.TabInputWebview);
    assert.equal((await until(tabs, (all) => all.length > 0)).length, 1);
  });

  it('records what passes between start and stop, and lists it', async () => {
    const started = await vscode.commands.executeCommand<RecordingInfo>('signalbox.startRecording', { name: 'suite' });
    assert.equal(started.live, true);
    assert.deepEqual(
      signalbox.sessions.recordings.live.map(({ name }) => name),
      ['suite'],
    );
    await call('SELECT name FROM stations ORDER BY name');
    const stopped = await vscode.commands.executeCommand<RecordingInfo>('signalbox.stopRecording', started);
    assert.equal(stopped.live, false);
    assert.ok(stopped.frames >= 4, `${stopped.frames} frames: request and answer at both edges`);
    assert.deepEqual(signalbox.sessions.recordings.live, []);
    assert.ok(signalbox.sessions.recordings.all.some(({ id }) => id === stopped.id));
  });

  it('opens a recording in a tab of its own', async () => {
    const [recording] = signalbox.sessions.recordings.all;
    await vscode.commands.executeCommand('signalbox.openRecording', recording);
    const labels = async () => vscode.window.tabGroups.all.flatMap((group) => group.tabs.map(({ label }) => label));
    await until(labels, (all) => all.some((label) => label.includes('suite')));
  });

  it('replays a recording against the same endpoint without a difference', async () => {
    const [recording] = signalbox.sessions.recordings.all;
    const against = { kind: 'endpoint', endpoint: 'default' } as const;
    const report = await vscode.commands.executeCommand<ReplayReport>('signalbox.replayRecording', { recording, against });
    assert.deepEqual(
      report.differences.filter(({ kind }) => kind !== 'skipped' && kind !== 'slower'),
      [],
    );
  });

  it('serves a recording at a URL until it is told to stop', async () => {
    const [recording] = signalbox.sessions.recordings.all;
    const url = await vscode.commands.executeCommand<string>('signalbox.serveRecording', recording);
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\//);
    assert.ok(recording && signalbox.sessions.recordings.serving(recording));
    await vscode.commands.executeCommand('signalbox.stopServingRecording', recording);
    assert.equal(signalbox.sessions.recordings.serving(recording), undefined);
  });

  it('has a test item for each server, areas below it and properties below those', async () => {
    // `timetable` is disabled by the suite before this one, and a disabled server is no test.
    const items = await until(
      () => signalbox.tests.list(),
      (all) => all.length >= 2,
    );
    const names = items.map(({ label }) => label).filter((label) => label !== 'timetable');
    assert.deepEqual(names.sort(), ['files', 'line']);
    const [item] = items;
    assert.ok(item);
    assert.ok(item.uri?.fsPath.endsWith('config.jsonc'), 'an item leads to the line of the configuration');
    const properties = await signalbox.tests.propertiesOf(item);
    assert.ok(properties.length > 20, `${properties.length} properties`);
    assert.ok([...item.children].every(([, area]) => area.children.size > 0));
  });

  it('runs one property of a server, and exports its report', async () => {
    const [item] = await signalbox.tests.list();
    assert.ok(item);
    const [property] = (await signalbox.tests.propertiesOf(item)).find(([, { name }]) => name === 'jsonrpc/unknown-method') ?? [];
    assert.ok(property);
    const source = new vscode.CancellationTokenSource();
    await signalbox.tests.run(new vscode.TestRunRequest([property]), source.token, false);
    assert.equal(signalbox.tests.last?.server, item.label);
    for (const [reporter, looks] of [
      ['html', /<html/i],
      ['junit', /<testsuites?/],
    ] as const) {
      const file = join(dir, `report.${reporter}`);
      await vscode.commands.executeCommand('signalbox.exportConformanceReport', { reporter, file });
      assert.ok(existsSync(file));
      assert.match(readFileSync(file, 'utf8'), looks);
    }
  });
});

/** Asks until the answer fits; Mocha's limit ends a wait in vain. */
async function until<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    await new Promise((later) => setTimeout(later, 50));
  }
}
