/** HTTP/1.1 over a bare keep-alive socket, one request at a time: a load generator must cost less than what it measures. */
import { connect, type Socket } from 'node:net';

/** Where a request goes. */
export interface Target {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}
/** An answer. */
export interface Answer {
  readonly status: number;
  /** Header lines as they came, lower case. */
  readonly head: string;
  /** Bytes of the body. */
  readonly bytes: number;
  /** The body when it is small or was asked for, else its first and last chunk. */
  readonly body: Buffer;
}

/** Bodies up to this many bytes are kept whole. */
const KEPT = 65_536;
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** The bytes of a POST, and where `mark` stands in it. */
export function post(target: Target, body: string, mark?: string): { readonly bytes: Buffer; readonly marks: readonly number[] } {
  const lines = Object.entries({
    host: `127.0.0.1:${target.port}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'content-length': String(Buffer.byteLength(body)),
    ...target.headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const bytes = Buffer.from(`POST ${target.path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  const marks: number[] = [];
  for (let at = mark === undefined ? -1 : bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark ?? '', at + 1)) marks.push(at);
  return { bytes, marks };
}

/** One connection. */
export class RawClient {
  readonly #socket: Socket;
  readonly #whole: boolean;
  #waiting: PromiseWithResolvers<Answer> | undefined;
  #head = '';
  #status = 0;
  /** Bytes of the body (or of the chunk, when chunked) still to come; undefined while the head is read. */
  #left: number | undefined;
  #chunked = false;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Bytes that could not be understood yet: the end of a head or of a chunk's size line. */
  #rest: Buffer | undefined;

  /** @param whole keep whole bodies of any size */
  constructor(port: number, whole = false) {
    this.#whole = whole;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#waiting?.reject(error));
    this.#socket.on('close', () => this.#waiting?.reject(new Error('The connection was closed in the middle of an answer.')));
  }

  /** Sends a request made by {@link post}; the answer once it is complete. */
  send(bytes: Buffer): Promise<Answer> {
    this.#waiting = Promise.withResolvers();
    this.#socket.write(bytes);
    return this.#waiting.promise;
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #read(received: Buffer): void {
    let chunk = received;
    if (this.#rest !== undefined) {
      chunk = Buffer.concat([this.#rest, received]);
      this.#rest = undefined;
    }
    if (this.#left === undefined) {
      const end = chunk.indexOf(END_OF_HEAD);
      if (end < 0) {
        this.#rest = chunk;
        return;
      }
      this.#begin(chunk.toString('latin1', 0, end).toLowerCase());
      chunk = chunk.subarray(end + 4);
    }
    if (this.#chunked) this.#readChunks(chunk);
    else {
      this.#keep(chunk);
      this.#left = (this.#left ?? 0) - chunk.length;
      if (this.#left <= 0) this.#finish();
    }
  }

  #begin(head: string): void {
    this.#head = head;
    this.#status = Number(head.slice(9, 12));
    this.#chunked = head.includes('\r\ntransfer-encoding: chunked');
    const at = head.indexOf('\r\ncontent-length: ');
    this.#left = at < 0 ? 0 : Number.parseInt(head.slice(at + 18, at + 30), 10);
    this.#parts = [];
    this.#bytes = 0;
  }

  /** RFC 9112 section 7.1, without trailers: what Node writes. */
  #readChunks(received: Buffer): void {
    let chunk = received;
    for (;;) {
      const left = this.#left ?? 0;
      if (left > 2) {
        // data; the two bytes after it are the line's end
        const data = chunk.subarray(0, left - 2);
        this.#keep(data);
        if (chunk.length < left) {
          this.#left = Math.max(left - chunk.length, 2);
          if (data.length === left - 2) this.#rest = chunk.subarray(data.length);
          return;
        }
        chunk = chunk.subarray(left);
        this.#left = 0;
      } else if (left === 2) {
        if (chunk.length < 2) {
          this.#rest = chunk;
          return;
        }
        chunk = chunk.subarray(2);
        this.#left = 0;
      }
      if (chunk.length === 0) return;
      const end = chunk.indexOf('\r\n');
      const size = end < 0 ? Number.NaN : Number.parseInt(chunk.toString('latin1', 0, end), 16);
      if (Number.isNaN(size) || (size === 0 && chunk.length < end + 4)) {
        this.#rest = chunk;
        return;
      }
      if (size === 0) return this.#finish();
      chunk = chunk.subarray(end + 2);
      this.#left = size + 2;
      if (chunk.length === 0) return;
    }
  }

  #keep(data: Buffer): void {
    if (data.length === 0) return;
    this.#bytes += data.length;
    if (this.#whole || this.#bytes <= KEPT || this.#parts.length < 2) this.#parts.push(data);
    else this.#parts[this.#parts.length - 1] = data;
  }

  #finish(): void {
    const { promise: _, ...waiting } = this.#waiting ?? Promise.withResolvers<Answer>();
    this.#waiting = undefined;
    this.#left = undefined;
    const body = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
    waiting.resolve({ status: this.#status, head: this.#head, bytes: this.#bytes, body });
  }
}
