/** `node modern.ts --stdio|--http`: a server of the v2 SDK that speaks 2026-07-28 only and asks by `input_required`. */
import {
  createMcpHandler,
  createRequestStateCodec,
  fromJsonSchema,
  inputRequired,
  inputResponse,
  McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { serveWeb } from '../../conformance/server/web.ts';
import { FORM, PAGE, passengerQuestion, rhymeQuestion, serve } from './booking.ts';

const codec = createRequestStateCodec<{ readonly name: string }>({ key: crypto.getRandomValues(new Uint8Array(32)) });
const text = (value: string): { content: [{ type: 'text'; text: string }] } => ({ content: [{ type: 'text', text: value }] });

function modernServer(): McpServer {
  const server = new McpServer(
    { name: 'modern-booking', version: '1.0.0' },
    { capabilities: { tools: {} }, requestState: { verify: (state, ctx) => codec.verify(state, ctx) } },
  );
  const tool = (name: string, handler: (from: string, ctx: ServerContext) => unknown): void => {
    const inputSchema = fromJsonSchema<{ from?: string }>({ type: 'object', properties: { from: { type: 'string' } } });
    server.registerTool(name, { description: name, inputSchema }, ({ from = '' }, ctx) => handler(from, ctx) as never);
  };

  tool('plain', () => text('plain'));
  tool('book', async (from, ctx) => {
    const known = ctx.mcpReq.requestState<{ readonly name: string }>();
    const name = known?.name ?? field(ctx, 'name');
    const rhyme = sampled(ctx);
    await progress(ctx, name === undefined ? 1 : rhyme === undefined ? 2 : 3);
    if (name === undefined) return inputRequired({ inputRequests: { passenger: inputRequired.elicit(passengerQuestion(from)) } });
    if (rhyme !== undefined) return text(`${name} from ${from}: ${rhyme}`);
    return inputRequired({
      inputRequests: { rhyme: inputRequired.createMessage(rhymeQuestion(name)) },
      requestState: await codec.mint({ name }),
    });
  });
  tool('both', (from, ctx) => {
    const [name, rhyme] = [field(ctx, 'name'), sampled(ctx)];
    if (name !== undefined && rhyme !== undefined) return text(`${name} and ${rhyme}`);
    return inputRequired({
      inputRequests: {
        passenger: inputRequired.elicit(passengerQuestion(from)),
        rhyme: inputRequired.createMessage(rhymeQuestion('both')),
      },
    });
  });
  tool('confirm', (_from, ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, 'confirm');
    if (answer.kind === 'elicit') return text(answer.action);
    return inputRequired({ inputRequests: { confirm: inputRequired.elicit({ message: 'Sure?', requestedSchema: FORM }) } });
  });
  tool('login', (_from, ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, 'login');
    if (answer.kind === 'elicit') return text(answer.action);
    return inputRequired({ inputRequests: { login: inputRequired.elicitUrl(PAGE) } });
  });
  tool('roots', (_from, ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, 'roots');
    if (answer.kind === 'roots') return text(answer.roots.map(({ uri }) => uri).join(' '));
    return inputRequired({ inputRequests: { roots: inputRequired.listRoots() } });
  });
  return server;
}

function field(ctx: ServerContext, name: string): string | undefined {
  const answer = inputResponse(ctx.mcpReq.inputResponses, 'passenger');
  return answer.kind === 'elicit' && answer.action === 'accept' ? String(answer.content?.[name]) : undefined;
}

function sampled(ctx: ServerContext): string | undefined {
  const answer = inputResponse(ctx.mcpReq.inputResponses, 'rhyme');
  if (answer.kind !== 'sampling') return undefined;
  const block = [answer.result.content].flat()[0];
  return block?.type === 'text' ? block.text : undefined;
}

async function progress(ctx: ServerContext, done: number): Promise<void> {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken !== undefined)
    await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: done, total: 3 } });
}

await serve({
  stdio: () => serveStdio(modernServer, { legacy: 'reject' }),
  http: () => serveWeb(createMcpHandler(modernServer, { legacy: 'reject' }).fetch),
});
