/**
 * A fault between a correct server and the tester: `node transformer.ts FAULT COMMAND …` puts one before a server on a pipe, `throughHttp`
 * before one with a URL.
 */
import { spawn } from 'node:child_process';
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Context, FAULTS, type Fault, type Json } from './faults.ts';

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The messages that pass on: from the client to the server, or back. */
class Passage {
  readonly #fault: Fault;
  readonly context: Context;
  constructor(fault: Fault, context: Omit<Context, 'asked' | 'memory'>) {
    this.#fault = fault;
    this.context = { ...context, asked: new Map(), memory: {} };
  }
  inwards(text: string): readonly string[] {
    const kept = this.#fault.line === undefined ? text : this.#fault.line(text, this.context);
    if (kept === undefined) return [];
    const message = parsed(kept);
    if (message === undefined) return [kept];
    if (message['id'] !== undefined && message['method'] !== undefined) this.context.asked.set(JSON.stringify(message['id']), message);
    return (this.#fault.in?.(message, this.context) ?? [message]).map((one) => (one === message ? kept : textOf(one)));
  }
  outwards(text: string): readonly string[] {
    const message = parsed(text);
    if (message === undefined) return [text];
    return (this.#fault.out?.(message, this.context) ?? [message]).map((one) => (one === message ? text : textOf(one)));
  }
}
const textOf = (one: Json | string): string => (typeof one === 'string' ? one : JSON.stringify(one));
function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // bytes that are no message pass as they are
  }
}

/** Splits a stream of text into lines. */
function lines(take: (line: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) take(part);
  };
}

function throughPipe(fault: Fault, command: string, args: readonly string[]): void {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const write = (text: string): void => void process.stdout.write(`${text}\n`);
  const passage = new Passage(fault, { say: (one) => write(textOf(one)), exit: () => process.exit(1) });
  child.stdin.on('error', () => {});
  child.stdout.setEncoding('utf8').on(
    'data',
    lines((line) => {
      for (const text of passage.outwards(line)) write(text);
    }),
  );
  process.stdin.setEncoding('utf8').on(
    'data',
    lines((line) => {
      for (const text of passage.inwards(line)) child.stdin.write(`${text}\n`);
    }),
  );
  process.stdin.on('end', () => child.stdin.end());
  child.on('close', (code) => process.exit(code ?? 0));
}

/** Serves a fault before the server at `url`; statuses and headers pass as they are. */
export async function throughHttp(fault: Fault, url: string): Promise<{ readonly url: string; close(): void }> {
  const shared = new Passage(fault, { say: () => {}, exit: () => {} });
  const server = createServer(async (request, response) => {
    let body = '';
    request.setEncoding('utf8');
    for await (const part of request) body += part;
    const early: string[] = [];
    let write = (text: string): void => void early.push(text);
    const passage = new Passage(fault, { say: (one) => write(textOf(one)), exit: () => server.closeAllConnections() });
    Object.assign(passage.context, { asked: shared.context.asked, memory: shared.context.memory });
    const passed = body === '' ? [''] : passage.inwards(body);
    if (passed.length === 0) {
      const [first = ''] = early;
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(first);
    }
    const { host: _host, 'content-length': _length, ...headers } = request.headers;
    const [text = ''] = passed;
    const outgoing = ask(
      url,
      { method: request.method, headers: { ...headers, ...(text === '' ? {} : { 'content-length': Buffer.byteLength(text) }) } },
      (incoming) => {
        const { 'content-length': _own, ...kept } = incoming.headers;
        const sse = String(incoming.headers['content-type']).startsWith('text/event-stream');
        const status = early.length > 0 && incoming.statusCode === 202 ? 200 : (incoming.statusCode ?? 502);
        response.writeHead(status, status === 200 && incoming.statusCode === 202 ? { 'content-type': 'application/json' } : kept);
        response.flushHeaders();
        incoming.setEncoding('utf8');
        if (sse) {
          write = (one) => void response.write(`data: ${one}\n\n`);
          for (const one of early.splice(0)) write(one);
          incoming.on(
            'data',
            lines((line) => {
              const passed = line.startsWith('data: ') ? passage.outwards(line.slice(6)).map((one) => `data: ${one}`) : [line];
              response.write(`${passed.join('\n\n')}\n`);
            }),
          );
          incoming.on('end', () => response.end());
          return;
        }
        let whole = '';
        incoming.on('data', (chunk: string) => {
          whole += chunk;
        });
        incoming.on('end', () => response.end(early[0] ?? (whole === '' ? '' : passage.outwards(whole)[0])));
      },
    );
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    outgoing.end(text);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

if (import.meta.main) {
  const [name = '', command = '', ...args] = process.argv.slice(2);
  const fault = FAULTS[name];
  if (fault === undefined) throw new Error(`There is no fault ${name}`);
  throughPipe(fault, command, args);
}
