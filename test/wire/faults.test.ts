/** What breaks, breaks alone: servers that crash, hang, drip, flood and babble, clients that go, and the daemon killed. By counts and states. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ServerEntry } from '../../daemon/api/config.ts';
import type { DaemonStatus } from '../../daemon/api/control.ts';
import { type Answer, BridgeClient } from '../fixtures/bridge-client.ts';
import { isRunning, makeHome, startDaemonFixture } from '../fixtures/daemon.ts';
import { type Gateway, startGateway } from '../fixtures/gateway.ts';
import { Mirror } from '../fixtures/mirror.ts';
import { eventually } from '../fixtures/process-tree.ts';
import { legacyClient, modernClient, modernPost, type RawClient } from '../fixtures/raw-clients.ts';

type Json = Record<string, unknown>;
type Era = 'legacy' | 'modern';

const FULL = process.env['SIGNALBOX_TEST_TIER'] === 'full';
const FAULTY = join(import.meta.dirname, '..', 'fixtures', 'servers', 'faulty.mjs');
const ASKING = join(import.meta.dirname, '..', 'fixtures', 'servers', 'asking.mjs');
const ERAS: readonly Era[] = ['legacy', 'modern'];
/** The slow ones of the matrix: every pairing in the full tier, else each era once. */
const inBrief = (client: Era, server: Era): boolean => FULL || client === server;

interface Broken {
  readonly gateway: Gateway;
  readonly client: RawClient;
  readonly lines: (word: string) => readonly string[];
}

