/**
 * Newline framing for stdio (MCP transports, "stdio") and event streams. A chunk list, not concatenation: 100 MiB in 0.2 s instead of
 * 38 s; a line that came in one chunk is a view of that chunk, any other is copied once.
 */

/** Bytes kept of each edge of a line that is dropped, so that its request id can be read. */
const EDGE = 256;
const CR = 0x0d;

/** Called for a line over the limit: its size and its first and last bytes as text. */
export type OnOversize = (bytes: number, head: string, tail: string) => void;

/** Splits a byte stream into lines; a line over the limit is dropped as a whole and reported once. */
export class LineFramer {
  #limit: number;
  readonly #onLine: (line: Buffer) => void;
  readonly #onOversize: OnOversize;
  readonly #onBlank: (() => void) | undefined;
  #chunks: Buffer[] = [];
  #size = 0;
  #skipping = false;
  #head = '';
  #tail: Buffer = Buffer.alloc(0);

  /**
   * @param limit bytes a line may have
   * @param onLine gets each line without its end (LF or CR LF); the bytes stay as they are for as long as it keeps them
   * @param onBlank called for an empty line, which is otherwise passed over (event streams end an event with one)
   */
  constructor(limit: number, onLine: (line: Buffer) => void, onOversize: OnOversize, onBlank?: () => void) {
    this.#limit = limit;
    this.#onLine = onLine;
    this.#onOversize = onOversize;
    this.#onBlank = onBlank;
  }

  /** Another limit, from the next bytes on. */
  set limit(bytes: number) {
    this.#limit = bytes;
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

  /** The stream has ended: a last line without its newline counts too. */
  end(): void {
    if (this.#size > 0) this.#flush();
  }

  #add(part: Buffer): void {
    if (part.length === 0) return;
    this.#size += part.length;
    if (this.#size > this.#limit) {
      if (!this.#skipping) this.#head = firstBytes([...this.#chunks, part]);
      this.#tail = Buffer.from(Buffer.concat([this.#tail, part.subarray(-EDGE)]).subarray(-EDGE));
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
    if (skipping) {
      this.#onOversize(size, this.#head, this.#tail.toString('utf8'));
      this.#tail = Buffer.alloc(0);
    } else {
      const line = bytes[bytes.length - 1] === CR ? bytes.subarray(0, -1) : bytes;
      if (isBlank(line)) this.#onBlank?.();
      else this.#onLine(line);
    }
  }
}

function isBlank(line: Buffer): boolean {
  for (let at = 0; at < line.length; at++) if (line[at] !== 0x20 && line[at] !== 0x09 && line[at] !== CR) return false;
  return true;
}

function firstBytes(chunks: readonly Buffer[]): string {
  const parts: Buffer[] = [];
  for (let size = 0, index = 0; size < EDGE && index < chunks.length; index++) {
    const part = chunks[index]?.subarray(0, EDGE - size) ?? Buffer.alloc(0);
    parts.push(part);
    size += part.length;
  }
  return Buffer.concat(parts).toString('utf8');
}
