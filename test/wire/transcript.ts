/** Golden transcripts: what goes over the wire, request by request, in files a person can read and a diff can show. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Gateway } from '../fixtures/gateway.ts';

/** Name of the environment variable that writes the golden files anew. */
const UPDATE = 'SIGNALBOX_UPDATE_GOLDEN';

/** Records what is sent and what comes back, and compares it with `test/wire/golden/<name>.txt`. */
export class Transcript {
  readonly #gateway: Gateway;
  readonly #lines: string[] = [];
  readonly #replace = new Map<string, string>();

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    this.#replace.set(String(gateway.port), 'PORT');
  }

  /** Sends a message and records the exchange; returns the messages that came back and the answer's headers. */
  async send(message: object, headers: Record<string, string> = {}): Promise<{ messages: Record<string, unknown>[]; headers: Headers }> {
    this.note(`> ${JSON.stringify(message)}`);
    const answer = await this.#gateway.post(message, headers);
    const session = answer.headers.get('mcp-session-id');
    if (session !== null) this.#replace.set(session, 'SESSION');
    const type = answer.headers.get('content-type') ?? '(no body)';
    this.note(`< ${answer.status} ${type}`);
    const text = await answer.text();
    const messages = messagesOf(type, text);
    for (const received of messages) this.note(`< ${JSON.stringify(received)}`);
    return { messages, headers: answer.headers };
  }

  /** Records a line that is not an exchange of {@link send}. */
  note(line: string): void {
    this.#lines.push(line);
  }

  /** Compares with the golden file; a missing file fails, so that nothing passes by not existing. */
  check(name: string): void {
    let text = `${this.#lines.join('\n')}\n`;
    for (const [from, to] of this.#replace) text = text.replaceAll(from, to);
    const file = join(import.meta.dirname, 'golden', `${name}.txt`);
    if (process.env[UPDATE] !== undefined) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    assert.ok(existsSync(file), `${file} is missing; write it with ${UPDATE}=1`);
    assert.equal(text, readFileSync(file, 'utf8'));
  }
}

/** The messages of an answer: one of JSON, or the events of a stream. */
export function messagesOf(type: string, text: string): Record<string, unknown>[] {
  if (type.startsWith('application/json')) return [JSON.parse(text) as Record<string, unknown>];
  return text
    .split('\n')
    .filter((line) => /^data: ./.test(line)) // an event with an id and no data says where to come back to
    .map((line) => JSON.parse(line.slice(6)) as Record<string, unknown>);
}

/** Reads events of an open stream one by one. */
export async function* eventsOf(answer: globalThis.Response): AsyncGenerator<Record<string, unknown>> {
  let buffered = '';
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    buffered += decoder.decode(chunk, { stream: true });
    for (let end = buffered.indexOf('\n\n'); end !== -1; end = buffered.indexOf('\n\n')) {
      const event = buffered.slice(0, end);
      buffered = buffered.slice(end + 2);
      const data = event.split('\n').find((line) => /^data: ./.test(line));
      if (data !== undefined) yield JSON.parse(data.slice(6)) as Record<string, unknown>;
    }
  }
}

/** Params of a modern request: the envelope of 2026-07-28 around the given ones. */
export function modernParams(params: Record<string, unknown> = {}): Record<string, unknown> {
  const meta = (params['_meta'] ?? {}) as object;
  return {
    ...params,
    _meta: { ...meta, 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
  };
}

/** Headers of a modern request. */
export function modernHeaders(method: string, name?: string): Record<string, string> {
  return { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...(name === undefined ? {} : { 'mcp-name': name }) };
}
