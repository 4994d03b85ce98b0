/**
 * The bare gateway the daemon is measured against: Node's `http` in, HTTP or stdio out, ids re-mapped, nothing else.
 * `pass-through.ts http PORT` or `pass-through.ts stdio COMMAND…`; prints its own port.
 */
import { spawn } from 'node:child_process';
import { Agent, createServer, request } from 'node:http';
import { createInterface } from 'node:readline';

type Message = { id?: unknown; [key: string]: unknown };
type Forward = (message: Message, reply: (answer: Message) => void) => void;

function overHttp(port: number): Forward {
  const agent = new Agent({ keepAlive: true });
  return (message, reply) => {
    const body = JSON.stringify(message);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = request({ host: '127.0.0.1', port, method: 'POST', path: '/mcp', agent, headers }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => reply(JSON.parse(Buffer.concat(chunks).toString()) as Message));
    });
    outgoing.end(body);
  };
}

function overStdio([command = '', ...args]: readonly string[]): Forward {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map<unknown, (answer: Message) => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as Message;
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  return (message, reply) => {
    waiting.set(message.id, reply);
    child.stdin.write(`${JSON.stringify(message)}\n`);
  };
}

const [kind, ...rest] = process.argv.slice(2);
const forward = kind === 'http' ? overHttp(Number(rest[0])) : overStdio(rest);
let next = 1;
const server = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    const message = JSON.parse(Buffer.concat(chunks).toString()) as Message;
    const { id } = message;
    forward({ ...message, id: next++ }, (answer) => {
      const body = JSON.stringify({ ...answer, id });
      outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
    });
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object') process.stdout.write(`${address?.port}\n`);
});
