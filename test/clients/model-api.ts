/** A loopback stand-in for the Anthropic Messages API: it plays a script of tool calls and keeps what the client sent back. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One turn of the scripted model: a tool call, or (without `tool`) a closing text. */
export interface Turn {
  /** Exposed to the client as a `tool_use` block. `name` is the client's full name, `mcp__signalbox__…`. */
  readonly tool?: { readonly name: string; readonly input: Readonly<Record<string, unknown>> };
  /** Closing text; the turn ends with `end_turn`. */
  readonly text?: string;
  /** Awaited after the request arrived and before the turn is answered: where a test restarts the daemon in mid-session. */
  readonly before?: () => Promise<void>;
}

/** A `tool_result` block as the model received it. */
export interface ToolResult {
  readonly toolUseId: string;
  /** Name of the tool the scripted call asked for. */
  readonly tool: string;
  readonly isError: boolean;
  /** The text blocks, joined by newlines. */
  readonly text: string;
}

/** A running model API. */
export interface ModelApi {
  /** `http://127.0.0.1:PORT`, for `ANTHROPIC_BASE_URL`. */
  readonly url: string;
  /** Names of the tools offered to the model, from every request so far. */
  readonly toolsOffered: ReadonlySet<string>;
  /** Results of the scripted calls, in the order they were asked for. */
  results(): readonly ToolResult[];
  /** Turns not yet played. */
  readonly remaining: number;
  close(): Promise<void>;
}

interface MessagesRequest {
  readonly model?: string;
  readonly stream?: boolean;
  readonly tools?: readonly { readonly name?: string }[];
  readonly messages?: readonly { readonly role: string; readonly content: string | readonly ContentBlock[] }[];
}
interface ContentBlock {
  readonly type: string;
  readonly text?: string;
  readonly tool_use_id?: string;
  readonly is_error?: boolean;
  readonly content?: string | readonly ContentBlock[];
}

/**
 * Starts the API on a free loopback port.
 * @param script turns, played one per request of the agent loop (a request that offers tools); after the last one every request ends the turn
 */
export async function startModelApi(script: readonly Turn[]): Promise<ModelApi> {
  const turns = [...script];
  const toolsOffered = new Set<string>();
  const results = new Map<string, ToolResult>();
  let played = 0;

  async function answer(request: MessagesRequest, response: ServerResponse): Promise<void> {
    for (const tool of request.tools ?? []) if (tool.name !== undefined) toolsOffered.add(tool.name);
    keepResults(request, script, results);
    // Side requests (titles, summaries) offer no tools and must not use up a turn of the script.
    const turn = (request.tools?.length ?? 0) > 0 ? turns.shift() : undefined;
    await turn?.before?.();
    const block =
      turn?.tool === undefined
        ? { type: 'text', text: turn?.text ?? 'Done.' }
        : { type: 'tool_use', id: `toolu_${String(played).padStart(4, '0')}`, name: turn.tool.name, input: turn.tool.input };
    if (turn !== undefined) played += 1;
    send(response, request, block, turn?.tool === undefined ? 'end_turn' : 'tool_use');
  }

  const server = createServer((request, response) => {
    body(request)
      .then(async (text) => {
        const path = request.url?.split('?')[0] ?? '/';
        if (path === '/v1/messages') await answer(JSON.parse(text) as MessagesRequest, response);
        else if (path === '/v1/messages/count_tokens') json(response, 200, { input_tokens: 1 });
        else if (request.method === 'HEAD' || path === '/') json(response, 200, {});
        else json(response, 404, { type: 'error', error: { type: 'not_found_error', message: `nothing at ${path}` } });
      })
      .catch((thrown: unknown) => {
        // A script step that fails must show in the client's transcript, not hang it.
        if (!response.headersSent)
          json(response, 400, { type: 'error', error: { type: 'invalid_request_error', message: String(thrown) } });
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    toolsOffered,
    results: () => [...results.values()],
    get remaining() {
      return turns.length;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function keepResults(request: MessagesRequest, script: readonly Turn[], results: Map<string, ToolResult>): void {
  for (const message of request.messages ?? []) {
    if (typeof message.content === 'string') continue;
    for (const block of message.content) {
      if (block.type !== 'tool_result' || block.tool_use_id === undefined) continue;
      const index = Number(block.tool_use_id.slice('toolu_'.length));
      results.set(block.tool_use_id, {
        toolUseId: block.tool_use_id,
        tool: script[index]?.tool?.name ?? '',
        isError: block.is_error === true,
        text: typeof block.content === 'string' ? block.content : (block.content ?? []).map(({ text }) => text ?? '').join('\n'),
      });
    }
  }
}

type AnswerBlock = { type: string; text?: string; id?: string; name?: string; input?: Readonly<Record<string, unknown>> };

/** One assistant message, streamed as the real API does or whole, as the client asked. */
function send(response: ServerResponse, request: MessagesRequest, block: AnswerBlock, stopReason: string): void {
  const usage = { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  const message = {
    id: 'msg_loopback',
    type: 'message',
    role: 'assistant',
    model: request.model ?? 'loopback',
    stop_sequence: null,
    usage,
  };
  if (request.stream !== true) {
    json(response, 200, { ...message, content: [block], stop_reason: stopReason });
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const event = (type: string, data: object): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  };
  event('message_start', { message: { ...message, content: [], stop_reason: null } });
  const text = block.type === 'text';
  event('content_block_start', { index: 0, content_block: text ? { type: 'text', text: '' } : { ...block, input: {} } });
  event('content_block_delta', {
    index: 0,
    delta: text ? { type: 'text_delta', text: block.text } : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) },
  });
  event('content_block_stop', { index: 0 });
  event('message_delta', { delta: { stop_reason: stopReason, stop_sequence: null }, usage: { output_tokens: 1 } });
  event('message_stop', {});
  response.end();
}

function json(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
