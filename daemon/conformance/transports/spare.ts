/** A server process started ahead of its use: most of a fresh connection's cost is the start of the program. */
import type { Target } from '../../api/conformance.ts';
import { StdioWire } from './stdio-wire.ts';
import type { WireListener } from './wire.ts';

/** What a wire said before anybody listened. */
type Event = (listener: WireListener) => void;

/** Keeps one process in reserve, and starts the next when it is taken. */
export class SpareProcess {
  readonly #target: Target & { kind: 'stdio' };
  #waiting: { readonly wire: StdioWire; readonly attach: (listener: WireListener) => void } | undefined;
  #over = false;

  constructor(target: Target & { kind: 'stdio' }) {
    this.#target = target;
  }

  /** A process that may have started already. Its listener hears what it has said so far. */
  take(listener: WireListener): StdioWire {
    const ready = this.#waiting?.wire.alive === true ? this.#waiting : this.#start();
    this.#waiting = this.#over ? undefined : this.#start();
    ready.attach(listener);
    return ready.wire;
  }

  /** Ends the process in reserve. */
  async close(): Promise<void> {
    this.#over = true;
    await this.#waiting?.wire.close(1000);
    this.#waiting = undefined;
  }

  #start(): { wire: StdioWire; attach: (listener: WireListener) => void } {
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
