/** Caps the size of one message from the server: `pg` throws an uncaught exception on a value over 512 MB (design/guards.md). */
import type { EventEmitter } from 'node:events';

/** Follows PostgreSQL's framing (type byte, 32-bit length) over chunks without keeping any of them. */
export class FrameGuard {
  #header = Buffer.alloc(5);
  #have = 0;
  #left = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The size of a message that is too large; undefined while all are fine. */
  hear(chunk: Buffer): number | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const part = Math.min(this.#left, chunk.length - at);
        this.#left -= part;
        at += part;
        continue;
      }
      const part = Math.min(5 - this.#have, chunk.length - at);
      chunk.copy(this.#header, this.#have, at, at + part);
      this.#have += part;
      at += part;
      if (this.#have < 5) return undefined;
      this.#have = 0;
      const size = this.#header.readUInt32BE(1);
      if (size > this.#limit) return size;
      this.#left = size - 4;
    }
    return undefined;
  }
}

/** Puts a guard before the parser of a connection of `pg`; `tooLarge` must destroy it. */
export function guardFrames(connection: object, limit: number, tooLarge: (size: number) => void): void {
  const target = connection as { attachListeners(stream: EventEmitter): void };
  const original = target.attachListeners.bind(target);
  target.attachListeners = (stream) => {
    const guard = new FrameGuard(limit);
    stream.on('data', (chunk: Buffer) => {
      const size = guard.hear(chunk);
      if (size !== undefined) tooLarge(size);
    });
    original(stream);
  };
}
