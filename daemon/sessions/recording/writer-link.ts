/** The daemon's end of the thread that writes: started with the first recording, ended with the last. */
import { Worker } from 'node:worker_threads';
import { type ErrorShape, errorFromShape, SignalboxError } from '../../api/errors.ts';
import type { RedactorOptions } from '../redaction/redactor.ts';
import type { LineItems } from './line-maker.ts';
import type { Summary } from './summary.ts';
import type { WriterCommand, WriterReport } from './writer-thread.ts';

/** Bytes that may wait for the thread; beyond that events are left out, and a gap says how many. */
const QUEUE_BYTES = 64 * 1024 * 1024;

/** What the link tells. */
export interface WriterLinkOptions {
  readonly redaction: RedactorOptions;
  /** Default 64 MiB. */
  readonly queueBytes?: number;
  /** A recording could not be written and has been stopped; without an id the thread itself has died. */
  readonly onFailed: (id: string | undefined, error: ErrorShape, summary?: Summary) => void;
}

interface Waiting {
  readonly resolve: (summary: Summary | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** One thread. */
export class WriterLink {
  readonly #worker: Worker;
  readonly #done = new BigInt64Array(new SharedArrayBuffer(8));
  readonly #waiting = new Map<number, Waiting>();
  readonly #options: WriterLinkOptions;
  #posted = 0;
  #reply = 0;
  #dead: ErrorShape | undefined;

  constructor(options: WriterLinkOptions) {
    this.#options = options;
    // From the sources the thread is a file beside this one; in `dist` it is built beside the program.
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.mjs';
    this.#worker = new Worker(new URL(`./writer-thread${extension}`, import.meta.url), { name: 'recording' });
    this.#worker.on('message', (report: WriterReport) => this.#report(report));
    this.#worker.on('error', (error) => this.#died(error.message));
    this.#worker.on('exit', (code) => this.#died(`It ended with ${code}.`));
    this.redact(options.redaction);
  }

  /** Whether there is room for more lines. */
  get open(): boolean {
    return this.#posted - Number(Atomics.load(this.#done, 0)) < (this.#options.queueBytes ?? QUEUE_BYTES);
  }

  /** From now on others are taken out. */
  redact(options: RedactorOptions): void {
    this.#post({ kind: 'redact', options, done: this.#done });
  }

  /** Begins a recording, or goes on with one. */
  begin(command: Omit<Extract<WriterCommand, { kind: 'open' }>, 'kind'>): void {
    this.#post({ kind: 'open', ...command });
  }

  /** Hands lines over. Their bytes are gone afterwards: they are moved, not copied. */
  lines(id: string, items: LineItems, bytes: number): void {
    this.#posted += bytes;
    const moved = items.flatMap((item) => (item instanceof Uint8Array ? [item.buffer] : []));
    this.#post({ kind: 'lines', id, items, bytes }, moved);
  }

  /** What was written so far, when everything handed over before is. */
  async info(id: string): Promise<Summary | undefined> {
    return this.#ask((reply) => ({ kind: 'info', id, reply }));
  }

  /**
   * Ends a recording.
   * @throws SBX_RECORDING_WRITE when its end could not be written
   */
  async end(id: string): Promise<Summary | undefined> {
    return this.#ask((reply) => ({ kind: 'end', id, reply, at: new Date() }));
  }

  /** Ends the thread at once. */
  async close(): Promise<void> {
    this.#worker.removeAllListeners('exit');
    // what is still asked about is no longer written
    for (const { resolve } of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
    await this.#worker.terminate();
  }

  #ask(command: (reply: number) => WriterCommand): Promise<Summary | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== undefined) return reject(errorFromShape(this.#dead));
      this.#reply += 1;
      this.#waiting.set(this.#reply, { resolve, reject });
      this.#post(command(this.#reply));
    });
  }

  #post(command: WriterCommand, moved: ArrayBuffer[] = []): void {
    if (this.#dead === undefined) this.#worker.postMessage(command, moved);
  }

  #report(report: WriterReport): void {
    if (report.kind === 'failed') return this.#options.onFailed(report.id, report.error, report.summary);
    const waiting = this.#waiting.get(report.reply);
    this.#waiting.delete(report.reply);
    if (report.error === undefined) waiting?.resolve(report.summary);
    else waiting?.reject(errorFromShape(report.error));
  }

  #died(why: string): void {
    if (this.#dead !== undefined) return;
    this.#dead = new SignalboxError('SBX_RECORDING_WRITE', 'The thread that writes recordings has ended.', {
      why,
      fix: 'Start the recording again; `signalbox logs` has more.',
    }).toJSON();
    for (const { reject } of this.#waiting.values()) reject(errorFromShape(this.#dead));
    this.#waiting.clear();
    this.#options.onFailed(undefined, this.#dead);
  }
}
