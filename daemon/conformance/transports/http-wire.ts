/** Streamable HTTP with everything in sight: status, headers, body bytes, every event of every stream. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import type { Target } from '../../api/conformance.ts';
import { SseReader } from './sse.ts';
import {
  clip,
  type Frame,
  type HttpFacts,
  jsonOf,
  type SendOptions,
  type Sent,
  type SseEvent,
  strictText,
  type Wire,
  type WireListener,
} from './wire.ts';

/** Exchanges with one MCP endpoint. */
export class HttpWire implements Wire {
  readonly kind = 'http';
  readonly alive = true;
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #listener: WireListener;
  readonly #agent: Agent;
  readonly #open = new Set<() => void>();
  #count = 0;

  constructor(target: Target & { kind: 'http' }, listener: WireListener) {
    this.#url = new URL(target.url);
    this.#headers = target.headers ?? {};
    this.#listener = listener;
    this.#agent =
      this.#url.protocol === 'https:'
        ? new SecureAgent({ keepAlive: true, maxSockets: 64 })
        : new Agent({ keepAlive: true, maxSockets: 64 });
  }

  send(bytes: Buffer, options: SendOptions = {}): Sent {
    const method = options.method ?? 'POST';
    const channel = `${method.toLowerCase()}:${++this.#count}`;
    const defaults: Record<string, string> =
      method === 'POST'
        ? { accept: 'application/json, text/event-stream', 'content-type': 'application/json' }
        : { accept: 'text/event-stream' };
    const headers: Record<string, string> = { ...defaults, ...this.#headers };
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      for (const known of Object.keys(headers)) if (known.toLowerCase() === name.toLowerCase()) delete headers[known];
      if (value !== null) headers[name] = value;
    }
    if (method === 'POST') headers['content-length'] = String(bytes.length);
    const shown = Object.entries(headers).map(([name, value]) => `${name}: ${this.#isSecret(name) ? '(hidden)' : value}`);
    this.#listener.trace(
      '>',
      channel,
      `${method} ${this.#url.pathname}${this.#url.search}\n${shown.join('\n')}\n\n${strictText(bytes) ?? `base64:${bytes.toString('base64')}`}`,
    );
    let abort = (): void => {};
    const exchange = new Promise<HttpFacts>((done) => {
      const send = this.#url.protocol === 'https:' ? secureRequest : request;
      const outgoing = send(this.#url, { method, headers, agent: this.#agent });
      let failed: string | undefined;
      let finish = (): void => done({ ...NOTHING, failure: failed ?? 'cut' });
      const timer = setTimeout(() => abort(), options.timeoutMs ?? 10_000);
      abort = (): void => {
        failed ??= 'no answer in time';
        outgoing.destroy();
        finish();
      };
      const cut = abort;
      this.#open.add(cut);
      const settle = (facts: HttpFacts): void => {
        clearTimeout(timer);
        this.#open.delete(cut);
        done(facts);
      };
      finish = () => settle({ ...NOTHING, failure: failed ?? 'cut' });
      outgoing.on('error', (error) => {
        failed ??= error.message;
        finish();
      });
      outgoing.on('response', (incoming) => {
        const reading = this.#read(incoming, channel, settle);
        finish = () => reading.finish(false);
      });
      outgoing.end(method === 'POST' ? bytes : undefined);
    });
    return { channel, exchange, abort: () => abort() };
  }

  /** Headers that were given with the target may hold secrets: a trace is stored and shown. */
  #isSecret(name: string): boolean {
    const lower = name.toLowerCase();
    return lower === 'authorization' || Object.keys(this.#headers).some((own) => own.toLowerCase() === lower);
  }

  #read(incoming: IncomingMessage, channel: string, settle: (facts: HttpFacts) => void): { finish(ended: boolean): void } {
    const headers = headersOf(incoming);
    const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
    const status = incoming.statusCode ?? 0;
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    this.#listener.trace('<', channel, `${status}\n${head.join('\n')}`);
    const frames: Frame[] = [];
    const events: SseEvent[] = [];
    const parts: Buffer[] = [];
    const deliver = (text: string): void => {
      const parsed = jsonOf(text);
      this.#listener.trace('<', channel, text);
      const frame = { text, value: parsed.value, channel };
      frames.push(frame);
      this.#listener.frame(frame);
    };
    const stream = new SseReader(
      (event) => {
        events.push(event);
        if (event.data === '') return;
        const parsed = jsonOf(event.data);
        if (!parsed.ok || typeof parsed.value !== 'object' || parsed.value === null || Array.isArray(parsed.value))
          this.#listener.fault('HTTP-SSE-FRAMING', 'the data of every event is one JSON-RPC message', clip(event.data));
        deliver(event.data);
      },
      (line) => this.#listener.fault('HTTP-SSE-FRAMING', 'lines are fields of the event-stream format', clip(line)),
    );
    const decoder = new TextDecoder('utf-8');
    const sse = type === 'text/event-stream';
    incoming.on('data', (chunk: Buffer) => {
      parts.push(chunk);
      if (sse) stream.push(decoder.decode(chunk, { stream: true }));
    });
    let over = false;
    const finish = (ended: boolean): void => {
      if (over) return;
      over = true;
      const bytes = Buffer.concat(parts);
      const strict = ended ? strictText(bytes) : bytes.toString('utf8');
      if (strict === undefined) this.#listener.fault('RPC-UTF8', 'a body in UTF-8', clip(bytes.toString('latin1')));
      const body = strict ?? bytes.toString('utf8');
      if (sse && ended && stream.unfinished !== '')
        this.#listener.fault('HTTP-SSE-FRAMING', 'the last event ends with an empty line', clip(stream.unfinished));
      if (!sse && ended && body.trim() !== '') {
        // an error of OAuth (RFC 6750) is JSON too, and no message of ours
        if (headers['www-authenticate'] !== undefined && !body.includes('"jsonrpc"')) this.#listener.trace('<', channel, clip(body, 2000));
        else if (type === 'application/json') deliver(body);
        else if (jsonOf(body).ok) deliver(body);
        else this.#listener.trace('<', channel, clip(body, 2000));
      }
      settle({ status, headers, bytes: bytes.length, body, frames, events, ended });
    };
    incoming.on('end', () => finish(true));
    incoming.on('error', () => finish(false));
    incoming.on('close', () => finish(false));
    return { finish };
  }

  async close(): Promise<{ code: null; signal: null; killed: false }> {
    for (const abort of this.#open) abort();
    this.#agent.destroy();
    return { code: null, signal: null, killed: false };
  }
}

const NOTHING: HttpFacts = { status: 0, headers: {}, bytes: 0, body: '', frames: [], events: [], ended: false };

function headersOf(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '');
  return headers;
}
