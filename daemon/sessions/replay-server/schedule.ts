/** When a recorded frame is said: after what came before it in the recording, as far as that happens this time, and at its time. */
import type { Frame } from './script.ts';

/**
 * Milliseconds between progress and the answer it belongs to, also without pauses: clients that find both in one read of a pipe forget the
 * request first and drop its progress (the MCP SDK 1.x does).
 */
const APART_MS = 10;

/** How the recorded order and time are kept. */
export interface Pace {
  /** Recorded pauses are multiplied by it; 0 = no pauses. */
  readonly speed: number;
  /** Milliseconds to wait for something the client did at this point of the recording and has not done yet. */
  readonly patienceMs: number;
}

interface Armed {
  readonly frame: Frame;
  readonly due: number;
  /** Place up to which everything before it has happened. */
  at: number;
  blockedAt: number | undefined;
  readonly say: () => void;
}

/** The order of one session. Frames of the server wait here until it is their turn. */
export class Schedule {
  readonly #pace: Pace;
  readonly #seen = new Set<Frame>();
  /** What was waited for in vain; nobody waits for it again. */
  readonly #missed = new Set<Frame>();
  readonly #armed = new Map<Frame, Armed>();
  #order: Armed[] = [];
  #free: Armed[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #closed = false;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** The client did what it did here in the recording. */
  seen(frame: Frame): void {
    this.#seen.add(frame);
  }

  /** Whether the client did it. */
  wasSeen(frame: Frame): boolean {
    return this.#seen.has(frame);
  }

  /**
   * Says a frame when its turn has come.
   * @param since the frame it follows at once, for the pause between them
   * @param from what happened after this frame of its party is waited for; absent: nothing is (it is played another time)
   */
  arm(frame: Frame, since: Frame | undefined, from: Frame | undefined, say: () => void): void {
    if (this.#closed) return;
    const recorded = since === undefined ? 0 : Math.max(0, frame.t - since.t) * this.#pace.speed;
    const pause = since !== undefined && isProgress(since) && !('method' in frame.message) ? Math.max(APART_MS, recorded) : recorded;
    const armed: Armed = {
      frame,
      due: pause === 0 ? 0 : performance.now() + pause,
      at: (from?.at ?? frame.at) + 1,
      blockedAt: undefined,
      say,
    };
    if (from === undefined) {
      this.#free.push(armed);
      return;
    }
    this.#armed.set(frame, armed);
    let place = this.#order.length;
    while (place > 0 && (this.#order[place - 1]?.frame.n ?? 0) > frame.n) place--;
    this.#order.splice(place, 0, armed);
  }

  /** It will not be said after all. */
  disarm(test: (frame: Frame) => boolean): void {
    for (const { frame } of this.#order) if (test(frame)) this.#armed.delete(frame);
    this.#order = this.#order.filter(({ frame }) => this.#armed.has(frame));
  }

  /** Says everything whose turn it is. Called after everything that happened. */
  run(): void {
    if (this.#running || this.#closed) return;
    this.#running = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) next.say();
    this.#running = false;
    this.#wait();
  }

  /** Whether anything waits to be said. */
  get waiting(): boolean {
    return this.#armed.size > 0 || this.#free.length > 0;
  }

  /** Nothing is said any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#armed.clear();
    this.#order = [];
    this.#free = [];
  }

  #next(): Armed | undefined {
    if (this.#closed) return undefined;
    const now = performance.now();
    const free = this.#free.findIndex(({ due }) => due <= now);
    if (free >= 0) return this.#free.splice(free, 1)[0];
    for (const [index, armed] of this.#order.entries()) {
      if (armed.due > now) continue;
      if (this.#blocked(armed)) {
        armed.blockedAt ??= now;
        continue;
      }
      this.#order.splice(index, 1);
      this.#armed.delete(armed.frame);
      return armed;
    }
    return undefined;
  }

  #blocked(armed: Armed): boolean {
    const { frames } = armed.frame.party;
    for (; armed.at < armed.frame.at; armed.at++) {
      const before = frames[armed.at];
      if (before === undefined) continue;
      const happened = before.by === 'client' ? this.#seen.has(before) || this.#missed.has(before) : !this.#armed.has(before);
      if (!happened) return true;
    }
    return false;
  }

  /** The next time something may be said although nothing happens: a pause is over, or patience is. */
  #wait(): void {
    clearTimeout(this.#timer);
    const times = [...this.#free, ...this.#order].map(({ due, blockedAt }) =>
      blockedAt === undefined ? due : blockedAt + this.#pace.patienceMs,
    );
    if (times.length === 0) return;
    this.#timer = setTimeout(() => this.#late(), Math.min(2 ** 31 - 1, Math.max(0, Math.ceil(Math.min(...times) - performance.now()))));
  }

  #late(): void {
    const now = performance.now();
    for (const armed of this.#order) {
      if (armed.blockedAt === undefined || armed.blockedAt > now - this.#pace.patienceMs) continue;
      // What holds it up may be another answer that has its time still to come: then it is looked at again after as long.
      armed.blockedAt = now;
      for (let at = armed.at; at < armed.frame.at; at++) {
        const frame = armed.frame.party.frames[at];
        if (frame?.by === 'client' && !this.#seen.has(frame)) this.#missed.add(frame);
      }
    }
    this.run();
  }
}

function isProgress({ message }: Frame): boolean {
  return 'method' in message && message.method === 'notifications/progress';
}
