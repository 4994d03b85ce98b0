/** A plugin on a bare pipe: messages as they are written, where a client of the SDK would send none that is wrong. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { hostArgs } from './client.ts';

type Json = Readonly<Record<string, unknown>>;
/** What a request came to. */
export interface Outcome {
  readonly result?: Json;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}
/** The eras of a request. */
export const ERAS = ['modern', 'legacy'] as const;
export type Era = (typeof ERAS)[number];

/** What every request of the modern era says of itself. */
export const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** A process and its pipe. */
export interface Pipe {
  /** Sends one request as it is given and waits for its answer. */
  request(method: string, params?: Json): Promise<Outcome>;
  /** The same, with the envelope of the era. */
  ask(method: string, params?: Json): Promise<Outcome>;
  /** Sends one notification. */
  notify(method: string, params: Json): void;
  /** The handshake of the legacy era, up to its answer. */
  initialize(): Promise<Outcome>;
  /** Ends the input and waits for the end of the process. */
  close(): Promise<void>;
}

/** Starts a plugin; in the legacy era nothing is initialized yet. */
export function pipe(era: Era, folder: string, ...args: readonly string[]): Pipe {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...hostArgs(folder, ...args)], {
    stdio: ['pipe', 'pipe', process.env['SBX_TEST_STDERR'] === undefined ? 'ignore' : 'inherit'],
  });
  const waiting = new Map<number, (outcome: Outcome) => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line) as Outcome & { readonly id?: number };
    if (message.id !== undefined) waiting.get(message.id)?.(message);
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  let id = 0;
  const request: Pipe['request'] = (method, params) => {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    waiting.set(++id, resolve);
    void ended.then(() => reject(new Error('the server has ended')));
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) })}\n`);
    return promise;
  };
  return {
    request,
    ask: (method, params = {}) => request(method, era === 'modern' ? { ...params, _meta: ENVELOPE } : params),
    notify: (method, params) => void child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method, params })}\n`),
    initialize: () =>
      request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'pipe', version: '1.0.0' } }),
    close: () => {
      child.stdin.end();
      return ended;
    },
  };
}
