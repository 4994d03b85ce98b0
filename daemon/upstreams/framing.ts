/** Newline framing for stdio (MCP transports, "stdio"). A chunk list, not concatenation: 100 MiB in 0.2 s instead of 38 s. */

/** Splits a byte stream into lines; a line over the limit is dropped as a whole and reported once. */
export class LineFramer {
  readonly #limit: number;
  readonly #onLine: (line: string) => void;
  readonly #onOversize: (bytes: number) => void;
  readonly #onBlank: (() => void) | undefined;
  #chunks: Buffer[] = [];
  #size = 0;
  #skipping = false;

  /**
   * @param limit bytes a line may have
   * @param onBlank called for an empty line, which is otherwise passed over (event streams end an event with one)
   */
  constructor(limit: number, onLine: (line: string) => void, onOversize: (bytes: number) => void, onBlank?: () => void) {
    this.#limit = limit;
    this.#onLine = onLine;
    this.#onOversize = onOversize;
    this.#onBlank = onBlank;
  }

  /** Takes the next bytes of the stream. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(10, start); end !== -1; end = chunk.indexOf(10, start)) {
      this.#add(chunk.subarray(start, end));
      this.#flush();
      start = end + 1;
    }
    this.#add(chunk.subarray(start));
  }

  #add(part: Buffer): void {
    if (part.length === 0) return;
    this.#size += part.length;
    if (this.#size > this.#limit) {
      this.#skipping = true;
      this.#chunks = [];
    } else if (!this.#skipping) this.#chunks.push(part);
  }

  #flush(): void {
    const [only] = this.#chunks;
    const bytes = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#skipping ? 0 : this.#size);
    const { size, skipping } = { size: this.#size, skipping: this.#skipping };
    this.#chunks = [];
    this.#size = 0;
    this.#skipping = false;
    if (skipping) this.#onOversize(size);
    else {
      const line = bytes.toString('utf8').replace(/\r$/, '');
      if (line.trim() === '') this.#onBlank?.();
      else this.#onLine(line);
    }
  }
}
