/**
 * What cannot be undercut: bytes from a server to a client through one process that looks at none of them.
 * `pipe.ts http PORT` or `pipe.ts stdio COMMAND…`; prints its own port. Over stdio it serves one call at a time, and an answer ends
 * with the chunk that ends with a newline.
 */
import { spawn } from 'node:child_process';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

type Forward = (incoming: IncomingMessage, outgoing: ServerResponse) => void;
const JSON_TYPE = { 'content-type': 'application/json' };

function overHttp(port: number): Forward {
  const agent = new Agent({ keepAlive: true });
  return (incoming, outgoing) => {
    const headers = { ...JSON_TYPE, 'content-length': incoming.headers['content-length'] ?? '0' };
    const upstream = request({ host: '127.0.0.1', port, method: 'POST', path: '/mcp', agent, headers }, (answer) => {
      outgoing.writeHead(200, { ...JSON_TYPE, 'content-length': answer.headers['content-length'] ?? '0' });
      answer.pipe(outgoing);
    });
    incoming.pipe(upstream);
  };
}

function overStdio([command = '', ...args]: readonly string[]): Forward {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let client: ServerResponse | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    if (chunk.at(-1) === 10) {
      client?.end(chunk);
      client = undefined;
    } else if (client?.write(chunk) === false) {
      child.stdout.pause();
      client.once('drain', () => child.stdout.resume());
    }
  });
  return (incoming, outgoing) => {
    client = outgoing;
    outgoing.writeHead(200, JSON_TYPE);
    incoming.on('data', (chunk: Buffer) => child.stdin.write(chunk));
    incoming.on('end', () => child.stdin.write('\n'));
  };
}

const [kind, ...rest] = process.argv.slice(2);
const server = createServer(kind === 'http' ? overHttp(Number(rest[0])) : overStdio(rest));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object') process.stdout.write(`${address?.port}\n`);
});
