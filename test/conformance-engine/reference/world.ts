/**
 * A server that does things to the world, over stdio, legacy: `node world.ts LOG`. Every call is a line of the file LOG. No tool says that it is
 * read-only, and nothing shows unless a tool is called with the right arguments: that is what settings are for.
 */
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isObject, type JsonObject } from '../../../daemon/protocol/message.ts';

const log = process.argv[2] ?? '';
let note = 'first';
let grown = 0;
let next = 0;
const waiting = new Map<unknown, (answer: JsonObject) => void>();

const send = (message: JsonObject): void => void process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const schema = (properties: JsonObject): JsonObject => ({ type: 'object', properties, additionalProperties: false });
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

const tools = (): readonly JsonObject[] => [
  { name: 'deploy', inputSchema: schema({ to: { type: 'string' }, dryRun: { type: 'boolean' } }) },
  { name: 'nap', inputSchema: schema({ ms: { type: 'integer', minimum: 0, maximum: 1000 } }) },
  { name: 'chat', inputSchema: schema({ loud: { type: 'boolean' } }) },
  { name: 'march', inputSchema: schema({ steps: { type: 'integer', minimum: 0, maximum: 5 } }) },
  { name: 'grow', inputSchema: schema({ really: { type: 'boolean' } }) },
  { name: 'edit', inputSchema: schema({ text: { type: 'string' } }) },
  { name: 'ask', inputSchema: schema({ question: { type: 'string' } }) },
  { name: 'reset', inputSchema: schema({}) },
  ...Array.from({ length: grown }, (_, index) => ({ name: `grown-${index}`, inputSchema: schema({}) })),
];

async function call(name: string, args: JsonObject, meta: JsonObject, elicits: boolean): Promise<JsonObject> {
  appendFileSync(log, `${JSON.stringify({ name, args })}\n`);
  if (name === 'nap') await pause(Number(args['ms'] ?? 0));
  if (name === 'chat' && args['loud'] === true) send({ method: 'notifications/message', params: { level: 'warning', data: 'here I am' } });
  if (name === 'march' && meta['progressToken'] !== undefined)
    for (let step = 1; step <= Number(args['steps'] ?? 0); step++)
      send({ method: 'notifications/progress', params: { progressToken: meta['progressToken'], progress: step } });
  // it says that it would notify, and does not
  if (name === 'grow' && args['really'] === true) grown = (grown + 1) % 2;
  if (name === 'edit') note = `${String(args['text'] ?? '')} ${next++}`;
  if (name === 'ask' && args['question'] !== undefined && elicits) {
    const id = `q${next++}`;
    const answered = new Promise<JsonObject>((done) => waiting.set(id, done));
    const requestedSchema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
    send({ id, method: 'elicitation/create', params: { mode: 'form', message: String(args['question']), requestedSchema } });
    await answered;
  }
  return { content: [{ type: 'text', text: name }] };
}

let elicits = false;
async function result(method: string, params: JsonObject): Promise<JsonObject> {
  switch (method) {
    case 'initialize': {
      const capabilities = isObject(params['capabilities']) ? params['capabilities'] : {};
      elicits = isObject(capabilities['elicitation']);
      return {
        protocolVersion: '2025-11-25',
        capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} },
        serverInfo: { name: 'world', version: '1.0.0' },
      };
    }
    case 'ping':
    case 'logging/setLevel':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return {};
    case 'tools/list':
      return { tools: tools() };
    case 'resources/list':
      return { resources: [{ uri: 'world://note', name: 'note' }] };
    case 'resources/templates/list':
      return { resourceTemplates: [] };
    case 'resources/read':
      if (params['uri'] !== 'world://note') throw new Error('Resource not found');
      return { contents: [{ uri: 'world://note', text: note }] };
    case 'tools/call': {
      const known = tools().some(({ name }) => name === params['name']);
      if (!known) throw new Error('Unknown tool');
      const [args, meta] = [params['arguments'], params['_meta']];
      return call(String(params['name']), isObject(args) ? args : {}, isObject(meta) ? meta : {}, elicits);
    }
    default:
      throw new Error('Method not found');
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('close', () => process.exit(0));
lines.on('line', (line) => {
  const message: unknown = JSON.parse(line);
  if (!isObject(message)) return;
  const { id, method, params } = message;
  if (method === undefined) return void waiting.get(id)?.(message);
  if (id === undefined) return;
  result(String(method), isObject(params) ? params : {}).then(
    (made) => send({ id, result: made }),
    (error: Error) => send({ id, error: { code: error.message === 'Method not found' ? -32601 : -32602, message: error.message } }),
  );
});