/** A gateway with the faulty server `f` and another of the kind, `other`. */
async function broken(t: TestContext, era: Era, server: Era, more: Partial<ServerEntry> = {}, messageBytes?: number): Promise<Broken> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-faults-'));
  const log = join(folder, 'f.txt');
  const entry = (file: string): ServerEntry => ({
    command: process.execPath,
    args: [FAULTY, file, ...(server === 'modern' ? ['--modern'] : [])],
    ...more,
  });
  const gateway = await startGateway(
    { f: entry(log), other: entry(join(folder, 'other.txt')) },
    messageBytes === undefined ? {} : { messageBytes },
  );
  const client = await (era === 'legacy' ? legacyClient : modernClient)(gateway, {}, () => ({ result: {} }));
  t.after(async () => {
    client.close();
    await gateway.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await client.call('tools/list', {});
  const lines = (word: string): readonly string[] =>
    existsSync(log)
      ? readFileSync(log, 'utf8')
          .split('\n')
          .filter((line) => line.startsWith(word))
      : [];
  return { gateway, client, lines };
}

async function call(client: RawClient, name: string, args: Json = {}, meta?: Json): Promise<string> {
  const { answer } = await client.call('tools/call', { name, arguments: args }, meta === undefined ? {} : { meta });
  return textOf(answer);
}
function textOf({ result, error }: Json): string {
  const { content } = (result ?? {}) as { content?: { text: string }[] };
  return content?.[0]?.text ?? JSON.stringify(result ?? error);
}
/** What goes on meanwhile. */
async function othersGoOn(client: RawClient, times = 20): Promise<void> {
  const said = await Promise.all(Array.from({ length: times }, (_, index) => call(client, 'other__echo', { text: `${index}` })));
  assert.deepEqual(
    said,
    Array.from({ length: times }, (_, index) => `${index}`),
  );
}

for (const era of ERAS)
  for (const server of ERAS)
    describe(`${era} client, ${server} server`, () => {
      it('a crash in mid-call fails what ran there, once; the server comes back, nothing is left of the old one', async (t) => {
        const { client, lines } = await broken(t, era, server);
        const pid = Number(await call(client, 'f__pid'));
        const beside = call(client, 'f__hang');
        const elsewhere = othersGoOn(client);
        assert.match(await call(client, 'f__crash'), /^SBX_SERVER_EXITED: /);
        assert.match(await beside, /^SBX_SERVER_EXITED: /);
        await elsewhere;
        let next = 0;
        await eventually('it is back', async () => {
          next = Number(await call(client, 'f__pid'));
          return next > 0;
        });
        assert.notEqual(next, pid);
        assert.ok(!isRunning(pid));
        const running = lines('start').filter((line) => isRunning(Number(line.split(' ')[1])));
        assert.deepEqual(running, [`start ${next}`], 'one process, the new one');
      });

      if (inBrief(era, server))
        it('a hang ends with its code and is cancelled at the server; progress puts it off; nobody else waits', async (t) => {
          const { gateway, client, lines } = await broken(t, era, server, { timeoutMs: 1500 });
          assert.equal(await call(client, 'f__echo', { text: 'well' }), 'well');
          let over = false;
          const hung = call(client, 'f__hang').finally(() => {
            over = true;
          });
          await othersGoOn(client);
          assert.equal(await call(client, 'f__echo', { text: 'beside' }), 'beside');
          assert.ok(!over, 'both were answered while it hung');
          assert.match(await hung, /^SBX_SERVER_TIMEOUT: /);
          await eventually('the server was told', () => lines('cancelled').length === 1);
          // Longer than the limit, never silent for as long.
          const { answer, notifications } = await client.call(
            'tools/call',
            { name: 'f__beat', arguments: { times: 8, ms: 300 } },
            { meta: { progressToken: 'p' } },
          );
          assert.equal(textOf(answer), 'beaten');
          assert.deepEqual(
            notifications.map(({ params }) => (params as Json)['progress']),
            [1, 2, 3, 4, 5, 6, 7, 8],
          );
          assert.equal(lines('cancelled').length, 1);
          assert.equal(gateway.view().members.filter(({ upstream }) => upstream.state === 'ready').length, 2, 'slow is not down');
        });

      it('an answer that comes byte by byte arrives whole, and holds up nobody', async (t) => {
        const { client } = await broken(t, era, server);
        const text = 'ü\u2028"\\ '.repeat(40);
        let over = false;
        const drip = call(client, 'f__drip', { text }).finally(() => {
          over = true;
        });
        await othersGoOn(client);
        assert.ok(!over, 'twenty calls were answered meanwhile');
        assert.equal(await drip, text);
      });

      it('garbage between answers is passed over', async (t) => {
        const { client, lines } = await broken(t, era, server);
        for (let round = 0; round < 3; round++) assert.equal(await call(client, 'f__garbage', { text: `${round}` }), `${round}`);
        assert.equal(await call(client, 'f__echo', { text: 'still there' }), 'still there');
        assert.equal(lines('start').filter((line) => isRunning(Number(line.split(' ')[1]))).length, 1);
      });
    });

describe('servers behind HTTP', () => {
  /** A modern server that says of itself what the method wants and answers a call as its tool does: byte by byte, half, never, or in HTML. */
  async function web(t: TestContext): Promise<{ readonly url: string; readonly abandoned: () => number }> {
    let abandoned = 0;
    const server = createServer(async (incoming, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { id: number; method: string; params: Json };
      const result = (value: Json): string => JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...value } });
      const tools = ['echo', 'drip', 'drip-events', 'half', 'hang', 'html'].map((name) => ({ name, inputSchema: { type: 'object' } }));
      const { name, arguments: args } = params as { name?: string; arguments?: Json };
      const answer = result({ content: [{ type: 'text', text: args?.['text'] ?? '' }] });
      const json = { 'content-type': 'application/json' };
      if (method === 'server/discover')
        response.writeHead(200, json).end(result({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }));
      else if (method === 'initialize')
        response
          .writeHead(400, json)
          .end(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32022, message: 'no', data: { supported: ['2026-07-28'] } } }));
      else if (method === 'tools/list') response.writeHead(200, json).end(result({ tools }));
      else if (name === 'echo') response.writeHead(200, json).end(answer);
      else if (name === 'html') response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
      else if (name === 'half') {
        response.writeHead(200, { ...json, 'content-length': answer.length * 2 }).write(answer.slice(0, 30), () => response.destroy());
      } else if (name === 'hang') response.once('close', () => (abandoned += 1));
      else {
        const events = name === 'drip-events';
        response.writeHead(200, { 'content-type': events ? 'text/event-stream' : 'application/json' });
        for (const byte of Buffer.from(events ? `: begins\n\nevent: message\ndata: ${answer}\n\n` : answer)) {
          response.write(Buffer.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
        response.end();
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, abandoned: () => abandoned };
  }

  for (const era of ERAS)
    it(`that drip, break off, hang or say something else fail their own calls only (${era} client)`, async (t) => {
      const { url, abandoned } = await web(t);
      const gateway = await startGateway({ f: { type: 'http', url, timeoutMs: 10_000 } });
      const client = await (era === 'legacy' ? legacyClient : modernClient)(gateway, {}, () => ({ result: {} }));
      t.after(async () => {
        client.close();
        await gateway.close();
      });
      await client.call('tools/list', {});
      const text = 'ü\u2028"\\ '.repeat(200);
      const hung = call(client, 'f__hang');
      const drips = [call(client, 'f__drip', { text }), call(client, 'f__drip-events', { text })];
      assert.match(await call(client, 'f__half', { text }), /^SBX_SERVER_(?:UNREACHABLE|HTTP): /);
      assert.match(await call(client, 'f__html'), /^SBX_SERVER_HTTP: /);
      for (let count = 0; count < 20; count++) assert.equal(await call(client, 'f__echo', { text: `${count}` }), `${count}`);
      assert.deepEqual(await Promise.all(drips), [text, text]);
      assert.match(await hung, /^SBX_SERVER_TIMEOUT: /);
      await eventually('the request is given up at the server', () => abandoned() === 1);
      assert.equal(await call(client, 'f__echo', { text: 'well' }), 'well');
    });
});

