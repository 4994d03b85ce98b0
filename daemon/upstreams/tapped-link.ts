/** Shows every link to the tap, whatever transport it is: what is sent, what arrives, and what each frame belongs to. */
import type { ResolvedServer } from '../api/config.ts';
import type { Direction, Origin, Tap, TapChannel, TapTransport } from '../api/sessions.ts';
import type { Message, RequestId } from '../protocol/message.ts';
import type { Link, LinkListener, OpenLink } from './link.ts';

/** The same function; its links are seen by the tap. */
export function tapped(open: OpenLink, tap: Tap, { name, entry }: ResolvedServer, workspace: string | undefined): OpenLink {
  const peer = { edge: 'server', server: name, ...(workspace === undefined ? {} : { workspace }) } as const;
  const transport = transportOf(entry);
  return async (listener, session) => {
    const begin = (link: Pick<Link, 'kind' | 'pid'>): TapChannel =>
      tap.open({
        ...peer,
        transport: transport ?? link.kind,
        ...(link.pid === undefined ? {} : { pid: link.pid }),
        ...(session === undefined ? {} : { session }),
      });
    const seen = new SeenListener(listener);
    let link: Link;
    try {
      link = await open(seen, session);
    } catch (error) {
      const channel = begin({ kind: 'stdio' });
      channel.fault(error instanceof Error ? error.message : String(error));
      channel.close('It could not be opened.');
      throw error;
    }
    seen.channel = begin(link);
    return new TappedLink(link, seen, begin);
  };
}

/** What a link that is no wire cannot tell of itself. */
function transportOf(entry: ResolvedServer['entry']): TapTransport | undefined {
  if ('chain' in entry || 'aggregate' in entry) return 'pattern';
  return 'recording' in entry ? 'recording' : undefined;
}

/** Hands over what arrives, after the tap has seen it: what follows from it comes after it in time. */
class SeenListener implements LinkListener {
  readonly #listener: LinkListener;
  channel: TapChannel | undefined;

  constructor(listener: LinkListener) {
    this.#listener = listener;
  }

  message(message: Message, related?: RequestId, bytes?: number): void {
    const origin = this.#listener.originOf?.(message, related);
    // One object for every frame: all of one shape, whatever is known of it.
    this.channel?.in(message, { bytes, stream: related, origin });
    this.#listener.message(message, related, bytes);
  }

  aside(direction: Direction, message: Message, request: RequestId | undefined): void {
    const origin = request === undefined ? undefined : this.#listener.originOf?.({ jsonrpc: '2.0', id: request, result: {} });
    this.channel?.[direction](message, { origin, stream: request });
  }

  fault(error: Parameters<LinkListener['fault']>[0], id?: RequestId): void {
    const origin = id === undefined ? undefined : this.#listener.originOf?.({ jsonrpc: '2.0', id, result: {} });
    this.channel?.fault(`${error.message} ${error.why} (${error.code})`, origin);
    this.#listener.fault(error, id);
  }

  closed(error: Parameters<LinkListener['closed']>[0]): void {
    this.channel?.close(`${error.message} ${error.why}`);
    this.channel = undefined;
    this.#listener.closed(error);
  }
}

class TappedLink implements Link {
  readonly #link: Link;
  readonly #seen: SeenListener;
  readonly #begin: (link: Link) => TapChannel;
  readonly pid?: number;
  #kind: Link['kind'];

  constructor(link: Link, seen: SeenListener, begin: (link: Link) => TapChannel) {
    this.#link = link;
    this.#seen = seen;
    this.#begin = begin;
    this.#kind = link.kind;
    if (link.pid !== undefined) this.pid = link.pid;
  }

  get kind(): Link['kind'] {
    return this.#link.kind;
  }

  send(message: Message, origin?: Origin): number | undefined {
    const bytes = this.#link.send(message, origin);
    if (bytes !== 0) this.#seen.channel?.out(message, { bytes, stream: undefined, origin });
    return bytes;
  }

  abandon(id: RequestId): void {
    this.#link.abandon(id);
  }

  agreed(revision: string): void {
    // A server that turned out to know only HTTP+SSE has another connection since its first answer.
    if (this.#link.kind !== this.#kind && this.#seen.channel !== undefined) {
      this.#kind = this.#link.kind;
      this.#seen.channel.close('The server knows only HTTP+SSE; another connection took over.');
      this.#seen.channel = this.#begin(this.#link);
    }
    this.#link.agreed(revision);
  }

  async close(): Promise<void> {
    await this.#link.close();
    // Some links end without a word when they are told to.
    this.#seen.channel?.close('It was closed.');
    this.#seen.channel = undefined;
  }
}
