/** Records what the tap tells: any number of recordings at once, each with its filter. Calls never wait for it. */
import { join } from 'node:path';
import { type ErrorShape, errorFromShape } from '../../api/errors.ts';
import { RECORDING_VERSION, type RecordingHeader, type RecordingInfo } from '../../api/recordings.ts';
import type { TapEvent, TapFilter } from '../../api/sessions.ts';
import { Redactor, type RedactorOptions } from '../redaction/redactor.ts';
import { newRecordingId } from './layout.ts';
import { LineMaker } from './line-maker.ts';
import { unknownRecording } from './reader.ts';
import { infoOf, type Summary } from './summary.ts';
import { WriterLink } from './writer-link.ts';

/** Milliseconds events wait for others before they go to the thread that writes: half of what a kill may cost, the rest is the thread's. */
const GATHER_MS = 3;
/** Milliseconds of serialising after which calls get their turn: a ring may hold 64 MiB. */
const SLICE_MS = 4;
/** Events beyond which they do not wait. */
const GATHER_EVENTS = 256;

/** Something that is missing at the beginning. */
export interface MissingEvents {
  readonly kind: 'gap';
  readonly lost: number;
}
/** What the recorder listens to; the tap (`TapHub` and `keptEvents`). */
export interface RecordingSource {
  listen(filter: TapFilter, sink: (event: TapEvent) => void): () => void;
  /** What the ring still holds of what a filter takes, in order. */
  kept(filter: TapFilter): Iterable<TapEvent | MissingEvents>;
}
/** What a recorder is built from. */
export interface RecorderParts {
  /** `Paths.recordingsDir`. */
  readonly folder: string;
  readonly source: RecordingSource;
  /** What is taken out now. */
  readonly redaction: () => RedactorOptions;
  readonly writer: RecordingHeader['writer'];
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void;
  /** Keeps the daemon from its idle stop until the returned function is called. */
  readonly hold: (reason: string) => () => void;
  /** Recordings began or ended. */
  readonly onChange: () => void;
  /** Bytes that may wait to be written. Default 64 MiB. */
  readonly queueBytes?: number;
}
/** What is to be recorded. */
export interface RecordingOrder {
  readonly filter: TapFilter;
  readonly name?: string;
  /** Begins with what the ring still holds. */
  readonly ring?: boolean;
}

interface Live {
  readonly id: string;
  readonly filter: TapFilter;
  readonly maker: LineMaker;
  readonly pending: (TapEvent | MissingEvents)[];
  readonly release: () => void;
  unlisten: () => void;
  lost: number;
}