describe('clients', () => {
  it('a request that comes byte by byte is read whole, and holds up nobody', async (t) => {
    const { gateway, client } = await broken(t, 'modern', 'legacy');
    const text = 'ü\u2028"\\ '.repeat(100);
    const body = Buffer.from(
      JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name: 'f__echo',
          arguments: { text },
          _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
        },
      }),
    );
    const sent = request(gateway.url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${gateway.token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'f__echo',
      },
    });
    const answered = once(sent, 'response');
    for (let at = 0; at < body.length; at += 1) {
      sent.write(body.subarray(at, at + 1));
      if (at % 50 === 0) await othersGoOn(client, 1);
      else await new Promise((resolve) => setImmediate(resolve));
    }
    sent.end();
    const [response] = (await answered) as [AsyncIterable<Buffer>];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    assert.equal(textOf(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json), text);
  });

  it('thousands that cancel leave nothing: no call, no socket, no memory', { timeout: 200_000 }, async (t) => {
    const rounds = FULL ? 10 : 3;
    const { gateway, client } = await broken(t, 'modern', 'modern');
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const cancelMany = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done += 50)
        await Promise.all(
          Array.from({ length: 50 }, async (_, index) => {
            const abort = new AbortController();
            const waiting = modernPost(gateway, 'tools/call', { name: 'f__hang', arguments: {} }, { signal: abort.signal });
            const over = assert.rejects(waiting);
            // Some before they are read, some while they run.
            if (index % 2 === 0) await new Promise((resolve) => setTimeout(resolve, index));
            abort.abort();
            await over;
          }),
        );
      await eventually('no call is under way', () =>
        gateway.view().members.every(({ upstream }) => (upstream.connection('modern')?.busy ?? 0) === 0),
      );
      await call(client, 'f__echo', { text: '' });
      collect();
    };
    // What is kept for good (compiled code, connections) is there after the first thousand.
    await cancelMany(1500);
    const sizes = [process.memoryUsage().heapUsed];
    for (let round = 0; round < rounds; round++) {
      await cancelMany(1000);
      sizes.push(process.memoryUsage().heapUsed);
    }
    const growths = sizes.slice(1).map((size, round) => size - (sizes[round] ?? 0));
    // A closure with its request is more than a kilobyte: what is kept grows by a megabyte in every round. A table that doubles does so once.
    assert.ok(Math.min(...growths) < 750_000, `${growths.join(', ')} bytes more after each 1000 calls`);
    t.diagnostic(`result: heap ${growths.reduce((sum, growth) => sum + growth, 0)} bytes after ${rounds * 1000} cancelled calls`);
  });
});

