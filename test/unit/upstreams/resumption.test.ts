import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { type EventStore, StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { Resumption } from '../../../daemon/upstreams/resumption.ts';
import { urlLink } from '../../../daemon/upstreams/url-link.ts';
import { Heard } from './heard.ts';

/** The SDK's example store orders events of one millisecond at random. */
function eventStore(): EventStore {
  const events: { stream: string; message: Parameters<EventStore['storeEvent']>[1] }[] = [];
  return {
    storeEvent: async (stream, message) => String(events.push({ stream, message }) - 1),
    async replayEventsAfter(last, { send }) {
      const stream = events[Number(last)]?.stream ?? '';
      for (let id = Number(last) + 1; id < events.length; id++) {
        const event = events[id];
        if (event?.stream === stream) await send(String(id), event.message);
      }
      return stream;
    },
  };
}

describe('a server of the v1 SDK that hangs up in mid-call (SEP-1699)', () => {
  it('is asked again from its last event; nothing is lost and nothing is run twice', async () => {
    let ran = 0;
    const posts: string[] = [];
    const heard = new Heard();
    const steps = (): unknown[] =>
      heard.messages.flatMap(({ message, related }) => ('method' in message && related === 2 ? [message.params?.['data']] : []));
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: eventStore(),
      retryInterval: 5,
    });
    const mcp = new McpServer({ name: 'polling', version: '1.0.0' }, { capabilities: { logging: {} } });
    mcp.registerTool('long', {}, async ({ closeSSEStream, sendNotification }) => {
      ran++;
      for (let step = 0; step < 3; step++) {
        closeSSEStream?.();
        await sendNotification({ method: 'notifications/message', params: { level: 'info', data: step } });
        await heard.until(() => steps().length > step);
      }
      return { content: [{ type: 'text', text: 'done' }] };
    });
    await mcp.connect(transport);
    const server = createServer((request, response) => {
      posts.push(`${request.method} ${request.headers['last-event-id'] === undefined ? 'new' : 'resumed'}`);
      void transport.handleRequest(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
    const link = urlLink(heard, { server: 'polling', url, headers: {}, messageBytes: 1e6 });
    link.send({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
    });
    await heard.answer(1);
    link.agreed('2025-11-25');
    link.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    link.send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'long', arguments: {} } });
    assert.deepEqual(await heard.answer(2), { jsonrpc: '2.0', id: 2, result: { content: [{ type: 'text', text: 'done' }] } });
    assert.deepEqual([ran, steps(), heard.faults], [1, [0, 1, 2], []]);
    assert.equal(posts.filter((one) => one === 'POST new').length, 3);
    assert.equal(posts.filter((one) => one === 'GET resumed').length, 3);
    await link.close();
    await mcp.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('attempts to take a stream up', () => {
  it('come to an end, and begin anew when one brings a stream', async () => {
    const resumption = new Resumption();
    resumption.heard({ data: Buffer.alloc(0), id: 'a', retry: 0 });
    const attempts = async (): Promise<number> => {
      let made = 0;
      for (;;) {
        const next = Promise.withResolvers<void>();
        if (!resumption.again(() => next.resolve())) return made;
        const hold = setInterval(() => {}, 1000);
        await next.promise;
        clearInterval(hold);
        made++;
      }
    };
    assert.equal(await attempts(), 8);
    assert.equal(await attempts(), 0);
    resumption.began();
    assert.equal(await attempts(), 8);
    assert.equal(resumption.lastEventId, 'a');
    resumption.heard({ data: Buffer.alloc(0), id: '' });
    assert.equal(resumption.lastEventId, undefined);
  });
});
