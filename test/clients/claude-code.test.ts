/** The real Claude Code, wired by `signalbox wire`, calls the three bundled servers through the daemon. The model is a loopback script. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import type { DaemonStatus } from '../../daemon/api/control.ts';
import { type Home, makeHome } from '../fixtures/daemon.ts';
import { claudeEnv, linkClaude, noClaude, runClaude } from './claude.ts';
import { type ModelApi, startModelApi, type Turn } from './model-api.ts';

const READ: Turn = { tool: { name: 'mcp__signalbox__fs__read_text_file', input: { path: 'notes/signal.txt' } } };
const QUERY: Turn = {
  tool: { name: 'mcp__signalbox__db__query', input: { sql: 'select name from stations order by name' } },
};
const GET: Turn = { tool: { name: 'mcp__signalbox__api__getTrain', input: { id: '4711' } } };
const ERA: Turn = { tool: { name: 'mcp__signalbox__era__era', input: {} } };
const END: Turn = { text: 'All signals read.' };

describe('Claude Code through the daemon', { skip: noClaude }, () => {
  let home: Home;
  let trains: Server;

  before(async () => {
    home = makeHome();
    trains = await startTrainApi();
    configureServers(home, trains);
    // `wire` asks the `claude` on PATH, as it does for a user.
    linkClaude(home);
    const up = await home.signalbox(['up']);
    assert.equal(up.code, 0, up.stdout + up.stderr);
  });

  after(async () => {
    await new Promise((resolve) => trains.close(resolve));
    await home.remove();
  });

  it('is wired by `signalbox wire claude-code`, which asks the real `claude mcp add-json`', async () => {
    const wired = await home.signalbox(['wire', 'claude-code', '--scope', 'user', '--json'], { env: claudeEnv(home) });
    assert.equal(wired.code, 0, wired.stdout + wired.stderr);
    assert.equal((JSON.parse(wired.stdout) as { method: string }).method, 'command');
    const config = JSON.parse(readFileSync(join(home.dir, 'claude', '.claude.json'), 'utf8')) as {
      mcpServers: Record<string, { command: string }>;
    };
    assert.equal(config.mcpServers['signalbox']?.command, home.paths.launcher);
  });

  it('calls one tool of each bundled server, and the model sees their answers', async () => {
    const api = await startModelApi([READ, QUERY, GET, END]);
    try {
      const transcript = await runClaude(home, api);
      const [read, query, get] = succeeded(api, 3, transcript);
      assert.match(read ?? '', /Signal 12 shows clear/);
      assert.match(query ?? '', /Ayr[\s\S]*Crewe/);
      assert.match(get ?? '', /4711[\s\S]*Flying Scotsman/);
    } finally {
      await api.close();
    }
  });

  it('goes on after `signalbox restart` between two calls', async () => {
    const pids: number[] = [];
    const restart = async (): Promise<void> => {
      pids.push((await home.json<DaemonStatus>('status')).pid);
      const restarted = await home.signalbox(['restart']);
      assert.equal(restarted.code, 0, restarted.stdout + restarted.stderr);
      pids.push((await home.json<DaemonStatus>('status')).pid);
    };
    const api = await startModelApi([READ, { ...QUERY, before: restart }, GET, END]);
    try {
      const transcript = await runClaude(home, api);
      const [, query, get] = succeeded(api, 3, transcript);
      assert.match(query ?? '', /Crewe/);
      assert.match(get ?? '', /Flying Scotsman/);
      assert.equal(new Set(pids).size, 2, `the daemon was replaced: ${pids.join(', ')}`);
    } finally {
      await api.close();
    }
  });

  for (const [negotiation, era] of [
    ['legacy', 'legacy'],
    ['auto', 'modern'],
  ] as const)
    it(`speaks the ${era} era with MCP_PROTOCOL_NEGOTIATION=${negotiation}, and so does the server behind the daemon`, async () => {
      const api = await startModelApi([ERA, READ, END]);
      try {
        const transcript = await runClaude(home, api, { MCP_PROTOCOL_NEGOTIATION: negotiation });
        const [spoken, read] = succeeded(api, 2, transcript);
        assert.equal(spoken, `spoken to in the ${era} era`);
        assert.match(read ?? '', /Signal 12 shows clear/);
      } finally {
        await api.close();
      }
    });

  it('is taken out again by `signalbox unwire --all`, without the claude program', async () => {
    const unwired = await home.signalbox(['unwire', '--all'], { env: { ...claudeEnv(home), PATH: dirname(process.execPath) } });
    assert.equal(unwired.code, 0, unwired.stdout + unwired.stderr);
    const config = JSON.parse(readFileSync(join(home.dir, 'claude', '.claude.json'), 'utf8')) as { mcpServers?: object };
    assert.deepEqual(config.mcpServers ?? {}, {});
  });
});

/** The texts of the first `count` tool results; fails with the transcript when one is missing or an error. */
function succeeded(api: ModelApi, count: number, transcript: string): readonly string[] {
  const results = api.results();
  assert.equal(results.length, count, transcript);
  for (const { tool, isError, text } of results) assert.equal(isError, false, `${tool}: ${text}`);
  return results.map(({ text }) => text);
}

/** A file, a database and an API, each with one fact to find. */
function configureServers(home: Home, trains: Server): void {
  const root = join(home.dir, 'root');
  mkdirSync(join(root, 'notes'), { recursive: true });
  writeFileSync(join(root, 'notes', 'signal.txt'), 'Signal 12 shows clear.\n');
  const file = join(home.dir, 'stations.db');
  const database = new DatabaseSync(file);
  database.exec("create table stations (name text); insert into stations values ('Crewe'), ('Ayr')");
  database.close();
  const host = `127.0.0.1:${(trains.address() as AddressInfo).port}`;
  const spec = join(home.dir, 'trains.json');
  writeFileSync(spec, JSON.stringify(openApi(`http://${host}`)));
  const config = {
    servers: {
      fs: { plugin: 'filesystem', settings: { roots: [root] } },
      db: { plugin: 'database', settings: { connections: { main: `sqlite:${file}` } } },
      api: { plugin: 'api', settings: { spec, allowPrivate: [host] } },
      era: { command: process.execPath, args: ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'servers', 'era.ts')] },
    },
    namespaces: { all: ['fs', 'db', 'api', 'era'] },
    endpoints: { default: { namespaces: ['all'] } },
  };
  writeFileSync(home.paths.configFile, JSON.stringify(config, null, 2));
}

function openApi(url: string): object {
  const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
  const responses = { 200: { description: 'The train' } };
  return {
    openapi: '3.1.0',
    info: { title: 'Trains', version: '1' },
    servers: [{ url }],
    paths: { '/trains/{id}': { get: { operationId: 'getTrain', summary: 'One train', parameters: [id], responses } } },
  };
}

async function startTrainApi(): Promise<Server> {
  const server = createServer((request, response) => {
    const id = /^\/trains\/(\w+)$/.exec(request.url ?? '')?.[1];
    response.writeHead(id === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(id === undefined ? {} : { id, name: 'Flying Scotsman' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
