/** A handler of web requests, as the SDK has them, on Node's own HTTP server. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';

/** Serves on a free loopback port until the process ends. Resolves with the URL of the endpoint. */
export async function serveWeb(answer: (request: Request) => Promise<Response>): Promise<string> {
  const server = createServer((request, response) => {
    answer(toRequest(request, response)).then(
      (answered) => send(answered, response),
      (thrown: unknown) => response.writeHead(500).end(String(thrown)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

function toRequest(incoming: IncomingMessage, response: ServerResponse): Request {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const headers = new Headers();
  for (let index = 0; index < incoming.rawHeaders.length; index += 2)
    headers.append(incoming.rawHeaders[index] ?? '', incoming.rawHeaders[index + 1] ?? '');
  const { method = 'GET' } = incoming;
  const body = method === 'POST' ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' } : {};
  // The Host header may name anything; it is judged as a header, not as a part of the URL.
  return new Request(`http://127.0.0.1${incoming.url}`, { method, headers, signal: gone.signal, ...body } as RequestInit);
}

function send(answered: Response, response: ServerResponse): void {
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  if (answered.body === null) {
    response.end();
    return;
  }
  response.flushHeaders();
  const body = Readable.fromWeb(answered.body as Parameters<typeof Readable.fromWeb>[0]);
  body.on('error', () => response.destroy());
  response.on('close', () => body.destroy());
  body.pipe(response);
}
