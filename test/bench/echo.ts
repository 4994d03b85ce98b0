/** The upstream of the bench: a fixed answer to every call, as cheap as it gets. `echo.ts stdio`, or `echo.ts http` (prints its port). */
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

type Request = { readonly id?: number | string; readonly method?: string; readonly params?: { readonly protocolVersion?: string } };

const TOOL = { name: 'echo', description: 'Answers with a fixed text.', inputSchema: { type: 'object' } };
const ANSWER = { content: [{ type: 'text', text: 'x'.repeat(200) }] };

/** The answer to one request; undefined for a notification. */
function answer(request: Request): object | undefined {
  const { id, method } = request;
  if (id === undefined) return undefined;
  const result = (value: object): object => ({ jsonrpc: '2.0', id, result: value });
  if (method === 'tools/call') return result(ANSWER);
  if (method === 'tools/list') return result({ tools: [TOOL] });
  if (method === 'ping') return result({});
  if (method === 'initialize')
    return result({
      protocolVersion: request.params?.protocolVersion ?? '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'echo', version: '1.0.0' },
    });
  return { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } };
}

if (process.argv[2] === 'stdio') {
  createInterface({ input: process.stdin }).on('line', (line) => {
    const reply = answer(JSON.parse(line) as Request);
    if (reply !== undefined) process.stdout.write(`${JSON.stringify(reply)}\n`);
  });
} else {
  const server = createServer((incoming, outgoing) => {
    if (incoming.method !== 'POST') {
      incoming.resume();
      outgoing.writeHead(405).end();
      return;
    }
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const reply = answer(JSON.parse(Buffer.concat(chunks).toString()) as Request);
      if (reply === undefined) outgoing.writeHead(202).end();
      else outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (typeof address === 'object') process.stdout.write(`${address?.port}\n`);
  });
}
