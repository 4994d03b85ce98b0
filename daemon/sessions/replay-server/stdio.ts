/** A replayed server on standard streams. */
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultJudge } from '../../api/faults.ts';
import { RPC, rpcError } from '../../protocol/codes.ts';
import { encode } from '../../protocol/frame.ts';
import { readLines } from '../../protocol/lines.ts';
import { isRequest, type Message, parseMessage, response } from '../../protocol/message.ts';
import { faultyWay, type Way } from '../faults/answers.ts';
import type { Rehearsal } from './rehearsal.ts';
import { ReplaySession } from './session.ts';

/** Milliseconds that answers may still take when the client has said everything. */
const DRAIN_MS = 10_000;

/** The streams, and what ends the serving before the client does. */
export interface StdioParts {
  readonly input: Readable;
  readonly output: Writable;
  readonly signal: AbortSignal;
  readonly faults?: FaultJudge;
}

/** Plays to the client at the other end until it closes its side; resolves then. */
export async function serveStdio(rehearsal: Rehearsal, { input, output, signal, faults }: StdioParts): Promise<void> {
  const write = (text: string): void => void output.write(`${text}\n`);
  const way: Way = {
    send: (message: Message): void => {
      const frame = encode(message);
      write(typeof frame === 'string' ? frame : Buffer.concat(frame).toString('utf8'));
    },
    cut: write,
    disconnect: (): void => lines.close(),
  };
  const session = new ReplaySession(rehearsal, way.send);
  const lines = readLines(input, (line) => {
    if (line.trim() === '') return;
    let message: Message;
    try {
      message = parseMessage(line);
    } catch (error) {
      return way.send(response(null, { error: rpcError(error, RPC.parse) }));
    }
    const send = isRequest(message) && faults !== undefined ? faultyWay(message, way, faults) : way.send;
    if (send !== undefined) session.receive(message, send);
  });
  // A client that is gone reads no more; its end of the input says the same.
  output.on('error', () => lines.close());
  const stop = (): void => lines.close();
  signal.addEventListener('abort', stop, { once: true });
  await lines.closed;
  signal.removeEventListener('abort', stop);
  // Whoever pipes requests in wants the answers that are still to come.
  for (const until = Date.now() + DRAIN_MS; !signal.aborted && (session.schedule.waiting || (way.waiting ?? 0) > 0) && Date.now() < until; )
    await sleep(20);
  session.close();
  input.pause();
}
