/** Faults whose smallest input is known: what is reported is that small. And the same seed gives the same cases and findings, ten times of ten. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Finding } from '../../daemon/api/conformance.ts';
import { conform } from '../../daemon/conformance/conform.ts';
import { replayFinding } from '../../daemon/conformance/replay.ts';

type Json = Record<string, unknown>;
const OBJECT = (properties: Json, required: readonly string[] = Object.keys(properties)): Json => ({
  type: 'object',
  properties,
  required,
});
const N = OBJECT({ n: { type: 'integer', minimum: -1000, maximum: 1000 } });
const S = OBJECT({ s: { type: 'string', maxLength: 60 } });
const L = OBJECT({ l: { type: 'array', items: { type: 'integer', minimum: -50, maximum: 50 }, maxItems: 6 } });
const MANY = OBJECT({ n: { type: 'integer', minimum: 0, maximum: 9 }, s: { type: 'string', maxLength: 9 }, b: { type: 'boolean' } }, ['n']);
const number = (args: Json, key = 'n'): number => Number(args[key] ?? 0);
const text = (args: Json): string => String(args['s'] ?? '');
const list = (args: Json): readonly number[] => (Array.isArray(args['l']) ? (args['l'] as number[]) : []);

/** A tool that refuses valid arguments when `fails`, and the smallest arguments for which it does: one, or several as small. */
interface Planted {
  readonly schema: Json;
  readonly fails: (args: Json) => boolean;
  readonly smallest: readonly Json[];
}
const PLANTED: readonly Planted[] = [
  { schema: N, fails: (args) => number(args) > 0, smallest: [{ n: 1 }] },
  { schema: N, fails: (args) => number(args) >= 10, smallest: [{ n: 10 }] },
  { schema: N, fails: (args) => number(args) > 500, smallest: [{ n: 501 }] },
  { schema: N, fails: (args) => number(args) === 1000, smallest: [{ n: 1000 }] },
  { schema: N, fails: (args) => number(args) < 0, smallest: [{ n: -1 }] },
  { schema: N, fails: (args) => number(args) <= -37, smallest: [{ n: -37 }] },
  { schema: N, fails: (args) => Math.abs(number(args)) > 99, smallest: [{ n: 100 }] },
  { schema: N, fails: () => true, smallest: [{ n: 0 }] },
  { schema: S, fails: (args) => text(args).length > 0, smallest: [{ s: 'a' }] },
  { schema: S, fails: (args) => text(args).length > 4, smallest: [{ s: 'aaaaa' }] },
  { schema: S, fails: (args) => text(args).length >= 60, smallest: [{ s: 'a'.repeat(60) }] },
  { schema: S, fails: (args) => text(args).includes('\n'), smallest: [{ s: '\n' }] },
  { schema: S, fails: (args) => text(args) === '__proto__', smallest: [{ s: '__proto__' }] },
  { schema: S, fails: (args) => [...text(args)].some((letter) => letter.length > 1), smallest: [{ s: '😀' }] },
  { schema: L, fails: (args) => list(args).length > 0, smallest: [{ l: [0] }] },
  { schema: L, fails: (args) => list(args).length > 2, smallest: [{ l: [0, 0, 0] }] },
  { schema: L, fails: (args) => list(args).some((one) => one < 0), smallest: [{ l: [-1] }] },
  { schema: MANY, fails: (args) => args['b'] === true, smallest: [{ n: 0, b: true }] },
  { schema: MANY, fails: (args) => number(args) > 3 && args['s'] !== undefined, smallest: [{ n: 4, s: '' }] },
  { schema: MANY, fails: (args) => Object.keys(args).length === 3, smallest: [{ n: 0, s: '', b: false }] },
];

/** A server of one tool, legacy, over HTTP and without sessions. */
function serve({ schema, fails }: Planted): Promise<Server> {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += String(part);
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const { id, method, params = {} } = JSON.parse(body) as { id?: unknown; method: string; params?: Json };
    if (id === undefined) return void response.writeHead(202).end();
    const tool = { name: 'tool', inputSchema: { ...schema, additionalProperties: false }, annotations: { readOnlyHint: true } };
    const args = (params['arguments'] ?? {}) as Json;
    const refusal = { error: { code: -32602, message: 'no' } };
    const outcome =
      method === 'initialize'
        ? { result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'planted', version: '1' } } }
        : method === 'tools/list'
          ? { result: { tools: [tool] } }
          : method === 'tools/call'
            ? fails(args)
              ? refusal
              : { result: { content: [] } }
            : method === 'ping'
              ? { result: {} }
              : { error: { code: -32601, message: 'no' } };
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));
  });
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)));
}

async function run(server: Server, seed = 1): Promise<Awaited<ReturnType<typeof conform>>> {
  return conform({
    target: { kind: 'http', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` },
    eras: ['legacy'],
    seed,
    runs: 40,
    limitMs: 10_000,
    safety: { allow: [] },
    only: ['tools/valid-arguments'],
    signal: AbortSignal.timeout(60_000),
    emit: () => {},
  });
}
const found = (findings: readonly Finding[]): Finding | undefined =>
  findings.find(({ requirement }) => requirement === 'L-TOOL-INPUT-ACCEPT');

describe('the smallest input', () => {
  for (const [index, planted] of PLANTED.entries())
    it(`is reported for ${String(planted.fails).slice(10)}`, async () => {
      const server = await serve(planted);
      try {
        const finding = found((await run(server, index + 1)).findings);
        const input = finding?.input as { args: Json } | undefined;
        const sizes = planted.smallest.map((one) => JSON.stringify(one).length);
        assert.ok(input !== undefined, 'nothing was found');
        assert.ok(
          planted.smallest.some((one) => JSON.stringify(sorted(one)) === JSON.stringify(sorted(input.args))) ||
            sizes.includes(JSON.stringify(input.args).length),
          `${JSON.stringify(input.args)} is not as small as ${JSON.stringify(planted.smallest[0])}`,
        );
      } finally {
        server.closeAllConnections();
        server.close();
      }
    });
});

function sorted(value: Json): Json {
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

describe('the same again', () => {
  let server: Server;
  before(async () => {
    server = await serve(PLANTED[1] as Planted);
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  it('gives the same cases and findings for the same seed, 10 of 10, and a stored case shows itself 10 of 10', async () => {
    const seen = new Set<string>();
    let first: Finding | undefined;
    for (let round = 0; round < 10; round++) {
      const { findings, summary } = await run(server, 7);
      first ??= found(findings);
      seen.add(
        JSON.stringify([
          summary.cases,
          summary.outcomes,
          findings.map(({ id, requirement, input, got }) => ({ id, requirement, input, got })),
        ]),
      );
    }
    assert.equal(seen.size, 1);
    assert.ok(first !== undefined);
    for (let round = 0; round < 10; round++) {
      const { broken } = await replayFinding(first, first.target, {}, 10_000);
      assert.ok(broken);
    }
  });
});
