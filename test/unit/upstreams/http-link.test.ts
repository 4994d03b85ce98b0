import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { outcomeOf, RawOutcome } from '../../../daemon/protocol/frame.ts';
import type { JsonObject, Request, RequestId, Response } from '../../../daemon/protocol/message.ts';
import type { Link } from '../../../daemon/upstreams/link.ts';
import { urlLink } from '../../../daemon/upstreams/url-link.ts';
import { Heard } from './heard.ts';

/** What a request was, with its body. */
interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: JsonObject | undefined;
}
type Play = (seen: Seen, response: ServerResponse, turn: number) => void;

const servers: Server[] = [];
after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server that does with each request what the test says, and a link to it. */
async function against(play: Play, more: { messageBytes?: number; hop?: string; headers?: Record<string, string> } = {}) {
  const seen: Seen[] = [];
  let gone = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const one = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: text === '' ? undefined : JSON.parse(text),
      };
      seen.push(one);
      response.on('close', () => {
        if (!response.writableFinished) gone++;
      });
      play(one, response, seen.length);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const heard = new Heard();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp?x=1`;
  const link = urlLink(heard, { server: 'it', url, headers: {}, messageBytes: 1e6, ...more });
  return { seen, heard, link, gone: () => gone, server };
}

const request = (id: RequestId, method = 'tools/call', params: JsonObject = {}): Request => ({ jsonrpc: '2.0', id, method, params });
const json = (response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};
const stream = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
};
const event = (data: unknown, id?: string): string => `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
const answer = (id: RequestId, result: JsonObject = {}): JsonObject => ({ jsonrpc: '2.0', id, result });
/** Requests at the same time come in any order. */
const byText = (a: unknown, b: unknown): number => (String(a) < String(b) ? -1 : 1);
/** Waits for something the server has seen. Generous: no test depends on how fast it is. */
const eventually = async (holds: () => boolean): Promise<void> => {
  for (let left = 2000; !holds(); left--) {
    assert.ok(left > 0, 'it never came to that');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
const ended = async (link: Link, heard: Heard): Promise<void> => {
  await link.close();
  assert.equal(heard.ends.length, 1);
};

describe('a Streamable HTTP link', () => {
  it('sends the configured headers, the session once it is known and the revision once it is agreed', async () => {
    const { seen, heard, link } = await against(
      ({ method, body }, response) => {
        if (method === 'GET') response.writeHead(405).end();
        else if (body?.['id'] === undefined) response.writeHead(method === 'DELETE' ? 200 : 202).end();
        else json(response, answer(body['id'] as number), 200, { 'mcp-session-id': 's-1' });
      },
      { headers: { Authorization: 'Bearer t', Accept: 'x/y' }, hop: 'abc' },
    );
    link.send(request(1, 'initialize'));
    await heard.answer(1);
    link.agreed('2025-11-25');
    link.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    link.send(request('two'));
    await heard.answer('two');
    await ended(link, heard);
    assert.deepEqual(
      seen.map(({ method, path, headers }) => [method, path, headers['mcp-session-id'], headers['mcp-protocol-version']]).sort(byText),
      [
        ['POST', '/mcp?x=1', undefined, undefined],
        ['GET', '/mcp?x=1', 's-1', '2025-11-25'],
        ['POST', '/mcp?x=1', 's-1', '2025-11-25'],
        ['POST', '/mcp?x=1', 's-1', '2025-11-25'],
        ['DELETE', '/mcp?x=1', 's-1', '2025-11-25'],
      ].sort(byText),
    );
    for (const { method, headers } of seen) {
      assert.equal(headers.authorization, 'Bearer t');
      assert.equal(headers['via'], '1.1 signalbox-abc');
      assert.equal(headers.accept, method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream');
    }
    assert.deepEqual([heard.faults, heard.messages.map(({ related }) => related)], [[], [1, 'two']]);
  });

  it('mirrors a modern request into headers, keeps no session and opens no stream of its own', async () => {
    const { seen, heard, link } = await against(({ body }, response) =>
      json(response, answer(body?.['id'] as number), 200, { 'mcp-session-id': 'never' }),
    );
    link.send(request(1, 'server/discover'));
    await heard.answer(1);
    link.agreed('2026-07-28');
    link.send(request(2, 'tools/call', { name: 'grüß' }));
    await heard.answer(2);
    await ended(link, heard);
    assert.deepEqual(
      seen.map(({ method, headers }) => [
        method,
        headers['mcp-method'],
        headers['mcp-name'],
        headers['mcp-session-id'],
        headers['mcp-protocol-version'],
      ]),
      [
        ['POST', 'server/discover', undefined, undefined, '2026-07-28'],
        ['POST', 'tools/call', `=?base64?${Buffer.from('grüß').toString('base64')}?=`, undefined, '2026-07-28'],
      ],
    );
  });

  it('says of everything on the stream of a request that it belongs to it', async () => {
    const { heard, link } = await against(({ body }, response) => {
      const id = body?.['id'] as number;
      stream(response);
      response.write(event({ jsonrpc: '2.0', method: 'notifications/progress', params: { of: id } }));
      response.write(`event: other\n${event('not for us')}`);
      response.end(event({ jsonrpc: '2.0', id: `q${id}`, method: 'elicitation/create' }) + event(answer(id)));
    });
    for (const id of [1, 2, 3]) link.send(request(id));
    await Promise.all([1, 2, 3].map((id) => heard.answer(id)));
    for (const id of [1, 2, 3]) assert.equal(heard.messages.filter(({ related }) => related === id).length, 3);
    assert.equal(heard.messages.length, 9);
    await ended(link, heard);
  });

  it('gives a big answer on as the bytes that came, as JSON and as an event', async () => {
    const text = 'ü'.repeat(100_000);
    const { heard, link } = await against(({ body }, response) => {
      const big = answer(body?.['id'] as number, { content: [{ type: 'text', text }] });
      if (body?.['id'] === 1) return json(response, big);
      stream(response);
      response.end(event(big));
    });
    for (const id of [1, 2]) {
      link.send(request(id));
      await heard.until(() => heard.messages.length === id);
      const outcome = outcomeOf(heard.messages[id - 1]?.message as Response);
      assert.ok(outcome instanceof RawOutcome);
      assert.deepEqual(outcome.result, { content: [{ type: 'text', text }] });
    }
    await ended(link, heard);
  });

  it('fails only the request whose answer is too large, and none goes out that is', async () => {
    const { seen, heard, link } = await against(
      ({ body }, response) => {
        const id = body?.['id'] as number;
        const large = answer(id, { text: 'x'.repeat(5000) });
        if (id === 1) return json(response, large);
        stream(response);
        response.end(event(id === 2 ? large : answer(id)));
      },
      { messageBytes: 2000 },
    );
    for (const id of [1, 2, 3]) link.send(request(id));
    link.send(request(4, 'tools/call', { big: 'y'.repeat(3000) }));
    await Promise.all([1, 2, 3, 4].map((id) => heard.answer(id)));
    assert.deepEqual(
      heard.faults.map(({ code, id }) => [code, id]).sort(),
      [1, 2, 4].map((id) => ['SBX_MESSAGE_TOO_LARGE', id]),
    );
    assert.deepEqual([heard.messages.length, seen.length], [1, 3]);
    await ended(link, heard);
  });

  it('reports what is no message, and an error of the transport as the answer to its request', async () => {
    const { heard, link } = await against(({ body }, response) => {
      const id = body?.['id'] as number;
      if (id === 1) response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>oops</h1>');
      else if (id === 2) response.writeHead(401).end();
      else if (id === 3) response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
      else if (id === 4) json(response, 'no message');
      else if (id === 5) response.writeHead(202).end();
      else if (id === 6) response.writeHead(200, { 'content-type': 'text/event-stream' }).end();
      else if (id === 7) response.socket?.destroy();
      else json(response, { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'no' } }, 400);
    });
    for (const id of [1, 2, 3, 4, 5, 6, 7, 8]) link.send(request(id));
    const outcomes = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((id) => heard.answer(id)));
    assert.deepEqual(
      outcomes.map((each) => (each as { code?: string }).code ?? each),
      [
        'SBX_SERVER_HTTP',
        'SBX_SERVER_HTTP',
        'SBX_SERVER_HTTP',
        'SBX_MESSAGE_INVALID',
        'SBX_SERVER_HTTP',
        'SBX_SERVER_UNREACHABLE',
        'SBX_SERVER_UNREACHABLE',
        { jsonrpc: '2.0', id: 8, error: { code: -32000, message: 'no' } },
      ],
    );
    assert.match(heard.faults.find(({ id }) => id === 2)?.error.fix ?? '', /token/);
    await ended(link, heard);
  });

  it('ends the request that is given up, and that one only', async () => {
    const { heard, link, gone } = await against(({ method, body }, response) => {
      if (method === 'POST' && body?.['id'] === 3) json(response, answer(3));
      else if (method === 'POST')
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event({ jsonrpc: '2.0', method: 'notifications/x' }));
    });
    link.send(request(1));
    link.send(request(2));
    await heard.until(() => heard.messages.length === 2);
    link.abandon(1);
    link.send(request(3));
    link.send(request(4));
    link.abandon(4);
    await heard.answer(3);
    await eventually(() => gone() >= 1);
    assert.ok(heard.messages.every(({ related }) => related !== 4));
    assert.deepEqual(heard.faults, []);
    await ended(link, heard);
    await eventually(() => gone() >= 2);
  });
});

