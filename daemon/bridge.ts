/**
 * The stdio bridge: what clients run. It carries MCP frames between standard streams and the daemon, and survives the
 * daemon: after a restart it opens the session again and repeats what is safe to repeat. A tool call is never run twice.
 */
import { randomUUID } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { WebSocket } from 'ws';
import { ERROR_CODES, SignalboxError } from './api/errors.ts';
import { BRIDGE_PREFIX } from './endpoints/bridge-server.ts';
import { RPC, rpcError, toolFailure } from './protocol/codes.ts';
import { idAtEdge, isRequest, type Message, parseMessage, type Request, type RequestId } from './protocol/message.ts';
import { LineFramer } from './upstreams/framing.ts';

/** Where a bridge connects to. */
export interface BridgeTarget {
  /** URL of the endpoint, `http://127.0.0.1:PORT/mcp/…`. */
  readonly url: string;
  readonly token: string;
}
/** What a bridge is built from. */
export interface BridgeOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Finds the endpoint and its token, starting the daemon if none runs. */
  readonly target: () => Promise<BridgeTarget>;
  /** Largest frame in bytes. Default 64 MiB. */
  readonly messageBytes?: number;
}

/** Methods that may run twice: they only read. Everything else that was under way is reported as interrupted. */
const REPEATABLE = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'completion/complete',
  'logging/setLevel',
  'subscriptions/listen',
]);
/** Id of what the bridge itself asks; random, so that no client uses it. */
const RESUME_ID = `signalbox-resume-${randomUUID()}`;
/** Milliseconds between attempts to find the daemon again. */
const RETRY_MS = [0, 100, 300, 1000, 2000];
const ATTEMPTS = 12;
/** Milliseconds answers are waited for after standard input has ended. */
const DRAIN_MS = 65_000;
/** What trying again cannot help. */
const PERMANENT = new Set<string>([
  'SBX_ENDPOINT_UNKNOWN',
  'SBX_WORKSPACE_UNKNOWN',
  'SBX_USAGE',
  'SBX_STATE_INSECURE',
  'SBX_DAEMON_VERSION',
  'SBX_NODE_TOO_OLD',
]);

/** Runs until standard input ends. Resolves to the exit code: 0; that of the error when the daemon or the endpoint cannot be reached; 1 when answers were still owed. */
export function runBridge(options: BridgeOptions): Promise<number> {
  return new Bridge(options).run();
}

class Bridge {
  readonly #options: BridgeOptions;
  readonly #running = new Map<RequestId, Request>();
  readonly #subscriptions = new Map<string, Request>();
  readonly #queue: Message[] = [];
  #socket: WebSocket | undefined;
  #initialize: Request | undefined;
  #level: Request | undefined;
  #initialized = false;
  #ended = false;
  #draining = false;
  #finish: (code: number) => void = () => {};

  constructor(options: BridgeOptions) {
    this.#options = options;
  }

