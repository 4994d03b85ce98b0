/**
 * Servers that fail early (in the handshake, the lines, the ids of errors) are told one thing each, the right one; odd ones that are correct are
 * told nothing.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { conform } from '../../daemon/conformance/conform.ts';
import type { Era } from '../../daemon/protocol/eras.ts';

/** A server of both eras in a line, with places to break it: `answer` makes the outcome of a request, `write` the bytes of a response. */
const server = (change: string): string => `
let answer = ({ method, params }) => {
  const modern = params?._meta?.['io.modelcontextprotocol/protocolVersion'] !== undefined;
  const done = (result) => ({ result: modern ? { resultType: 'complete', ...result } : result });
  const info = { name: 'small', version: '1.0.0' };
  if (method === 'initialize' && !modern) return done({ protocolVersion: '2025-11-25', capabilities: { logging: {}, tools: {} }, serverInfo: info });
  if (method === 'server/discover' && modern)
    return done({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, ttlMs: 0, cacheScope: 'private', _meta: { 'io.modelcontextprotocol/serverInfo': info } });
  if (method === 'ping' && !modern) return done({});
  if (method === 'logging/setLevel' && !modern)
    return ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'].includes(params?.level) ? done({}) : { error: { code: -32602, message: 'No such level.' } };
  if (method === 'tools/list')
    return done({ tools: [{ name: 'wait', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } }], ...(modern ? { ttlMs: 0, cacheScope: 'private' } : {}) });
  return { error: { code: -32601, message: 'No such method.' } };
};
let write = (response) => process.stdout.write(JSON.stringify(response) + '\\n');
const cancelled = new Set();
let rest = '';
process.stdin.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\\n');
  rest = lines.pop();
  for (const line of lines) {
    let message;
    try { message = JSON.parse(line); } catch { continue; }
    if (message?.method === 'notifications/cancelled') cancelled.add(message.params?.requestId);
    if (message?.id === undefined || typeof message.method !== 'string') continue;
    const respond = () => cancelled.has(message.id) || write({ jsonrpc: '2.0', id: message.id, ...answer(message) });
    if (message.method !== 'tools/call') respond();
    else setTimeout(() => cancelled.has(message.id) || write({ jsonrpc: '2.0', id: message.id, result: { content: [], resultType: 'complete' } }), 150);
  }
});
const before = answer;
${change}`;

async function told(
  change: string,
  only?: readonly string[],
  eras?: readonly Era[],
): Promise<{ eras: readonly string[]; errors: readonly string[] }> {
  const { summary, findings } = await conform({
    target: { kind: 'stdio', command: process.execPath, args: ['-e', server(change)] },
    seed: 1,
    runs: 5,
    limitMs: 1000,
    safety: {},
    ...(only === undefined ? {} : { only }),
    ...(eras === undefined ? {} : { eras }),
    signal: AbortSignal.timeout(50_000),
    emit: () => {},
  });
  const errors = findings.filter(({ severity, flaky }) => severity === 'error' && !flaky).map(({ requirement }) => requirement);
  return { eras: summary.eras, errors: [...new Set(errors)].sort() };
}

const FEW = ['lifecycle/', 'modern/discover', 'streams/cancel', 'streams/log-levels', 'jsonrpc/unknown-method'];