describe('fifty servers', () => {
  it('of which five are down: the lists have all the others, and what is wrong with each of the five is said', {
    timeout: 120_000,
  }, async (t) => {
    const mirrors = await Promise.all(
      Array.from({ length: 45 }, (_, index) => Mirror.start({ era: index % 2 ? 'legacy' : 'modern', over: 'json' })),
    );
    const silent = [process.execPath, '-e', 'process.stdin.resume()'];
    const bad: Readonly<Record<string, ServerEntry>> = {
      nowhere: { command: 'signalbox-no-such-command' },
      dies: { command: process.execPath, args: ['-e', 'process.exit(3)'] },
      refused: { type: 'http', url: 'http://127.0.0.1:9/mcp' },
      silent: { command: silent[0] ?? '', args: silent.slice(1) },
      babbles: { command: process.execPath, args: ['-e', 'console.log("hello"); process.stdin.resume()'] },
    };
    const good = Object.fromEntries(mirrors.map((mirror, index) => [`s${index}`, mirror.entry]));
    const gateway = await startGateway({ ...bad, ...good });
    t.after(async () => {
      await gateway.close();
      await Promise.all(mirrors.map((mirror) => mirror.close()));
    });
    for (const era of ERAS) {
      const client = await (era === 'legacy' ? legacyClient : modernClient)(gateway, {}, () => ({ result: {} }));
      t.after(() => client.close());
      for (const [method, field] of [
        ['tools/list', 'tools'],
        ['prompts/list', 'prompts'],
        ['resources/list', 'resources'],
      ] as const) {
        const { answer } = await client.call(method, {});
        assert.equal((answer['result'] as Record<string, unknown[]>)[field]?.length, 45, `${method} ${era}`);
      }
      const named = JSON.stringify((await client.call('tools/call', { name: 'silent__x', arguments: {} })).answer);
      for (const name of Object.keys(bad)) assert.match(named, new RegExp(`${name} \\(SBX_\\w+|${name} \\(`), named);
    }
  });
});

