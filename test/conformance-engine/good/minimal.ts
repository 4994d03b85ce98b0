/** A correct server in a few lines, legacy and strict, over a pipe: two tools, nothing before the handshake, no capability but tools. */
type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const say = (message: Json): void => void process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const fail = (id: unknown, code: number, message: string): void => say({ id, error: { code, message } });

const TOOLS = [
  {
    name: 'shout',
    description: 'Says it louder',
    inputSchema: { type: 'object', properties: { words: { type: 'string', minLength: 1, maxLength: 2000 } }, required: ['words'] },
    annotations: { readOnlyHint: true },
  },
  {
    name: 'half',
    inputSchema: { type: 'object', properties: { of: { type: 'number' } }, required: ['of'], additionalProperties: false },
    outputSchema: { type: 'object', properties: { half: { type: 'number' } }, required: ['half'] },
    annotations: { readOnlyHint: true, idempotentHint: true },
  },
];

let greeted = false;

function call(params: Json): Json | undefined {
  const args = params['arguments'] ?? {};
  const refusal = (text: string): Json => ({ content: [{ type: 'text', text }], isError: true });
  if (!isObject(args)) return undefined;
  if (params['name'] === 'shout') {
    const { words } = args;
    if (typeof words !== 'string' || words === '' || [...words].length > 2000) return refusal('words: 1 to 2000 characters');
    return { content: [{ type: 'text', text: `${words}!` }] };
  }
  if (params['name'] !== 'half') return undefined;
  if (typeof args['of'] !== 'number' || Object.keys(args).length !== 1) return refusal('of: a number');
  const structuredContent = { half: args['of'] / 2 };
  return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
}

function request(id: string | number, method: string, params: Json): void {
  if (method === 'ping') return say({ id, result: {} });
  if (method === 'initialize') {
    if (greeted) return fail(id, -32600, 'Already initialized');
    if (typeof params['protocolVersion'] !== 'string' || !isObject(params['capabilities']) || !isObject(params['clientInfo']))
      return fail(id, -32602, 'Invalid params');
    greeted = true;
    return say({
      id,
      result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'minimal', version: '1' } },
    });
  }
  if (!greeted) return fail(id, -32600, 'Not initialized');
  if (method === 'tools/list')
    return params['cursor'] === undefined ? say({ id, result: { tools: TOOLS } }) : fail(id, -32602, 'No such cursor');
  if (method !== 'tools/call') return fail(id, -32601, `No method ${method.slice(0, 80)}`);
  const result = call(params);
  return result === undefined ? fail(id, -32602, 'No such tool') : say({ id, result });
}

/** Takes one line. Lines end with a line feed and nothing else: `readline` would cut them at U+2028 too. */
function take(line: string): void {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return say({ id: null, error: { code: -32700, message: 'Parse error' } });
  }
  if (!isObject(message) || message['jsonrpc'] !== '2.0')
    return fail(isObject(message) && typeof message['id'] === 'string' ? message['id'] : null, -32600, 'Invalid request');
  const { id, method, params = {} } = message;
  if (typeof method !== 'string') {
    if (!('result' in message || 'error' in message)) fail(typeof id === 'string' ? id : null, -32600, 'Invalid request');
  } else if ('id' in message) {
    if (typeof id !== 'string' && !Number.isInteger(id)) fail(null, -32600, 'Invalid id');
    else if (!isObject(params)) fail(id, -32602, 'Invalid params');
    else request(id as string | number, method, params);
  }
}

let rest = '';
process.stdin.setEncoding('utf8');
for await (const chunk of process.stdin) {
  const lines = (rest + String(chunk)).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) take(line);
}
