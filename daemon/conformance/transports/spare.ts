/** Server processes started ahead of their use: most of a fresh connection's cost is the start of the program. */
import type { Target } from '../../api/conformance.ts';
import { StdioWire } from './stdio-wire.ts';
import type { WireListener } from './wire.ts';

/** What a wire said before anybody listened. */
type Event = (listener: WireListener) => void;

/** A process that nobody listens to yet. */
interface Spare {
  readonly wire: StdioWire;
  readonly attach: (listener: WireListener) => void;
}

/** Processes in reserve: a case that opens a second connection takes two. */
const KEPT = 2;

/** Keeps processes in reserve, and starts the next when one is taken. */
export class SpareProcesses {
  readonly #target: Target & { kind: 'stdio' };
  #waiting: Spare[] = [];
  #over = false;

  constructor(target: Target & { kind: 'stdio' }) {
    this.#target = target;
  }

  /** A process that may have started already. Its listener hears what it has said so far. */
  take(listener: WireListener): StdioWire {
    const taken = this.#waiting.find(({ wire }) => wire.alive) ?? this.#start();
    this.#waiting = this.#waiting.filter((one) => one !== taken && one.wire.alive);
    while (!this.#over && this.#waiting.length < KEPT) this.#waiting.push(this.#start());
    taken.attach(listener);
    return taken.wire;
  }

  /** Ends the processes in reserve. */
  async close(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#waiting.splice(0).map(({ wire }) => wire.close(1000)));
  }

  #start(): Spare {
    const early: Event[] = [];
    let listening: WireListener | undefined;
    const say = (event: Event): void => {
      if (listening === undefined) early.push(event);
      else event(listening);
    };
    const wire = new StdioWire(this.#target, {
      frame: (frame) => say((one) => one.frame(frame)),
      fault: (stem, expected, got) => say((one) => one.fault(stem, expected, got)),
      closed: (why) => say((one) => one.closed(why)),
      trace: (direction, channel, text) => say((one) => one.trace(direction, channel, text)),
    });
    return {
      wire,
      attach: (listener) => {
        listening = listener;
        for (const event of early.splice(0)) event(listener);
      },
    };
  }
}