describe('a session of a Streamable HTTP link', () => {
  const initialized = async (play: Play) => {
    const it = await against((seen, response, turn) => {
      if (seen.body?.['method'] === 'initialize') json(response, answer(seen.body['id'] as number), 200, { 'mcp-session-id': 's' });
      else if (seen.method === 'DELETE') response.writeHead(200).end();
      else play(seen, response, turn);
    });
    it.link.send(request(0, 'initialize'));
    await it.heard.answer(0);
    it.link.agreed('2025-11-25');
    return it;
  };

  it('is over when the server says 404, or 400 as the SDK does: the request was not run, the link is closed', async () => {
    for (const [status, message] of [
      [404, 'Session not found'],
      [400, 'Bad Request: No valid session ID provided'],
    ] as const) {
      const { heard, link } = await initialized(({ method }, response) => {
        if (method === 'GET') response.writeHead(405).end();
        else json(response, { jsonrpc: '2.0', id: null, error: { code: -32000, message } }, status);
      });
      link.send(request(1));
      await heard.until(() => heard.ends.length > 0);
      assert.deepEqual(
        heard.faults.map(({ code, id }) => [code, id]),
        [['SBX_SESSION_UNKNOWN', 1]],
      );
      await link.close();
      assert.equal(heard.ends.length, 1);
    }
  });

  it('has a stream that is opened again after its last event, and ends with a 404 on it', async () => {
    const { seen, heard } = await initialized(({ method, headers }, response, turn) => {
      if (method !== 'GET') return;
      if (headers['last-event-id'] === 'b') return void response.writeHead(404).end();
      stream(response);
      const last = headers['last-event-id'] === undefined ? 'a' : 'b';
      response.write(`retry: 1\n${event({ jsonrpc: '2.0', method: `notifications/${last}` }, last)}`);
      if (turn % 2 === 0) response.end();
      else response.socket?.end();
    });
    await heard.until(() => heard.ends.length > 0);
    assert.deepEqual(
      seen.filter(({ method }) => method === 'GET').map(({ headers }) => headers['last-event-id']),
      [undefined, 'a', 'b'],
    );
    assert.deepEqual(
      heard.messages.slice(1).map(({ message, related }) => [(message as Request).method, related]),
      [
        ['notifications/a', undefined],
        ['notifications/b', undefined],
      ],
    );
  });

  it('takes up the stream of a request that broke off before its answer, as often as it does', async () => {
    const { seen, heard, link } = await initialized(({ method, headers, body }, response) => {
      const from = headers['last-event-id'];
      if (method === 'GET' && from === undefined) return void response.writeHead(405).end();
      stream(response);
      if (method === 'POST') {
        // SEP-1699: an event without data tells where to take up, then the server hangs up.
        response.end(`id: 0\nretry: 1\ndata:\n\n`);
        assert.equal(body?.['id'], 1);
      } else if (Number(from) < 4)
        response.end(event({ jsonrpc: '2.0', method: 'notifications/progress', params: {} }, String(Number(from) + 1)));
      else response.end(event(answer(1, { done: true }), '9'));
    });
    link.send(request(1));
    assert.deepEqual(await heard.answer(1), answer(1, { done: true }));
    assert.deepEqual(
      seen.filter(({ method }) => method === 'GET').flatMap(({ headers }) => headers['last-event-id'] ?? []),
      ['0', '1', '2', '3', '4'],
    );
    assert.deepEqual(
      heard.messages.slice(1).map(({ related }) => related),
      [1, 1, 1, 1, 1],
    );
    assert.equal(seen.filter(({ method, body }) => method === 'POST' && body?.['id'] === 1).length, 1);
    await ended(link, heard);
  });

  it('gives a request up whose stream cannot be taken up', async () => {
    const { heard, link } = await initialized(({ method }, response) => {
      if (method === 'GET') return void response.writeHead(405).end();
      stream(response);
      response.end('id: 0\nretry: 1\ndata:\n\n');
    });
    link.send(request(1));
    await heard.answer(1);
    assert.deepEqual(
      heard.faults.map(({ code, id }) => [code, id]),
      [['SBX_SERVER_HTTP', 1]],
    );
    await ended(link, heard);
  });
});
