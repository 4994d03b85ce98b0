import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { encode, outcomeOf, RawOutcome } from '../../../daemon/protocol/frame.ts';
import { type JsonObject, type Response, response } from '../../../daemon/protocol/message.ts';
import type { Child, Link } from '../../../daemon/upstreams/link.ts';
import { stdioLink } from '../../../daemon/upstreams/stdio-link.ts';
import { Heard } from './heard.ts';

const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A child that runs a script, the link to it, and how often its stdin was written to. */
function running(script: string, messageBytes = 1e6) {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  const heard = new Heard();
  const exited = once(child, 'exit').then(([code, signal]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }));
  const end = async (): Promise<void> => {
    child.stdin.end();
    child.kill();
    await exited;
  };
  const stderr: string[] = [];
  const it: Child = { pid: child.pid ?? 0, stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, pipes: [], exited, end };
  const link: Link = stdioLink(it, heard, { server: 'it', messageBytes, onStderr: (line) => stderr.push(line) });
  return { heard, link, child, stderr };
}

/** Answers every request with its params and says how many chunks they came in. */
const ECHO = `
let rest = '', chunks = 0;
process.stdin.on('data', (chunk) => {
  chunks++;
  const lines = (rest + chunk).split('\\n');
  rest = lines.pop();
  for (const line of lines) {
    const { id, params } = JSON.parse(line);
    if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result: { ...params, chunks } }));
  }
});`;
const request = (id: number, params: JsonObject = {}) => ({ jsonrpc: '2.0', id, method: 'm', params }) as const;

describe('a stdio link', () => {
  it('writes what is sent in one turn at once, and everything in order, pieces of bytes too', async () => {
    const { heard, link } = running(ECHO);
    for (let id = 1; id <= 100; id++) link.send(request(id, { text: 'ü\u2028' }));
    await heard.answer(100);
    const results = heard.messages.map(({ message }) => message as Response & { result: { chunks: number; text?: string } });
    assert.deepEqual(
      results.map(({ id, result }) => [id, result.chunks, result.text]),
      Array.from({ length: 100 }, (_, index) => [index + 1, 1, 'ü\u2028']),
    );
    const text = JSON.stringify({ big: 'ü'.repeat(20_000) });
    const raw = new RawOutcome(Buffer.from(text), [{ key: 'big', start: 1, value: 7, end: Buffer.byteLength(text) - 1 }]);
    assert.equal(typeof encode(response('r', raw)), 'object');
    for (let id = 101; id <= 120; id++) link.send(id % 3 === 0 ? response(id, raw) : request(id));
    await heard.answer(120);
    assert.deepEqual(
      heard.messages.map(({ message }) => (message as Response).id),
      Array.from({ length: 120 }, (_, index) => index + 1),
    );
    await link.close();
    assert.deepEqual([heard.faults, heard.ends.map(({ code }) => code)], [[], ['SBX_SERVER_EXITED']]);
  });

  it('refuses what would wait too long for a server that does not read, and goes on when it does', async () => {
    const { heard, link, child } = running(
      `process.stdin.pause(); setTimeout(() => {}, 1e9); process.on('SIGUSR2', () => {${ECHO} process.stdin.resume(); }); console.log('{"jsonrpc":"2.0","method":"up"}')`,
      1e5,
    );
    await heard.until(() => heard.messages.length === 1);
    const text = 'x'.repeat(90_000);
    for (let id = 1; id <= 20; id++) {
      link.send(request(id, { text }));
      await new Promise(setImmediate);
    }
    const refused = heard.faults.map(({ code, id }) => [code, id]);
    assert.ok(refused.length >= 10 && refused.length < 20, `${refused.length} refused`);
    assert.deepEqual(
      refused,
      refused.map((_, index) => ['SBX_BUSY', 21 - refused.length + index]),
    );
    child.kill('SIGUSR2');
    await heard.until(() => heard.messages.length === 21 - refused.length);
    link.send(request(21, { text }));
    await heard.answer(21);
    await link.close();
  });

  it('says which line of stdout is no message, which request was answered too largely, and its last words', async () => {
    const { heard, link, stderr } = running(
      `console.log('hello'); console.log('{"jsonrpc":"2.0","id":5,"result":{"text":"' + 'x'.repeat(5000) + '"}}'); console.log('');
       console.log('[1]'); console.error('bye'); process.stdout.write('{"jsonrpc":"2.0","method":"last"}', () => process.exit(3));`,
      1000,
    );
    await heard.until(() => heard.ends.length > 0 && heard.messages.length > 0);
    assert.deepEqual(
      heard.faults.map(({ code, id }) => [code, id]),
      [
        ['SBX_SERVER_NOT_JSON', undefined],
        ['SBX_MESSAGE_TOO_LARGE', 5],
        ['SBX_SERVER_NOT_JSON', undefined],
      ],
    );
    assert.match(heard.ends[0]?.why ?? '', /bye/);
    assert.deepEqual(stderr, ['bye']);
    link.send(request(1, { text: 'x'.repeat(2000) }));
    assert.deepEqual([heard.faults.at(-1)?.code, heard.faults.at(-1)?.id], ['SBX_MESSAGE_TOO_LARGE', 1]);
    link.send(request(2)); // nobody reads it, nothing breaks
    await link.close();
  });

  it('passes 100 MB on in at most three times their size', async () => {
    const size = 100 * 1024 * 1024;
    const { heard, link } = running(
      `process.stdin.once('data', () => {
         process.stdout.write('{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"');
         for (let left = ${size / 65536}; left > 0; left--) process.stdout.write('x'.repeat(65536));
         process.stdout.write('"}]}}\\n');
       });`,
      size + 1000,
    );
    const before = process.memoryUsage();
    let most = 0;
    const watch = setInterval(() => {
      const { arrayBuffers, heapUsed } = process.memoryUsage();
      most = Math.max(most, arrayBuffers + heapUsed - before.arrayBuffers - before.heapUsed);
    }, 5);
    link.send(request(1));
    await heard.until(() => heard.messages.length === 1 || heard.ends.length > 0);
    clearInterval(watch);
    const outcome = outcomeOf(heard.messages[0]?.message as Response);
    const frame = encode(response(2, outcome));
    assert.ok(typeof frame !== 'string' && outcome instanceof RawOutcome);
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    most = Math.max(most, arrayBuffers + heapUsed - before.arrayBuffers - before.heapUsed);
    assert.ok(most < 3 * size, `${Math.round(most / 1e6)} MB`);
    assert.ok(most >= size, 'the whole of it was never there');
    await link.close();
  });
});
