/**
 * The stdio bridge: what clients run. It carries MCP frames between standard streams and the daemon, and survives the
 * daemon: after a restart it opens the session again and repeats what is safe to repeat. A tool call is never run twice. Frames pass as the bytes they came as.
 */
import { randomUUID } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { WebSocket } from 'ws';
import { ERROR_CODES, SignalboxError } from './api/errors.ts';
import { BRIDGE_PREFIX, MESSAGE_BYTES_HEADER } from './endpoints/bridge-path.ts';
import { interrupted } from './endpoints/interruption.ts';
import { isRepeatable } from './endpoints/repetition.ts';
import { RPC, rpcError } from './protocol/codes.ts';
import { readFrame } from './protocol/frame.ts';
import { idAtEdge, isRequest, type Message, type Request, type RequestId, response } from './protocol/message.ts';
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
  /** Largest frame in bytes until the daemon has told its own limit. Default 64 MiB. */
  readonly messageBytes?: number;
}

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

/** Bytes that may wait on their way to the daemon, or frames while there is none, before the client's input is left unread. */
const WAITING_BYTES = 16 * 1024 * 1024;
const WAITING_FRAMES = 1000;
/** Bytes up to which a frame and its line break are written as one. */
const JOIN_UP_TO = 32_768;
const LINE_BREAK = Buffer.from('\n');

/** A frame of the client: the message, and the bytes that go on as they came. */
interface Frame {
  readonly message: Message;
  readonly bytes: Buffer;
}

class Bridge {
  readonly #options: BridgeOptions;
  readonly #running = new Map<RequestId, { readonly request: Request; readonly bytes: Buffer }>();
  readonly #subscriptions = new Map<string, Request>();
  /** What the daemon has asked the client and not been answered: the questions of this connection. */
  readonly #asked = new Set<RequestId>();
  readonly #queue: Frame[] = [];
  #socket: WebSocket | undefined;
  #initialize: Request | undefined;
  #level: Request | undefined;
  #initialized = false;
  #ended = false;
  #draining = false;
  #finish: (code: number) => void = () => {};
  #framer: LineFramer | undefined;

  constructor(options: BridgeOptions) {
    this.#options = options;
  }

