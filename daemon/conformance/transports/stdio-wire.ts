/** stdio with every byte in sight: lines are split here, and what is no JSON line is a finding, not noise. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Target } from '../../api/conformance.ts';
import { isObject } from '../../protocol/message.ts';
import { clip, jsonOf, type SendOptions, type Sent, strictText, type Wire, type WireListener } from './wire.ts';

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Characters of a message over several lines that are waited for. */
const TORN_KEPT = 1_000_000;
/** Milliseconds after which lines that are no message yet will be none. */
const TORN_MS = 250;

/** Bytes of standard error kept for reports. */
const STDERR_KEPT = 16_384;

/** A server as a child process of its own. */
export class StdioWire implements Wire {
  readonly kind = 'stdio';
  alive = true;
  /** The end of what it wrote to standard error. */
  stderr = '';
  readonly #child: Child;
  readonly #listener: WireListener;
  readonly #ended: Promise<{ code: number | null; signal: string | null }>;
  #rest: Buffer[] = [];
  /** Lines that are no messages by themselves, and may be one together. */
  #torn: string[] = [];
  #mending: NodeJS.Timeout | undefined;
  #queue: Promise<void> = Promise.resolve();

  constructor(target: Target & { kind: 'stdio' }, listener: WireListener) {
    this.#listener = listener;
    this.#child = spawn(target.command, [...target.args], {
      cwd: target.cwd,
      env: { ...process.env, ...target.env },
      stdio: ['pipe', 'pipe', 'pipe', ...(target.settings === undefined ? [] : (['pipe'] as const))],
    }) as Child;
    const settings = this.#child.stdio[3] as Writable | null | undefined;
    settings?.on('error', () => {});
    settings?.end(JSON.stringify(target.settings));
    this.#child.stdin.on('error', () => {}); // EPIPE of a dead server: `closed` says it
    this.#child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#child.stderr.on('data', (chunk: Buffer) => {
      if (strictText(chunk) === undefined && chunk.length < 4096)
        listener.fault('STD-STDERR-UTF8', 'UTF-8 text on standard error', clip(chunk.toString('latin1')));
      this.stderr = (this.stderr + chunk.toString('utf8')).slice(-STDERR_KEPT);
    });
    this.#ended = new Promise((done) => {
      const end = (code: number | null, signal: string | null): void => {
        if (!this.alive) return;
        this.alive = false;
        const rest = Buffer.concat(this.#rest);
        if (rest.length > 0) this.#line(rest, false);
        this.#scatter();
        listener.closed(`the process ended with ${signal ?? `code ${code}`}`);
        done({ code, signal });
      };
      this.#child.on('error', (error) => end(null, error.message));
      this.#child.on('close', end);
    });
  }

  /** Process id, while it lives. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  #read(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
      this.#line(Buffer.concat([...this.#rest, chunk.subarray(from, at)]), true);
      this.#rest = [];
      from = at + 1;
    }
    if (from < chunk.length) this.#rest.push(chunk.subarray(from));
  }

  #line(bytes: Buffer, terminated: boolean): void {
    const strict = strictText(bytes);
    const text = strict ?? bytes.toString('utf8');
    this.#listener.trace('<', 'out', text);
    if (strict === undefined) this.#listener.fault('RPC-UTF8', 'UTF-8 on standard output', clip(bytes.toString('latin1')));
    const parsed = jsonOf(text);
    const whole = parsed.ok && typeof parsed.value === 'object' && parsed.value !== null;
    if (this.#torn.length > 0 || (!whole && /^\s*[[{]/.test(text))) return this.#mend(text, whole);
    if (!whole) this.#impure(text);
    else if (!terminated) this.#listener.fault('STD-NEWLINE', 'every message ends with a line break', clip(text));
    this.#listener.frame({ text, value: parsed.value, channel: 'out' });
  }

  #impure(text: string): void {
    this.#listener.fault('STD-STDOUT-PURE', 'nothing but JSON-RPC messages on standard output', clip(JSON.stringify(text)));
  }

  /** A message that was written over several lines is one message with a fault of its own; lines that never become one are noise. */
  #mend(text: string, whole: boolean): void {
    clearTimeout(this.#mending);
    this.#torn.push(text);
    const together = this.#torn.join('\n');
    const parsed = jsonOf(together);
    if (parsed.ok && isObject(parsed.value)) {
      this.#torn = [];
      this.#listener.fault('STD-NEWLINE', 'a message on one line', clip(together));
      this.#listener.frame({ text: together, value: parsed.value, channel: 'out' });
    } else if (whole && isMessage(jsonOf(text).value)) {
      this.#torn.pop();
      this.#scatter();
      this.#line(Buffer.from(text), true);
    } else if (together.length > TORN_KEPT) this.#scatter();
    else this.#mending = setTimeout(() => this.#scatter(), TORN_MS);
  }

  #scatter(): void {
    clearTimeout(this.#mending);
    for (const text of this.#torn.splice(0)) {
      this.#impure(text);
      this.#listener.frame({ text, value: jsonOf(text).value, channel: 'out' });
    }
  }

  send(bytes: Buffer, options: SendOptions = {}): Sent {
    this.#listener.trace('>', 'out', strictText(bytes) ?? `base64:${bytes.toString('base64')}`);
    const pieces: Buffer[] = [];
    let from = 0;
    for (const size of options.chunks ?? []) {
      if (from + size >= bytes.length) break;
      pieces.push(bytes.subarray(from, from + size));
      from += size;
    }
    pieces.push(bytes.subarray(from));
    this.#queue = this.#queue.then(async () => {
      for (const [index, piece] of pieces.entries()) {
        if (!this.alive) return;
        // a turn of the event loop between pieces, so that they are separate writes on the pipe
        if (index > 0) await new Promise((done) => setImmediate(done));
        this.#child.stdin.write(piece);
      }
    });
    return { channel: 'out', abort: () => {} };
  }

  async close(limitMs: number): Promise<{ code: number | null; signal: string | null; killed: boolean }> {
    await this.#queue;
    this.#child.stdin.end();
    let killed = false;
    const soft = setTimeout(() => {
      killed = true;
      this.#child.kill('SIGTERM');
    }, limitMs);
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), limitMs + 1000);
    const { code, signal } = await this.#ended;
    clearTimeout(soft);
    clearTimeout(hard);
    return { code, signal, killed };
  }
}

/** Whether it is a whole JSON-RPC message, and not an object inside one. */
function isMessage(value: unknown): boolean {
  return isObject(value) && typeof value['jsonrpc'] === 'string';
}
