/** A legacy client over plain HTTP: sees every event with its id, and can let go of a stream and come back to it. */
import assert from 'node:assert/strict';

/** One event as it came. */
export interface SeenEvent {
  readonly id?: string;
  readonly retry?: string;
  readonly event?: string;
  /** Absent on an event without data. */
  readonly message?: Record<string, unknown>;
}

/** A stream being read. */
export interface OpenStream {
  /** The next event. @throws when the stream has ended */
  next(): Promise<SeenEvent>;
  /** Every event until the stream ends. */
  rest(): Promise<SeenEvent[]>;
  /** Lets go of the connection, as a client does that lost its network. */
  cut(): void;
}

/** A session of our own over plain HTTP. */
export class RawSession {
  readonly #url: string;
  readonly #token: string;
  #id = '';
  #revision = '2025-11-25';
  #next = 1000;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** `Mcp-Session-Id`. */
  get id(): string {
    return this.#id;
  }

  /** Opens the session: handshake and `notifications/initialized`. */
  async open(revision = '2025-11-25', capabilities: object = {}): Promise<this> {
    const params = { protocolVersion: revision, capabilities, clientInfo: { name: 'raw', version: '1' } };
    const answer = await this.fetch('POST', { jsonrpc: '2.0', id: 0, method: 'initialize', params });
    assert.equal(answer.status, 200, await answer.clone().text());
    await answer.text();
    this.#id = answer.headers.get('mcp-session-id') ?? '';
    this.#revision = revision;
    await this.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return this;
  }

  /** One HTTP request of the session. */
  fetch(method: string, body?: object, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    return fetch(this.#url, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
        ...(this.#id === '' ? {} : { 'mcp-session-id': this.#id, 'mcp-protocol-version': this.#revision }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** POSTs a notification or an answer; it is accepted. */
  async send(message: object): Promise<void> {
    const answer = await this.fetch('POST', message);
    assert.equal(answer.status, 202, await answer.text());
  }

  /** A request that is answered with JSON at once. */
  async rpc(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const answer = await this.fetch('POST', { jsonrpc: '2.0', id: this.#next++, method, params });
    return (await answer.json()) as Record<string, unknown>;
  }

  /** A tool call that is answered at once: its first text. */
  async call(name: string, args: object = {}): Promise<string> {
    return textOf(await this.rpc('tools/call', { name, arguments: args }));
  }

  /** A request whose answer is read as a stream; resolves when the headers are there. */
  async stream(id: string | number, method: string, params: object): Promise<OpenStream> {
    const abort = new AbortController();
    return opened(await this.fetch('POST', { jsonrpc: '2.0', id, method, params }, {}, abort.signal), abort);
  }

  /** The standing stream, or the one an event stood on. */
  async listen(lastEventId?: string): Promise<OpenStream> {
    const abort = new AbortController();
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    return opened(await this.fetch('GET', undefined, headers as Record<string, string>, abort.signal), abort);
  }
}

/** The first text of a tool's answer, or of its error. */
export function textOf(answer: Record<string, unknown> | undefined): string {
  const { result, error } = (answer ?? {}) as { result?: { content?: { text?: string }[] }; error?: { message: string } };
  return result?.content?.[0]?.text ?? error?.message ?? JSON.stringify(answer);
}

function opened(answer: Response, abort: AbortController): OpenStream {
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/event-stream');
  const events = eventsOf(answer);
  const next = async (): Promise<SeenEvent> => {
    const { value, done } = await events.next();
    assert.ok(done !== true, 'the stream ended before the event came');
    return value;
  };
  return {
    next,
    rest: async () => {
      const all: SeenEvent[] = [];
      for (;;) {
        const { value, done } = await events.next();
        if (done === true) return all;
        all.push(value);
      }
    },
    cut: () => abort.abort(),
  };
}

async function* eventsOf(answer: Response): AsyncGenerator<SeenEvent, undefined> {
  let buffered = '';
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    buffered += decoder.decode(chunk, { stream: true });
    for (let end = buffered.indexOf('\n\n'); end !== -1; end = buffered.indexOf('\n\n')) {
      const fields = Object.fromEntries(
        buffered
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      buffered = buffered.slice(end + 2);
      if (Object.keys(fields).join() === '') continue; // a comment
      const { id, retry, event, data } = fields;
      yield {
        ...(id === undefined ? {} : { id }),
        ...(retry === undefined ? {} : { retry }),
        ...(event === undefined ? {} : { event }),
        ...(data === undefined || data === '' ? {} : { message: parsed(data) }),
      };
    }
  }
}

function parsed(data: string): Record<string, unknown> {
  return (data.startsWith('{') ? JSON.parse(data) : { text: data }) as Record<string, unknown>;
}
