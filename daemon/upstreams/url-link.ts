/** A server behind a URL, by the transport it speaks: Streamable HTTP, or HTTP+SSE where it knows only that (2025-11-25, "Backwards Compatibility"). */
import { HttpLink, type HttpLinkOptions } from './http-link.ts';
import type { Link, LinkListener } from './link.ts';
import { SseLink } from './sse-link.ts';

/** Opens a link by Streamable HTTP. When `initialize` is refused as an old server refuses it, HTTP+SSE takes over with the same message. */
export function urlLink(listener: LinkListener, options: HttpLinkOptions): Link {
  let link: Link;
  const streamable = new HttpLink(listener, options, (message, refusal) => {
    streamable.retire();
    link = new SseLink(listener, options, refusal);
    link.send(message);
  });
  link = streamable;
  return {
    get kind() {
      return link.kind;
    },
    send: (message, origin) => link.send(message, origin),
    abandon: (id) => link.abandon(id),
    agreed: (revision) => link.agreed(revision),
    close: () => link.close(),
  };
}