  run(): Promise<number> {
    const { input } = this.#options;
    const framer = new LineFramer(
      this.#options.messageBytes ?? 64 * 1024 * 1024,
      (line) => this.#fromClient(line),
      (bytes, head, tail) =>
        this.#toClient({
          jsonrpc: '2.0',
          id: idAtEdge(head, tail) ?? null,
          error: rpcError(
            new SignalboxError('SBX_MESSAGE_TOO_LARGE', `A frame has ${bytes} bytes.`, {
              why: 'It is over limits.messageBytes.',
              fix: 'Send less.',
            }),
            RPC.invalidRequest,
          ),
        }),
    );
    return new Promise<number>((resolve) => {
      this.#finish = (code) => {
        if (this.#ended) return;
        this.#ended = true;
        this.#socket?.close();
        resolve(code);
      };
      input.on('data', (chunk: Buffer | string) => framer.push(Buffer.from(chunk)));
      input.once('end', () => {
        framer.end();
        this.#inputEnded();
      });
      input.once('error', () => this.#finish(0));
      void this.#connect();
    });
  }

  /** The client asks nothing more; what it has asked is still answered, for a while. */
  #inputEnded(): void {
    this.#draining = true;
    setTimeout(() => {
      for (const request of this.#running.values()) this.#interrupted(request, 'the end of standard input');
      this.#finish(1);
    }, DRAIN_MS).unref();
    this.#drained();
  }

  #drained(): void {
    const open = [...this.#running.values()].filter((request) => request.method !== 'subscriptions/listen');
    if (this.#draining && open.length === 0 && this.#queue.length === 0) this.#finish(0);
  }

  async #connect(): Promise<void> {
    let last: unknown;
    for (let attempt = 0; attempt < ATTEMPTS && !this.#ended; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]));
      try {
        const { url, token } = await this.#options.target();
        await this.#open(url, token);
        return;
      } catch (error) {
        last = error;
        if (error instanceof SignalboxError && PERMANENT.has(error.code)) break;
      }
    }
    if (this.#ended) return;
    // Nothing is lost silently: whoever waits is told why.
    for (const request of [...this.#running.values(), ...this.#queue.filter(isRequest)])
      this.#toClient({ jsonrpc: '2.0', id: request.id, error: rpcError(last) });
    process.stderr.write(`signalbox connect: ${last instanceof Error ? last.message : String(last)}\n`);
    this.#finish(last instanceof SignalboxError ? ERROR_CODES[last.code] : 3);
  }

  #open(url: string, token: string): Promise<void> {
    const target = new URL(url);
    const path = `${BRIDGE_PREFIX}${target.pathname.replace(/^\/mcp/, '')}`;
    const socket = new WebSocket(`ws://${target.host}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      maxPayload: 0,
    });
    return new Promise<void>((resolve, reject) => {
      let open = false;
      socket.on('open', () => {
        open = true;
        if (this.#ended) return socket.close();
        this.#socket = socket;
        this.#resume();
        resolve();
      });
      socket.on('message', (data) => this.#fromDaemon(String(data)));
      socket.on('error', (error) => {
        if (!open) reject(error);
      });
      socket.on('close', () => {
        if (this.#socket === socket) this.#socket = undefined;
        if (open && !this.#ended) void this.#connect();
      });
    });
  }

  /** Brings a fresh session to where the old one was, then repeats what may be repeated and reports the rest. */
  #resume(): void {
    const running = [...this.#running.values()];
    if (this.#initialized && this.#initialize !== undefined) {
      this.#send({ ...this.#initialize, id: RESUME_ID });
      this.#send({ jsonrpc: '2.0', method: 'notifications/initialized' });
      if (this.#level !== undefined) this.#send({ ...this.#level, id: RESUME_ID });
      for (const request of this.#subscriptions.values()) this.#send({ ...request, id: RESUME_ID });
    }
    for (const request of running) {
      if (REPEATABLE.has(request.method)) this.#send(request);
      else this.#interrupted(request);
    }
    for (const message of this.#queue.splice(0)) this.#pass(message);
    this.#drained();
  }

  #interrupted(request: Request, by = 'a restart of the daemon'): void {
    this.#running.delete(request.id);
    const error = new SignalboxError('SBX_CALL_INTERRUPTED', `${request.method} was interrupted by ${by}.`, {
      why: 'It was under way and may have run in part; Signalbox never runs a call twice by itself.',
      fix: 'Check what it did, then call it again if that is safe.',
    });
    this.#toClient({
      jsonrpc: '2.0',
      id: request.id,
      ...(request.method === 'tools/call' ? toolFailure(error) : { error: rpcError(error) }),
    });
  }

  #fromClient(line: string): void {
    let message: Message;
    try {
      message = parseMessage(line);
    } catch (error) {
      this.#toClient({ jsonrpc: '2.0', id: null, error: rpcError(error, RPC.parse) });
      return;
    }
    if (this.#socket === undefined) this.#queue.push(message);
    else this.#pass(message);
  }

  #pass(message: Message): void {
    if (isRequest(message)) this.#running.set(message.id, message);
    else if ('method' in message) {
      if (message.method === 'notifications/initialized') this.#initialized = true;
      const cancelled = message.params?.['requestId'];
      if (message.method === 'notifications/cancelled' && (typeof cancelled === 'string' || typeof cancelled === 'number'))
        this.#running.delete(cancelled);
    }
    this.#send(message);
  }

  #send(message: Message): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #fromDaemon(text: string): void {
    const message = JSON.parse(text) as Message;
    if ('id' in message && !('method' in message)) {
      if (message.id === RESUME_ID) return;
      const request = message.id === null ? undefined : this.#running.get(message.id);
      if (request !== undefined) {
        this.#running.delete(request.id);
        if ('result' in message) this.#remember(request);
      }
    }
    this.#options.output.write(`${text}\n`);
    this.#drained();
  }

  #remember(request: Request): void {
    const uri = request.params?.['uri'];
    if (request.method === 'initialize') this.#initialize = request;
    if (request.method === 'logging/setLevel') this.#level = request;
    if (request.method === 'resources/subscribe' && typeof uri === 'string') this.#subscriptions.set(uri, request);
    if (request.method === 'resources/unsubscribe' && typeof uri === 'string') this.#subscriptions.delete(uri);
  }

  #toClient(message: Message): void {
    this.#options.output.write(`${JSON.stringify(message)}\n`);
  }
}
