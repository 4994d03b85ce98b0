/**
 * Bench of the API server, run alone: `node test/bench/api.ts [seconds]`. Calls per second and p50 of a tool call in this process against plain
 * undici on the same server, with 1 and 16 at once; loading the largest description at hand in time and memory.
 */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { openApi } from '../../servers/api/api.ts';
import { operationsOf } from '../../servers/api/description/operations.ts';
import { readDescriptionFile } from '../../servers/api/description/read.ts';
import { callOperation } from '../../servers/api/tools/call.ts';
import { inputSchema } from '../../servers/api/tools/tool.ts';

const seconds = Number(process.argv[2] ?? 3);
const body = JSON.stringify({ items: Array.from({ length: 20 }, (_, id) => ({ id, name: `item ${id}`, price: id * 1.5 })) });
const server = createServer((_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(body));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function measure(name: string, atOnce: number, call: () => Promise<unknown>): Promise<void> {
  for (let warm = 0; warm < 300; warm++) await call();
  const times: number[] = [];
  const until = performance.now() + seconds * 1000;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (performance.now() < until) {
        const begun = performance.now();
        await call();
        times.push(performance.now() - begun);
      }
    }),
  );
  const rate = times.length / ((performance.now() - started) / 1000);
  times.sort((one, other) => one - other);
  console.log(
    `${name.padEnd(24)} ${String(atOnce).padStart(2)} at once  ${rate.toFixed(0).padStart(6)} calls/s  p50 ${(times[Math.floor(times.length / 2)] ?? 0).toFixed(3)} ms`,
  );
}

const spec = join(tmpdir(), `sbx-bench-api-${process.pid}.json`);
const parameters = [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }];
writeFileSync(
  spec,
  JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'Bench', version: '1' },
    servers: [{ url: origin }],
    paths: { '/items/{id}': { get: { operationId: 'get', parameters, responses: {} } } },
  }),
);
const context = {
  settings: { spec, allowPrivate: [new URL(origin).host], auth: { type: 'bearer', token: 'sesame-bench-token' } },
  baseFolder: tmpdir(),
  audit: () => undefined,
  log: () => undefined,
};
const api = await openApi(context, undefined);
const operation = api?.operations[0];
if (api === undefined || operation === undefined) throw new Error('no operation');
const agent = new Agent({ connections: 32 });
const call = () => ({ signal: new AbortController().signal, progress: () => Promise.resolve() });
for (const atOnce of [1, 16]) {
  await measure(
    'undici',
    atOnce,
    async () => JSON.parse(await (await request(`${origin}/items/1`, { dispatcher: agent })).body.text()) as unknown,
  );
  await measure('a guarded tool call', atOnce, () => callOperation(api, operation, { id: 1 }, call()));
}
await agent.destroy();
await api.close();
server.closeAllConnections();
server.close();

const large = process.argv[3] ?? '/tmp/apispecs/node_modules/@octokit/openapi/generated/api.github.com.json';
if (existsSync(large)) {
  const before = process.memoryUsage().rss;
  const begun = performance.now();
  const description = readDescriptionFile(large);
  const read = performance.now();
  const { operations, omitted } = operationsOf(description, { reserved: new Set(), rename: {}, variables: {} });
  const made = performance.now();
  for (const each of operations) inputSchema(each, 20);
  console.log(
    `${(statSync(large).size / 1e6).toFixed(1)} MB description: ${operations.length} operations, ${omitted.length} omitted; read ${(read - begun).toFixed(0)} ms, operations ${(made - read).toFixed(0)} ms, +${((process.memoryUsage().rss - before) / 1e6).toFixed(0)} MB`,
  );
} else console.log(`No large description: ${large} does not exist (npm install --prefix DIR @octokit/openapi, then give its path).`);
