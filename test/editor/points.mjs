// The point machine of the branch line: a server with one fault, which conformance tests find and show at its line.
const TOOLS = [
  {
    name: 'point_position',
    description: 'How a point lies',
    inputSchema: { type: 'object', properties: { point: { type: 'string' } }, required: ['point'] },
    annotations: { readOnlyHint: true },
  },
];

const answers = Object.assign(Object.create(null), {
  initialize: ({ protocolVersion }) => ({
    protocolVersion: protocolVersion === '2025-06-18' ? protocolVersion : '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'points', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: TOOLS }),
  // The fault: `content` is a list of blocks, not a text.
  'tools/call': ({ name, arguments: given }) =>
    name === 'point_position' && typeof given?.point === 'string' ? { content: 'normal' } : undefined,
});

const write = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

function receive(line) {
  let message;
  try {
    message = JSON.parse(line);
  } catch {
    write({ id: null, error: { code: -32700, message: 'This is not JSON.' } });
    return;
  }
  const { id, method, params = {} } = message ?? {};
  if (typeof method === 'string' && message.jsonrpc === '2.0' && id === undefined) return;
  const known = typeof method === 'string' ? answers[method] : undefined;
  const valid = message?.jsonrpc === '2.0' && typeof method === 'string' && (typeof id === 'string' || Number.isInteger(id));
  const result = valid && typeof params === 'object' && params !== null && !Array.isArray(params) ? known?.(params) : undefined;
  if (result !== undefined) write({ id, result });
  else write({ id: valid ? id : null, error: { code: valid ? (known === undefined ? -32601 : -32602) : -32600, message: 'No.' } });
}

let rest = '';
process.stdin.setEncoding('utf8').on('data', (chunk) => {
  const lines = `${rest}${chunk}`.split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) receive(line);
});