describe('a server that breaks early', { concurrency: 2 }, () => {
  it('has no error when it does not', async () => assert.deepEqual(await told('', FEW), { eras: ['modern', 'legacy'], errors: [] }));

  it('writes its messages over several lines', async () => {
    const found = await told("write = (response) => process.stdout.write(JSON.stringify(response, null, 2) + '\\n');", FEW);
    assert.deepEqual(found, { eras: ['modern', 'legacy'], errors: ['L-STD-NEWLINE', 'M-STD-NEWLINE'] });
  });

  it('writes what looks like the beginning of a message, and is none', async () => {
    const found = await told("console.log('[INFO] starting {'); console.log('{');", FEW);
    assert.deepEqual(found, { eras: ['modern', 'legacy'], errors: ['L-STD-STDOUT-PURE', 'M-STD-STDOUT-PURE'] });
  });

  it('answers initialize with an error, and nothing in the other era', async () => {
    const found = await told(
      "answer = (request) => request.method === 'initialize' ? { error: { code: -32603, message: 'Broken.' } } : request.method === 'ping' ? { result: {} } : { error: { code: -32601, message: 'No.' } };",
    );
    assert.deepEqual(found, { eras: ['legacy'], errors: ['L-LC-INIT-RESPOND'] });
  });

  it('serves 2026-07-28 without server/discover', async () => {
    const found = await told(
      "answer = (request) => ['server/discover', 'initialize'].includes(request.method) ? { error: { code: -32601, message: 'No.' } } : before(request);",
    );
    assert.deepEqual(found, { eras: ['modern'], errors: ['M-DIS-IMPLEMENT'] });
  });

  it('leaves the id out of its errors: that, and no answer that is missing', async () => {
    const found = await told(
      "write = (response) => process.stdout.write(JSON.stringify(response.error === undefined ? response : { ...response, id: null }) + '\\n');",
      FEW,
    );
    assert.deepEqual(found.errors, ['L-RPC-ERR-ID', 'M-RPC-ERR-ID']);
  });

  it('answers nothing it does not know: that is found, and the search comes to its end', async () => {
    const change = 'const known = write; write = (response) => response.error?.code === -32601 || known(response);';
    assert.deepEqual((await told(change, ['jsonrpc/unknown-method'], ['modern'])).errors, ['M-RPC-ONE-RESPONSE']);
  });

  it('is told of nothing when its answers come after the pings behind them', async () => {
    const found = await told(
      'const known = write; write = (response) => setTimeout(() => known(response), response.result?.tools === undefined ? 0 : 25);',
      ['robustness/extremes', 'jsonrpc/unparsable', 'jsonrpc/unknown-method'],
      ['legacy'],
    );
    assert.deepEqual(found, { eras: ['legacy'], errors: [] });
  });

  it('is told of nothing when it seals its cursors anew and puts what it likes into _meta', async () => {
    const found = await told(
      `answer = (request) => {
        if (request.method !== 'tools/list') return before(request);
        const cursor = request.params?.cursor;
        if (cursor !== undefined && !/^c0\\.\\d+$/.test(cursor)) return { error: { code: -32602, message: 'No such cursor.' } };
        const { result } = before(request);
        const name = cursor === undefined ? 'wait' : '42';
        const card = { type: 'image', src: 'x', blob: '!', icons: 'many', annotations: { priority: 7, audience: 'all' } };
        const more = { tools: [{ ...result.tools[0], name }], _meta: { 'com.example/card': card } };
        return { result: { ...result, ...more, ...(cursor === undefined ? { nextCursor: 'c' + Math.random() } : {}) } };
      };`,
      ['lists/', 'modern/client-info', 'modern/stateless', 'jsonrpc/meta-tolerated', 'jsonrpc/concurrent'],
    );
    assert.deepEqual(found, { eras: ['modern', 'legacy'], errors: [] });
  });

  it('is told of nothing when a resource says another thing each time', async () => {
    const found = await told(
      `answer = (request) => {
        const { method, params } = request;
        const outcome = before(request);
        if (method === 'server/discover' || method === 'initialize') outcome.result && (outcome.result.capabilities.resources = {});
        if (!method.startsWith('resources/')) return outcome;
        const { tools, ...rest } = before({ ...request, method: 'tools/list' }).result;
        if (method === 'resources/list') return { result: { ...rest, resources: [{ uri: 'clock://now', name: 'now' }] } };
        if (method === 'resources/templates/list') return { result: { ...rest, resourceTemplates: [] } };
        if (params?.uri !== 'clock://now') return { error: { code: rest.resultType === undefined ? -32002 : -32602, message: 'No such resource.' } };
        return { result: { ...rest, contents: [{ uri: params.uri, text: String(performance.now()) }] } };
      };`,
      ['modern/client-info', 'jsonrpc/meta-tolerated', 'lists/'],
    );
    assert.deepEqual(found, { eras: ['modern', 'legacy'], errors: [] });
  });

  it('says nothing at all, and is said to be silent', async () =>
    assert.deepEqual(await told('write = () => {};', undefined, ['legacy']), { eras: [], errors: [] }));
});

/** A modern server with one tool, whose name has no letters, and which looks whether it speaks a version before it compares header and body. */
async function numbered(): Promise<{ url: string; close: () => void }> {
  const meta = { 'io.modelcontextprotocol/serverInfo': { name: 'numbered', version: '1.0.0' } };
  const done = { resultType: 'complete', _meta: meta };
  const cached = { ttlMs: 0, cacheScope: 'private' };
  const tools = [{ name: '42', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } }];
  const results: Readonly<Record<string, object>> = {
    'server/discover': { ...done, ...cached, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
    'tools/list': { ...done, ...cached, tools },
    'tools/call': { ...done, content: [] },
  };
  const http = createServer(async (request, response) => {
    const answer = (status: number, body: object): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', ...body }));
    const message = (await json(request).catch(() => ({}))) as {
      id?: unknown;
      method?: string;
      params?: { name?: string; _meta?: object };
    };
    const { id, method = '', params } = message;
    const refuse = (code: number, why: string, status = 400): void => answer(status, { id: id ?? null, error: { code, message: why } });
    if (id === undefined) return void response.writeHead(202).end();
    const own = (params?._meta as Record<string, unknown> | undefined)?.['io.modelcontextprotocol/protocolVersion'];
    const { 'mcp-protocol-version': version, 'mcp-method': named, 'mcp-name': name } = request.headers;
    const word = (value: unknown): string => {
      const sealed = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/.exec(String(value));
      return sealed === null ? String(value) : Buffer.from(sealed[1] ?? '', 'base64').toString('utf8');
    };
    for (const one of [version, own])
      if (one !== undefined && one !== '2026-07-28') {
        const data = { supported: ['2026-07-28'], requested: one };
        return answer(400, { id, error: { code: -32022, message: 'No such version.', data } });
      }
    if (version === undefined || word(named) !== method) return refuse(-32020, 'The headers do not say what the body says.');
    if (method === 'tools/call' && word(name) !== params?.name) return refuse(-32020, 'The name in the header is another.');
    if (method === 'tools/call' && params?.name !== '42') return refuse(-32602, 'No such tool.');
    const result = results[method];
    return result === undefined ? refuse(-32601, 'No such method.', 404) : answer(200, { id, result });
  });
  await new Promise<void>((ready) => http.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    close: () => {
      http.closeAllConnections();
      http.close();
    },
  };
}

it('a tool whose name has no letters, and a version that is wrong in two ways, are no faults', async () => {
  const { url, close } = await numbered();
  try {
    const { findings } = await conform({
      target: { kind: 'http', url },
      eras: ['modern'],
      seed: 1,
      runs: 5,
      limitMs: 2000,
      safety: {},
      only: ['http/headers'],
      signal: AbortSignal.timeout(50_000),
      emit: () => {},
    });
    assert.deepEqual(
      findings.filter(({ severity }) => severity === 'error').map(({ requirement, input }) => ({ requirement, input })),
      [],
    );
  } finally {
    close();
  }
});