describe('an answer of 100 MB', { skip: process.platform === 'linux' ? false : 'reads /proc' }, () => {
  const BYTES = 100_000_000;
  /** Most resident memory the process ever had, in bytes. */
  const peak = (pid: number): number => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

  it('fails alone at the default limit, and passes in bounded memory when the limit is raised', { timeout: 120_000 }, async (t) => {
    const config = ({ dir }: { dir: string }): Json => ({
      servers: {
        f: { command: process.execPath, args: [FAULTY, join(dir, 'f.txt')] },
        other: { command: process.execPath, args: [FAULTY, join(dir, 'other.txt')] },
      },
    });
    const daemon = await startDaemonFixture({ config });
    t.after(() => daemon.stop());
    const post: Gateway['post'] = (message, headers = {}) =>
      fetch(daemon.url, {
        method: 'POST',
        body: JSON.stringify(message),
        headers: {
          authorization: `Bearer ${daemon.token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...headers,
        },
      });
    const gateway = { url: daemon.url, token: daemon.token, post } as Gateway;
    const client = modernClient(gateway, {}, () => ({ result: {} }));
    await client.call('tools/list', {});
    const idle = peak(daemon.pid);
    const beside = call(client, 'f__beat', { times: 20, ms: 100 }, { progressToken: 1 });
    const [big] = await Promise.all([call(client, 'f__big', { bytes: BYTES }), othersGoOn(client)]);
    assert.match(big, /^SBX_MESSAGE_TOO_LARGE: /);
    assert.equal(await call(client, 'f__echo', { text: 'beside' }), 'beside');
    assert.equal(await beside, 'beaten', 'a call of the same server goes on');
    const small = peak(daemon.pid);
    assert.ok(small - idle < 4 * BYTES, `${small - idle} bytes though the answer was refused`);

    writeFileSync(daemon.home.paths.configFile, JSON.stringify({ ...config(daemon.home), limits: { messageBytes: 200_000_000 } }));
    await eventually('the limit is in force', async () => {
      const response = await post(
        {
          jsonrpc: '2.0',
          id: 5,
          method: 'tools/call',
          params: {
            name: 'f__big',
            arguments: { bytes: BYTES },
            _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
          },
        },
        { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'f__big' },
      );
      let received = 0;
      for await (const chunk of response.body ?? []) received += chunk.length;
      return received > BYTES;
    });
    await othersGoOn(client);
    const most = peak(daemon.pid);
    assert.ok(most - idle < 4 * BYTES, `${most - idle} bytes at most`);
    t.diagnostic(
      `result: peak ${Math.round(idle / 1e6)} MB before, ${Math.round(small / 1e6)} MB refused, ${Math.round(most / 1e6)} MB passed on`,
    );
  });
});

describe('the daemon killed while calls are parked', () => {
  for (const way of ['HTTP', 'bridge'] as const)
    it(`over ${way}: what may be repeated goes on from its answers, the rest is said to be interrupted and never runs again`, {
      timeout: 120_000,
    }, async (t) => {
      const home = makeHome();
      const entry = { command: process.execPath, args: [ASKING] };
      writeFileSync(home.paths.configFile, JSON.stringify({ servers: { safe: { ...entry, replaySafe: ['ask'] }, once: entry } }));
      const status = await home.json<DaemonStatus>('up');
      const { url, token } = await home.json<{ url: string; token: string }>('clients', 'token', 'test');
      const bridge = way === 'bridge' ? new BridgeClient(home) : undefined;
      t.after(async () => {
        await bridge?.close();
        await home.remove();
      });
      const meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
      };
      const send = async (name: string, more: Json = {}): Promise<Answer> => {
        const params = { name, arguments: name.endsWith('ask') ? { questions } : {}, ...more, _meta: meta };
        if (bridge !== undefined) return bridge.request('tools/call', params);
        const response = await fetch(url, {
          method: 'POST',
          body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            'mcp-protocol-version': '2026-07-28',
            'mcp-method': 'tools/call',
            'mcp-name': name,
          },
        });
        return (await response.json()) as Answer;
      };
      const question = { method: 'elicitation/create', params: { message: 'Sure?', requestedSchema: { type: 'object', properties: {} } } };
      const questions = [[question], [{ ...question, params: { ...question.params, message: 'Really?' } }]];
      const answered = (answer: Answer, said: string): Json => {
        const { result = {} } = answer;
        assert.equal(answer.result?.['resultType'], 'input_required', JSON.stringify(answer));
        const keys = Object.keys(result['inputRequests'] as Json);
        return {
          inputResponses: Object.fromEntries(keys.map((key) => [key, { action: 'accept', content: { said } }])),
          requestState: result['requestState'],
        };
      };
      // Each has answered one question and is asked the second when the daemon dies.
      const [safe, once] = ['safe__ask', 'once__ask'];
      const safeRound = await send(safe, answered(await send(safe), 'first'));
      const onceRound = await send(once, answered(await send(once), 'first'));
      process.kill(status.pid, 'SIGKILL');
      await eventually('it is gone', () => !isRunning(status.pid));
      if (bridge === undefined) await home.json('up');
      // A list is asked for again by the bridge; a call sent before it noticed would rightly count as interrupted.
      else await bridge.request('tools/list', { _meta: meta });

      const after = await send(safe, answered(safeRound, 'second'));
      assert.deepEqual(
        (JSON.parse(textOf(after as unknown as Json)) as { answers: { result: { content: Json } }[][] }).answers.map(
          (round) => round[0]?.result.content,
        ),
        [{ said: 'first' }, { said: 'second' }],
      );
      const lost = await send(once, answered(onceRound, 'second'));
      assert.match(textOf(lost as unknown as Json), /^SBX_CALL_INTERRUPTED: /);
      assert.equal(lost.result?.['isError'], true);
      assert.equal(textOf((await send('once__runs')) as unknown as Json), '0', 'it was not run again');
    });
});
