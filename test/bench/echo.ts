/**
 * The upstream of the bench: prepared answers, as cheap as it gets, in both eras.
 * `echo.ts stdio` or `echo.ts http` (prints its port), then `--era legacy|modern` (default: both), `--tools N` (N definitions of
 * everyday size), `--hang` (says nothing at all). Tools: `echo {bytes}`, `progress {steps}`.
 */
import { createServer, type ServerResponse } from 'node:http';

type Params = {
  readonly name?: string;
  readonly arguments?: { readonly bytes?: number; readonly steps?: number };
  readonly protocolVersion?: string;
  readonly _meta?: { readonly progressToken?: string | number; readonly [key: string]: unknown };
};
type Request = { readonly id?: number | string; readonly method?: string; readonly params?: Params };
type Send = (...parts: readonly (string | Buffer)[]) => void;

const MODERN = '2026-07-28';
const VERSION = 'io.modelcontextprotocol/protocolVersion';
/** Bytes; smaller answers are one string. */
const JOINED = 65_536;
const argv = process.argv.slice(2);
const option = (name: string): string | undefined => (argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined);
const era = option('--era');
const tools = Array.from({ length: Number(option('--tools') ?? 0) }, (_, index) => definition(index));

/** A definition of everyday size, about 600 bytes. */
function definition(index: number): object {
  return {
    name: `search_records_${index}`,
    title: `Search records ${index}`,
    description: `Searches the records of collection ${index} and returns those that match, newest first. Use it before reading single records; a query may hold words, "phrases" and field:value pairs.`,
    inputSchema: {
      type: 'object',
      properties: {
        query: { type: 'string', description: 'What to look for.' },
        limit: { type: 'integer', minimum: 1, maximum: 100, description: 'Records at most.' },
        order: { type: 'string', enum: ['newest', 'oldest', 'relevance'] },
      },
      required: ['query'],
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
  };
}
const echo = { name: 'echo', description: 'Answers with text of the given size.', inputSchema: { type: 'object' } };
const progress = { name: 'progress', description: 'Reports its progress.', inputSchema: { type: 'object' } };
const list = JSON.stringify({ tools: [echo, progress, ...tools] });

/** `result` as it stands in an answer whose frame has `bytes` bytes or so; made once per size and era. */
const prepared = new Map<string, Buffer>();
function result(bytes: number, modern: boolean): Buffer {
  const key = `${bytes} ${modern}`;
  let made = prepared.get(key);
  if (made === undefined) {
    made = Buffer.from(result_(`{"content":[{"type":"text","text":"${'x'.repeat(bytes)}"}]}`, modern));
    prepared.set(key, made);
  }
  return made;
}
function result_(json: string, modern: boolean): string {
  return modern ? `{"resultType":"complete",${json.slice(1)}` : json;
}

/** Answers one request; a notification is not answered. */
function answer({ id, method, params }: Request, send: Send): void {
  if (id === undefined || argv.includes('--hang')) return;
  const modern = params?._meta?.[VERSION] !== undefined;
  const head = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},`;
  const fail = (error: object): void => send(`${head}"error":${JSON.stringify(error)}}`);
  if (modern && era === 'legacy') return fail({ code: -32601, message: 'Method not found' });
  if (method === 'initialize' && era === 'modern')
    return fail({ code: -32022, message: 'Unsupported protocol version', data: { supported: [MODERN] } });
  if (method === 'tools/call') {
    const token = params?._meta?.progressToken;
    const steps = params?.name === 'progress' && token !== undefined ? (params.arguments?.steps ?? 10) : 0;
    for (let step = 1; step <= steps; step++)
      send(
        `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${JSON.stringify(token)},"progress":${step},"total":${steps}}}`,
      );
    return send(`${head}"result":`, result(params?.arguments?.bytes ?? 1000, modern), '}');
  }
  const reply = (json: string): void => send(`${head}"result":${result_(json, modern)}}`);
  if (method === 'tools/list') return reply(modern ? `{"ttlMs":0,"cacheScope":"private",${list.slice(1)}` : list);
  if (method === 'ping') return reply('{"pong":true}');
  const about = { capabilities: { tools: {} }, serverInfo: { name: 'echo', version: '1.0.0' } };
  if (method === 'initialize') return reply(JSON.stringify({ protocolVersion: params?.protocolVersion ?? '2025-11-25', ...about }));
  if (method === 'server/discover')
    return reply(JSON.stringify({ supportedVersions: [MODERN], ttlMs: 0, cacheScope: 'private', ...about }));
  fail({ code: -32601, message: 'Method not found' });
}

function overStdio(): void {
  const send: Send = (...parts) => {
    if (parts.length === 1) return void process.stdout.write(`${parts[0]}\n`);
    if (parts.reduce((sum, part) => sum + part.length, 0) < JOINED) return void process.stdout.write(`${parts.join('')}\n`);
    for (const part of parts) process.stdout.write(part);
    process.stdout.write('\n');
  };
  let rest = '';
  process.stdin.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) answer(JSON.parse(line) as Request, send);
  });
}

/** Plain JSON for one message; an event stream when something comes before the answer. */
function overHttp(): void {
  const server = createServer((incoming, outgoing) => {
    if (incoming.method !== 'POST') {
      incoming.resume();
      outgoing.writeHead(405).end();
      return;
    }
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const request = JSON.parse(Buffer.concat(chunks).toString()) as Request;
      if (request.id === undefined) outgoing.writeHead(202).end();
      else if (request.params?.name === 'progress') streamed(request, outgoing);
      else
        answer(request, (...parts) => {
          const length = parts.reduce((sum, part) => sum + part.length, 0);
          outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': length });
          if (length < JOINED) return void outgoing.end(parts.join(''));
          outgoing.cork();
          for (const part of parts) outgoing.write(part);
          outgoing.end();
        });
    });
  });
  // A connection that ends just as the next request is sent breaks a bare gateway, and that is not what is measured.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (typeof address === 'object') process.stdout.write(`${address?.port}\n`);
  });
}

function streamed(request: Request, outgoing: ServerResponse): void {
  outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
  answer(request, (...parts) => void outgoing.write(`event: message\ndata: ${parts.join('')}\n\n`));
  outgoing.end();
}

if (argv[0] === 'stdio') overStdio();
else overHttp();