  run(): Promise<number> {
    const { input } = this.#options;
    const framer = new LineFramer(
      this.#options.messageBytes ?? 64 * 1024 * 1024,
      (line) => this.#fromClient(line),
      (bytes, head, tail) =>
        this.#toClient(
          response(idAtEdge(head, tail) ?? null, {
            error: rpcError(
              new SignalboxError('SBX_MESSAGE_TOO_LARGE', `A frame has ${bytes} bytes.`, {
                why: 'It is over limits.messageBytes.',
                fix: 'Send less, or raise limits.messageBytes in the configuration.',
              }),
              RPC.invalidRequest,
            ),
          }),
        ),
    );
    this.#framer = framer;
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
      for (const { request } of this.#running.values()) this.#interrupted(request, 'the end of standard input');
      this.#finish(1);
    }, DRAIN_MS).unref();
    this.#drained();
  }

  #drained(): void {
    const open = [...this.#running.values()].filter(({ request }) => request.method !== 'subscriptions/listen');
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
    const waiting = [...[...this.#running.values()].map(({ request }) => request), ...this.#queue.map(({ message }) => message)];
    for (const message of waiting) if (isRequest(message)) this.#toClient(response(message.id, { error: rpcError(last) }));
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
      skipUTF8Validation: true,
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
      socket.on('upgrade', ({ headers }) => {
        const told = Number(headers[MESSAGE_BYTES_HEADER]);
        if (told > 0 && this.#options.messageBytes === undefined && this.#framer !== undefined) this.#framer.limit = told;
      });
      // `nodebuffer`, what `ws` gives by default: one buffer.
      socket.on('message', (data) => this.#fromDaemon(data as Buffer));
      socket.on('error', (error) => {
        if (!open) reject(error);
      });
      socket.on('close', () => {
        if (this.#socket === socket) this.#lost();
        if (open && !this.#ended) void this.#connect();
      });
    });
  }

  /** The connection is gone, and with it whoever asked: the client need not answer any more. */
  #lost(): void {
    this.#socket = undefined;
    for (const id of this.#asked) {
      const params = { requestId: id, reason: 'The daemon was restarted.' };
      this.#toClient({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
    }
    this.#asked.clear();
  }

  /** Brings a fresh session to where the old one was, then repeats what may be repeated and reports the rest. */
  #resume(): void {
    const running = [...this.#running.values()];
    if (this.#initialized && this.#initialize !== undefined) {
      // An id each: they are under way together.
      const again = [this.#initialize, ...(this.#level === undefined ? [] : [this.#level]), ...this.#subscriptions.values()];
      for (const [index, request] of again.entries()) {
        this.#send(json({ ...request, id: `${RESUME_ID}-${index}` }));
        if (index === 0) this.#send(json({ jsonrpc: '2.0', method: 'notifications/initialized' }));
      }
    }
    for (const { request, bytes } of running) {
      if (isRepeatable(request)) this.#send(bytes);
      else this.#interrupted(request);
    }
    for (const frame of this.#queue.splice(0)) this.#pass(frame);
    this.#options.input.resume();
    this.#drained();
  }

  #interrupted(request: Request, by = 'a restart of the daemon'): void {
    this.#running.delete(request.id);
    this.#toClient(response(request.id, interrupted(request.method, by)));
  }

  #fromClient(bytes: Buffer): void {
    let message: Message;
    try {
      message = readFrame(bytes);
    } catch (error) {
      this.#toClient(response(null, { error: rpcError(error, RPC.parse) }));
      return;
    }
    const frame = { message, bytes };
    if (this.#socket !== undefined) return this.#pass(frame);
    this.#queue.push(frame);
    if (this.#queue.length > WAITING_FRAMES) this.#options.input.pause();
  }

  #pass({ message, bytes }: Frame): void {
    if (isRequest(message)) this.#running.set(message.id, { request: message, bytes });
    else if ('method' in message) {
      if (message.method === 'notifications/initialized') this.#initialized = true;
      const cancelled = message.params?.['requestId'];
      if (message.method === 'notifications/cancelled' && (typeof cancelled === 'string' || typeof cancelled === 'number'))
        this.#running.delete(cancelled);
      // An answer to a question of a daemon that is gone would meet nobody, or another question.
    } else if (message.id === null || !this.#asked.delete(message.id)) return;
    this.#send(bytes);
  }

  #send(bytes: Buffer): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    const { input } = this.#options;
    socket.send(bytes, { binary: false }, () => {
      if (input.isPaused() && socket.bufferedAmount < WAITING_BYTES) input.resume();
    });
    if (socket.bufferedAmount > WAITING_BYTES) input.pause();
  }

  #fromDaemon(bytes: Buffer): void {
    const message = readFrame(bytes);
    if (isRequest(message)) this.#asked.add(message.id);
    else if ('method' in message) {
      // A question that was taken back is not cancelled again when the connection is lost.
      const cancelled = message.params?.['requestId'];
      if (message.method === 'notifications/cancelled') this.#asked.delete(cancelled as RequestId);
    } else {
      if (typeof message.id === 'string' && message.id.startsWith(RESUME_ID)) return;
      const call = message.id === null ? undefined : this.#running.get(message.id);
      if (call !== undefined) {
        this.#running.delete(call.request.id);
        if ('result' in message) this.#remember(call.request);
      }
    }
    this.#write(bytes);
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
    this.#write(json(message));
  }

  /** Writes one frame as it is; a client that reads slowly slows the daemon down instead of filling this process. */
  #write(bytes: Buffer): void {
    const { output } = this.#options;
    if (bytes.length > JOIN_UP_TO) output.write(bytes);
    const flows = output.write(bytes.length > JOIN_UP_TO ? LINE_BREAK : Buffer.concat([bytes, LINE_BREAK]));
    const socket = this.#socket;
    if (flows || socket === undefined || socket.isPaused) return;
    socket.pause();
    output.once('drain', () => socket.resume());
  }
}

function json(message: Message): Buffer {
  return Buffer.from(JSON.stringify(message));
}