/** The recordings that are being written. */
export class Recorder {
  readonly #parts: RecorderParts;
  readonly #live = new Map<string, Live>();
  #link: WriterLink | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hurried = false;
  /** Recordings whose end is being written. */
  #ending = 0;
  readonly #failures = new Map<string, ErrorShape>();

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** Ids of the recordings being written. */
  get ids(): readonly string[] {
    return [...this.#live.keys()];
  }

  /** Ids of those whose filter a test says yes to: what a session is being written to. */
  idsFor(fits: (filter: TapFilter) => boolean): readonly string[] {
    return [...this.#live.values()].filter(({ filter }) => fits(filter)).map(({ id }) => id);
  }

  /** Begins a recording. */
  async start({ filter, name, ring = false }: RecordingOrder): Promise<RecordingInfo> {
    const kept: (TapEvent | MissingEvents)[] = ring ? [...this.#parts.source.kept(filter)] : [];
    const first = kept.find((event): event is TapEvent => event.kind !== 'gap');
    const epoch = Math.min(Math.floor(first?.time ?? Number.POSITIVE_INFINITY), Date.now());
    const createdAt = new Date(epoch).toISOString();
    const id = newRecordingId();
    const { names, prefix } = new Redactor(this.#parts.redaction());
    const header: RecordingHeader = {
      signalbox: 'recording',
      version: RECORDING_VERSION,
      id,
      ...(name === undefined ? {} : { name }),
      createdAt,
      segment: 1,
      writer: this.#parts.writer,
      filter,
      redaction: { rules: names, prefix },
    };
    this.#begin(header, new LineMaker(epoch), undefined, kept);
    const info = await this.info(id);
    this.#parts.log('info', `Recording ${id} began.`);
    return info;
  }

  /**
   * Goes on with a recording a daemon that ended left open: a new segment that begins with a gap.
   * @param after what is there
   */
  resume(after: Summary, why: string): void {
    const { header, segments } = after;
    const last = segments.findLast((segment) => segment.last !== undefined)?.last ?? 0;
    const maker = new LineMaker(Date.parse(header.createdAt), { after: last, part: segments.length + 1 });
    const live = this.#begin(header, maker, after, []);
    const items: Parameters<LineMaker['gap']>[0] = [];
    const bytes = live.maker.gap(items, why);
    this.#link?.lines(live.id, items, bytes);
    this.#parts.log('info', `Recording ${header.id} goes on.`);
  }

  /** What is known of a recording that is being written. */
  async info(id: string): Promise<RecordingInfo> {
    await this.#drain();
    const summary = await this.#link?.info(id);
    const failure = this.#failures.get(id);
    if (failure !== undefined) throw errorFromShape(failure);
    if (summary === undefined) throw unknownRecording(id);
    return infoOf(summary, join(this.#parts.folder, id), true);
  }

  /** Why a recording stopped by itself, since the daemon began. */
  failure(id: string): ErrorShape | undefined {
    return this.#failures.get(id);
  }

  /**
   * Ends a recording.
   * @throws SBX_RECORDING_UNKNOWN when it is not being written, SBX_RECORDING_WRITE when its end could not be written
   */
  async stop(id: string): Promise<RecordingInfo> {
    const live = this.#live.get(id);
    const link = this.#link;
    if (live === undefined || link === undefined) throw unknownRecording(id);
    live.unlisten();
    this.#ending += 1;
    try {
      await this.#drain();
      if (live.lost > 0) {
        await link.info(id);
        this.#handOver(live);
      }
      this.#live.delete(id);
      const summary = await link.end(id);
      const failure = this.#failures.get(id);
      if (failure !== undefined) throw errorFromShape(failure);
      if (summary === undefined) throw unknownRecording(id);
      this.#parts.log('info', `Recording ${id} ended with ${summary.frames} frames.`);
      return infoOf(summary, join(this.#parts.folder, id), false);
    } finally {
      this.#ending -= 1;
      live.release();
      await this.#rest();
      this.#parts.onChange();
    }
  }

  /** The secrets or the rules have changed. */
  redactionChanged(): void {
    this.#link?.redact(this.#parts.redaction());
  }

  /** The daemon ends: what is there is written. The recordings stay open; the next daemon goes on with them or ends them. */
  async close(): Promise<void> {
    for (const { unlisten, release } of this.#live.values()) {
      unlisten();
      release();
    }
    await this.#drain();
    const ids = this.ids;
    this.#live.clear();
    await Promise.all(ids.map(async (id) => this.#link?.info(id).catch(() => undefined)));
    await this.#rest();
  }

  #begin(header: RecordingHeader, maker: LineMaker, before: Summary | undefined, kept: readonly (TapEvent | MissingEvents)[]): Live {
    const { id, filter } = header;
    this.#link ??= new WriterLink({
      redaction: this.#parts.redaction(),
      ...(this.#parts.queueBytes === undefined ? {} : { queueBytes: this.#parts.queueBytes }),
      onFailed: (failed, error, summary) => this.#failed(failed, error, summary),
    });
    this.#link.begin({ id, folder: join(this.#parts.folder, id), header, ...(before === undefined ? {} : { before }) });
    const release = this.#parts.hold(`recording ${id}`);
    const live: Live = { id, filter, maker, pending: [...kept], release, unlisten: () => {}, lost: 0 };
    live.unlisten = this.#parts.source.listen(filter, (event) => {
      live.pending.push(event);
      this.#soon(live.pending.length);
    });
    this.#live.set(id, live);
    this.#parts.onChange();
    return live;
  }

  /** Runs in the middle of a call: nothing is done with the event yet. */
  #soon(waiting: number): void {
    if (waiting >= GATHER_EVENTS && !this.#hurried) {
      this.#hurried = true;
      setImmediate(() => this.#flush());
    } else this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#hurried = false;
    for (const live of this.#live.values()) this.#handOver(live);
  }

  #handOver(live: Live): void {
    const { pending, maker, id } = live;
    const link = this.#link;
    if ((pending.length === 0 && live.lost === 0) || link === undefined) return;
    if (!link.open) {
      // what is lost is told as soon as there is room, whether or not anything follows
      this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
      if (live.lost === 0) this.#parts.log('warn', `Recording ${id}: the disk is slower than the traffic, events are left out.`);
      live.lost += pending.length;
      pending.length = 0;
      return;
    }
    const items: Parameters<LineMaker['gap']>[0] = [];
    let bytes = 0;
    if (live.lost > 0) bytes += maker.gap(items, 'Writing was slower than the traffic.', live.lost);
    live.lost = 0;
    const until = performance.now() + SLICE_MS;
    let taken = 0;
    for (const event of pending) {
      if (taken % 16 === 15 && performance.now() > until) break;
      taken += 1;
      if (event.kind === 'gap') bytes += maker.gap(items, 'They were no longer kept when the recording began.', event.lost);
      else bytes += maker.add(items, event);
    }
    pending.splice(0, taken);
    link.lines(id, items, bytes);
    if (pending.length > 0) this.#soon(GATHER_EVENTS);
  }

  /** Hands over everything there is, without holding up calls. */
  async #drain(): Promise<void> {
    this.#flush();
    while ([...this.#live.values()].some(({ pending }) => pending.length > 0)) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#flush();
    }
  }

  #failed(id: string | undefined, error: ErrorShape, summary: Summary | undefined): void {
    for (const live of id === undefined ? [...this.#live.values()] : [this.#live.get(id)]) {
      if (live === undefined) continue;
      live.unlisten();
      live.release();
      this.#live.delete(live.id);
      this.#failures.set(live.id, error);
      const frames = summary === undefined ? '' : ` ${summary.frames} frames are there.`;
      this.#parts.log('error', `Recording ${live.id}: ${error.message} ${error.cause}${frames} (${error.code})`);
    }
    if (id === undefined) this.#link = undefined;
    else void this.#rest();
    this.#parts.onChange();
  }

  /** Without recordings there is no thread. */
  async #rest(): Promise<void> {
    if (this.#live.size > 0 || this.#ending > 0 || this.#link === undefined) return;
    const link = this.#link;
    this.#link = undefined;
    await link.close();
  }
}
