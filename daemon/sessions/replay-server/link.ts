/** A replayed server inside the daemon: for the router it is a server like any other. */
import { SignalboxError } from '../../api/errors.ts';
import type { Message, RequestId } from '../../protocol/message.ts';
import type { Rehearsal } from './rehearsal.ts';
import { ReplaySession } from './session.ts';

/** What hears what the server says; the `LinkListener` of the upstreams. */
interface Listener {
  message(message: Message): void;
  closed(error: SignalboxError): void;
}
/** The `Link` of the upstreams. */
interface ReplayLink {
  readonly kind: 'stdio';
  send(message: Message): undefined;
  abandon(id: RequestId): void;
  agreed(revision: string): void;
  close(): Promise<void>;
}

/**
 * Makes the function that opens links to a recording. Every link is a client of its own.
 * @param name of the server, for errors
 * @param rehearse reads the recording; called for each link, so that a recording that was replaced is seen
 */
export function recordingOpener(name: string, rehearse: () => Promise<Rehearsal>): (listener: Listener) => Promise<ReplayLink> {
  return async (listener) => {
    const rehearsal = await rehearse();
    let closed = false;
    // Never within `send`: an answer comes after it everywhere else too.
    const session = new ReplaySession(rehearsal, (message) => {
      setImmediate(() => {
        if (!closed) listener.message(message);
      });
    });
    return {
      kind: 'stdio',
      send(message) {
        if (!closed) session.receive(message);
        return undefined;
      },
      abandon() {},
      agreed() {},
      async close() {
        if (closed) return;
        closed = true;
        session.close();
        listener.closed(
          new SignalboxError('SBX_SERVER_EXITED', `Server "${name}" ended.`, {
            why: 'It plays a recording and was taken out of use.',
            fix: 'Call again, or see `signalbox servers list`.',
          }),
        );
      },
    };
  };
}
