/**
 * A real Claude Code session through the daemon is recorded, and played as a server to a fresh Claude Code that has neither the daemon nor the
 * servers: the model gets the same tool results. The model is a loopback script.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RecordingInfo, ReplayReport } from '../../daemon/api/recordings.ts';
import { type Home, makeHome } from '../fixtures/daemon.ts';
import { claudeEnv, linkClaude, noClaude, runClaude } from './claude.ts';
import { startModelApi, type ToolResult, type Turn } from './model-api.ts';

const FULL = process.env['SIGNALBOX_TEST_TIER'] === 'full';
const read = (path: string): Turn => ({ tool: { name: 'mcp__signalbox__fs__read_text_file', input: { path } } });
const SCRIPT: readonly Turn[] = [
  { tool: { name: 'mcp__signalbox__fs__list_directory', input: { path: 'notes' } } },
  read('notes/signal.txt'),
  read('notes/missing.txt'),
  { tool: { name: 'mcp__signalbox__era__era', input: {} } },
  { text: 'All signals read.' },
];

describe('Claude Code, recorded and played to another one', { skip: noClaude }, () => {
  let home: Home;
  let file: string;
  let heard: readonly ToolResult[];
  let offered: readonly string[];
  /** What a replay as a client said, with the same servers and with one file changed. */
  let same: ReplayReport;
  let other: ReplayReport;

  before(async () => {
    home = makeHome();
    const root = join(home.dir, 'root');
    mkdirSync(join(root, 'notes'), { recursive: true });
    writeFileSync(join(root, 'notes', 'signal.txt'), 'Signal 12 shows clear.\n');
    const config = {
      servers: {
        fs: { plugin: 'filesystem', settings: { roots: [root] } },
        era: { command: process.execPath, args: ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'servers', 'era.ts')] },
      },
      namespaces: { all: ['fs', 'era'] },
      endpoints: { default: { namespaces: ['all'] } },
    };
    writeFileSync(home.paths.configFile, JSON.stringify(config));
    linkClaude(home);
    const up = await home.signalbox(['up']);
    assert.equal(up.code, 0, up.stdout + up.stderr);
    const wired = await home.signalbox(['wire', 'claude-code', '--scope', 'user'], { env: claudeEnv(home) });
    assert.equal(wired.code, 0, wired.stdout + wired.stderr);
    await home.json('record', 'start', '--name', 'signals', '--client', 'claude-code');
    const { results, tools, transcript } = await ask(home);
    const { clients } = await home.json<RecordingInfo>('record', 'stop', 'signals');
    assert.deepEqual(clients, ['claude-code']);
    assert.equal(results.length, 4, transcript);
    assert.match(results[1]?.text ?? '', /Signal 12 shows clear/);
    assert.equal(results[2]?.isError, true);
    heard = results;
    offered = tools;
    file = join(home.dir, 'signals.jsonl');
    const exported = await home.signalbox(['record', 'export', 'signals', '--to', file, '--yes']);
    assert.equal(exported.code, 0, exported.stdout + exported.stderr);
    same = await asked(home);
    writeFileSync(join(root, 'notes', 'signal.txt'), 'Signal 12 shows green.\n');
    other = await asked(home); // of the same length: a list of the folder says nothing else
    // What answers from now on is the recording alone.
    rmSync(root, { recursive: true });
    const stopped = await home.signalbox(['stop']);
    assert.equal(stopped.code, 0, stopped.stdout + stopped.stderr);
  });
  after(() => home.remove());

  it('said again to the live servers makes no difference, and a changed file exactly that', () => {
    assert.deepEqual(
      same.differences.filter(({ kind }) => kind !== 'slower' && kind !== 'skipped'),
      [],
    );
    assert.ok(same.equal >= 4, JSON.stringify(same));
    const [changed, ...rest] = other.differences.filter(({ kind }) => kind !== 'slower' && kind !== 'skipped');
    assert.deepEqual(rest, []);
    assert.deepEqual([changed?.kind, changed?.target], ['changed', 'fs__read_text_file']);
    assert.match(JSON.stringify(changed?.changes), /shows clear.*shows green/);
  });

  it('gets the same tool results, and asks nothing that was not recorded', async () => {
    const report = join(home.dir, 'report.json');
    const { results, tools, transcript } = await askReplay(['--strict', '--report', report]);
    assert.deepEqual(withoutIds(results), withoutIds(heard), transcript);
    assert.deepEqual(tools, offered);
    const { misses } = JSON.parse(readFileSync(report, 'utf8')) as { misses: object[] };
    assert.deepEqual(misses, []);
  });

  it('gets them in the era it was not recorded in too', { skip: !FULL && 'full tier: another start of Claude Code' }, async () => {
    const { results, transcript } = await askReplay([], { MCP_PROTOCOL_NEGOTIATION: 'legacy' });
    assert.deepEqual(withoutIds(results), withoutIds(heard), transcript);
  });

  async function askReplay(flags: readonly string[], extra: Readonly<Record<string, string>> = {}): ReturnType<typeof ask> {
    const [command, ...args] = home.command;
    const entry = { type: 'stdio', command, args: [...args, 'replay', file, '--as', 'server', ...flags], env: { ...home.env } };
    const mcp = join(home.dir, 'mcp.json');
    writeFileSync(mcp, JSON.stringify({ mcpServers: { signalbox: entry } }));
    // A Claude Code that was never wired to anything.
    const fresh = { CLAUDE_CONFIG_DIR: join(home.dir, 'fresh') };
    return ask(home, { ...fresh, ...extra }, ['--mcp-config', mcp, '--strict-mcp-config']);
  }
});

/** The recording played as a client against the endpoint. */
async function asked(home: Home): Promise<ReplayReport> {
  const { stdout, stderr } = await home.signalbox(['replay', 'signals', '--as', 'client', '--json']);
  const report = JSON.parse(stdout) as ReplayReport;
  assert.ok(Array.isArray(report.differences), stdout + stderr);
  return report;
}

/** One prompt; what the model got back, and which of our tools it was offered. */
async function ask(
  home: Home,
  extra: Readonly<Record<string, string>> = {},
  words: readonly string[] = [],
): Promise<{ readonly results: readonly ToolResult[]; readonly tools: readonly string[]; readonly transcript: string }> {
  const api = await startModelApi(SCRIPT);
  try {
    const transcript = await runClaude(home, api, extra, words);
    const tools = [...api.toolsOffered].filter((name) => name.startsWith('mcp__signalbox__')).sort();
    return { results: api.results(), tools, transcript };
  } finally {
    await api.close();
  }
}

/** What the server said: neither Claude's ids, nor the schema it repeats behind an error, whose keys come in another order in the other era. */
function withoutIds(results: readonly ToolResult[]): readonly Omit<ToolResult, 'toolUseId'>[] {
  return results.map(({ toolUseId: _id, text, ...result }) => ({
    ...result,
    text: text.split("\n\nThis tool's input schema was not")[0] ?? '',
  }));
}
