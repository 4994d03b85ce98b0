/** A server on the standard streams of a child process (MCP transports, "stdio"). */
import { SignalboxError } from '../api/errors.ts';
import { idAtEdge, type Message, parseMessage } from '../protocol/message.ts';
import { LineFramer } from './framing.ts';
import type { Child, Link, LinkListener } from './link.ts';

/** What a stdio link needs to know. */
export interface StdioLinkOptions {
  /** Name for errors. */
  readonly server: string;
  /** Largest frame in bytes, both directions. */
  readonly messageBytes: number;
  /** Receives each line of stderr. */
  readonly onStderr: (line: string) => void;
}

/** Lines of stderr kept for the error of a server that died. */
const TAIL = 5;

/** Speaks newline-delimited JSON-RPC with a child. */
export function stdioLink(child: Child, listener: LinkListener, options: StdioLinkOptions): Link {
  const { server, messageBytes } = options;
  const lastWords: string[] = [];
  let closing = false;
  const framer = new LineFramer(
    messageBytes,
    (line) => {
      let message: Message;
      try {
        message = parseMessage(line);
      } catch (cause) {
        listener.fault(notJson(server, line, cause));
        return;
      }
      listener.message(message);
    },
    (bytes, head, tail) => listener.fault(tooLarge(server, bytes, messageBytes), idAtEdge(head, tail)),
  );
  const stderr = new LineFramer(
    64 * 1024,
    (line) => {
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
      const text = JSON.stringify(message);
      if (Buffer.byteLength(text) > messageBytes) {
        listener.fault(
          tooLarge(server, Buffer.byteLength(text), messageBytes),
          'id' in message && message.id !== null ? message.id : undefined,
        );
        return;
      }
      child.stdin.write(`${text}\n`);
    },
    abandon() {},
    agreed() {},
    close() {
      closing = true;
      return child.end();
    },
  };
}

function notJson(server: string, line: string, cause: unknown): SignalboxError {
  return new SignalboxError('SBX_SERVER_NOT_JSON', `Server "${server}" printed something that is not a message on stdout.`, {
    why: `The line begins with: ${line.slice(0, 120)}`,
    fix: 'A stdio server may write only JSON-RPC to stdout; send its logging to stderr.',
    cause,
  });
}

/** The error for a frame over the limit. */
export function tooLarge(server: string, bytes: number, limit: number): SignalboxError {
  return new SignalboxError('SBX_MESSAGE_TOO_LARGE', `A message of server "${server}" has ${bytes} bytes.`, {
    why: `limits.messageBytes is ${limit}.`,
    fix: 'Ask for less, or raise limits.messageBytes in the configuration.',
  });
}
