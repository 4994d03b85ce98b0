/** A server on the standard streams of a child process (MCP transports, "stdio"). */
import { SignalboxError } from '../api/errors.ts';
import { byteLength, encode, readFrame } from '../protocol/frame.ts';
import { idAtEdge, type Message } from '../protocol/message.ts';
import { LineFramer } from './framing.ts';
import type { Child, Link, LinkListener } from './link.ts';
import { busy, notJson, tooLarge } from './link-errors.ts';
import { OutgoingLines } from './outgoing-lines.ts';

/** What a stdio link needs to know. */
export interface StdioLinkOptions {
  /** Name for errors. */
  readonly server: string;
  /** Largest frame in bytes, both directions; may change, and holds for the answer of whatever is sent from then on. */
  readonly messageBytes: number;
  /** Receives each line of stderr. */
  readonly onStderr: (line: string) => void;
}

/** Lines of stderr kept for the error of a server that died. */
const TAIL = 5;
/** Frames of the largest size that may wait for a server that does not read. */
const WAITING = 2;

/** Speaks newline-delimited JSON-RPC with a child. */
export function stdioLink(child: Child, listener: LinkListener, options: StdioLinkOptions): Link {
  const { server } = options;
  const lastWords: string[] = [];
  let closing = false;
  const framer = new LineFramer(
    options.messageBytes,
    (line) => {
      let message: Message;
      try {
        message = readFrame(line);
      } catch (cause) {
        listener.fault(notJson(server, line.toString('utf8', 0, 480), cause));
        return;
      }
      listener.message(message, undefined, line.length);
    },
    (bytes, head, tail) => listener.fault(tooLarge(server, bytes, options.messageBytes), idAtEdge(head, tail)),
  );
  const stderr = new LineFramer(
    64 * 1024,
    (bytes) => {
      const line = bytes.toString('utf8');
      lastWords.push(line);
      if (lastWords.length > TAIL) lastWords.shift();
      options.onStderr(line);
    },
    () => options.onStderr('(a line over 64 KiB was left out)'),
  );
  child.stdout.on('data', (chunk: Buffer) => framer.push(chunk));
  child.stdout.on('end', () => framer.end());
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A server that closes its stdin early ends in `exited`; EPIPE here says nothing more.
  child.stdin.on('error', () => {});
  const outgoing = new OutgoingLines(child.stdin);
  void child.exited.then(({ code, signal }) => {
    listener.closed(
      new SignalboxError(
        'SBX_SERVER_EXITED',
        `Server "${server}" ended${closing ? '' : ' on its own'} (${signal ?? `exit code ${code}`}).`,
        {
          why: lastWords.length > 0 ? `Its last words on stderr: ${lastWords.join(' | ').slice(0, 600)}` : 'It said nothing on stderr.',
          fix: `Run its command by hand to see why, then \`signalbox servers restart ${server}\`.`,
        },
      ),
    );
  });
  return {
    kind: 'stdio',
    pid: child.pid,
    send(message) {
      const { messageBytes } = options;
      framer.limit = messageBytes;
      const frame = encode(message);
      const size = byteLength(frame);
      const id = 'id' in message && message.id !== null ? message.id : undefined;
      if (size > messageBytes) listener.fault(tooLarge(server, size, messageBytes), id);
      else if (outgoing.waiting + size > WAITING * messageBytes) listener.fault(busy(server, outgoing.waiting), id);
      else {
        outgoing.add(frame, size);
        return size;
      }
      return 0;
    },
    abandon() {},
    agreed() {},
    close() {
      closing = true;
      outgoing.flush();
      return child.end();
    },
  };
}
