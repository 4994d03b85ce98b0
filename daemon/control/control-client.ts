/** The control channel as a client of the daemon's endpoints: its requests go the way of all, and are seen by the tap like all. */
import type { Origin, Tap, TapChannel } from '../api/sessions.ts';
import { type JsonObject, type Message, type Request, type Response, response } from '../protocol/message.ts';
import type { EndpointView } from '../router/endpoint-view.ts';
import type { Router } from '../router/router.ts';

/** Name under which the command line and the extension call. No client of the configuration is called so: nothing is hidden from a local person. */
export const CONTROL_CLIENT = 'control';

/** One request as the tap sees it. */
export class SeenRequest {
  readonly origin: Origin;
  readonly #channel: TapChannel;

  constructor(channel: TapChannel, request: Request) {
    this.#channel = channel;
    this.origin = channel.in(request, { era: 'legacy' });
  }

  /** What the person is told or asked, and the answer. */
  out(message: Message): void {
    this.#channel.out(message, { era: 'legacy', origin: this.origin });
  }

  /** What the person answers. */
  in(message: Message): void {
    this.#channel.in(message, { era: 'legacy', origin: this.origin });
  }

  /** It was given up. */
  fault(why: string): void {
    this.#channel.fault(why, this.origin);
  }
}

/** Sends requests through endpoints. */
export class ControlClient {
  readonly #router: Router;
  readonly #tap: Tap | undefined;
  readonly #channels = new Map<string, TapChannel>();
  #next = 1;

  constructor(router: Router, tap: Tap | undefined) {
    this.#router = router;
    this.#tap = tap;
  }

  /** Shows a request to the tap. */
  see(view: EndpointView, request: Request): SeenRequest | undefined {
    const channel = this.#channel(view);
    return channel && new SeenRequest(channel, request);
  }

  /** Sends one request; never rejects. */
  async request(view: EndpointView, method: string, params: JsonObject | undefined): Promise<Response> {
    const request: Request = { jsonrpc: '2.0', id: this.#next++, method, ...(params === undefined ? {} : { params }) };
    const seen = this.see(view, request);
    const outcome = await this.#router.handle(view, {
      request,
      era: 'legacy',
      caller: { principal: CONTROL_CLIENT, client: '' },
      signal: new AbortController().signal,
      notify: (notification) => seen?.out(notification),
      origin: seen?.origin,
    });
    const answer = response(request.id, outcome);
    seen?.out(answer);
    return answer;
  }

  #channel({ endpoint: { path, workspace } }: EndpointView): TapChannel | undefined {
    let channel = this.#channels.get(path);
    if (channel !== undefined || this.#tap === undefined) return channel;
    channel = this.#tap.open({
      edge: 'client',
      transport: 'control',
      client: CONTROL_CLIENT,
      endpoint: path,
      ...(workspace === undefined ? {} : { workspace }),
    });
    this.#channels.set(path, channel);
    return channel;
  }
}
