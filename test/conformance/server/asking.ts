/** Tools of the official suite that ask something of the client: by a request in mid-call (legacy) or by `input_required` (modern). */
import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  createRequestStateCodec,
  fromJsonSchema,
  type InputRequest,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { DEFAULTS, ENUMS, object, text } from './content.ts';

/** Seals `requestState`; the key lives as long as the process. */
export const stateCodec = createRequestStateCodec<{ step: string }>({ key: crypto.getRandomValues(new Uint8Array(32)) });

const NOTHING = fromJsonSchema<Record<string, unknown>>(object());

/** A form with one required field. */
export function elicit(message: string, field: string, type = 'string'): InputRequest {
  return inputRequired.elicit({ message, requestedSchema: object({ [field]: { type } }, [field]) as never });
}

function sample(question: string, maxTokens: number): InputRequest {
  return inputRequired.createMessage({ messages: [{ role: 'user', content: text(question) }], maxTokens });
}

/** Registers them. */
export function registerAsking(server: McpServer): void {
  registerPushing(server);
  registerRounds(server);
}

/**
 * In the legacy era the request goes out on the call's own stream. (`ctx.mcpReq.elicitInput` and `requestSampling` of SDK 2.4 do not relate
 * theirs: over HTTP it goes to the stream of a GET, and nowhere when the client has not opened one yet.) In the modern one it is returned.
 */
function registerPushing(server: McpServer): void {
  const isModern = (ctx: ServerContext): boolean => ctx.mcpReq.envelope !== undefined;
  const form = (name: string, requestedSchema: object, message: string, answer: string): void => {
    server.registerTool(name, { description: 'Asks by a form', inputSchema: NOTHING }, async (args, ctx) => {
      const params = { message: String(args['message'] ?? message), requestedSchema: requestedSchema as never };
      const given = isModern(ctx)
        ? inputResponse(ctx.mcpReq.inputResponses, 'form')
        : { kind: 'elicit' as const, ...(await ctx.mcpReq.send({ method: 'elicitation/create', params })) };
      if (given.kind !== 'elicit') return inputRequired({ inputRequests: { form: inputRequired.elicit(params) } });
      return { content: [text(`${answer}: action=${given.action}, content=${JSON.stringify(given.content ?? {})}`)] };
    });
  };
  const who = object({ username: { type: 'string' }, email: { type: 'string' } }, ['username', 'email']);
  form('test_elicitation', who, 'Who are you?', 'User response');
  form('test_elicitation_sep1034_defaults', DEFAULTS, 'Please review the defaults', 'Elicitation completed');
  form('test_elicitation_sep1330_enums', ENUMS, 'Please choose', 'Elicitation completed');
  const prompt = fromJsonSchema<{ prompt: string }>(object({ prompt: { type: 'string' } }, ['prompt']));
  server.registerTool('test_sampling', { description: 'Asks the model', inputSchema: prompt }, async (args, ctx) => {
    const params = { messages: [{ role: 'user' as const, content: text(args.prompt) }], maxTokens: 100 };
    const given = isModern(ctx)
      ? inputResponse(ctx.mcpReq.inputResponses, 'thought')
      : { kind: 'sampling' as const, result: await ctx.mcpReq.send({ method: 'sampling/createMessage', params }) };
    if (given.kind !== 'sampling') return inputRequired({ inputRequests: { thought: inputRequired.createMessage(params) } });
    const block = [given.result.content].flat()[0];
    return { content: [text(`LLM response: ${block?.type === 'text' ? block.text : 'no text'}`)] };
  });
}

/** Modern: `input_required`, the answer in a call of its own. SEP-2322. */
function registerRounds(server: McpServer): void {
  const tool = (name: string, handler: (ctx: ServerContext) => unknown): void => {
    const description = 'Answers when it has been told what it asks for';
    server.registerTool(name, { description, inputSchema: NOTHING }, (_args, ctx) => handler(ctx) as never);
  };
  const greet = (ctx: ServerContext): unknown => {
    const name = formField(ctx, 'user_name', 'name');
    if (typeof name === 'string') return { content: [text(`Hello, ${name}!`)] };
    return inputRequired({ inputRequests: { user_name: elicit('What is your name?', 'name') } });
  };
  tool('test_input_required_result_elicitation', greet);
  tool('test_streaming_elicitation', greet);
  tool('test_input_required_result_sampling', (ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, 'capital_question');
    if (answer.kind === 'sampling') return { content: [text(`Answer: ${JSON.stringify(answer.result.content)}`)] };
    return inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?', 100) } });
  });
  tool('test_input_required_result_list_roots', (ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, 'client_roots');
    if (answer.kind === 'roots') return { content: [text(`Roots: ${answer.roots.map(({ uri }) => uri).join(' ')}`)] };
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  });
  for (const name of ['test_input_required_result_request_state', 'test_input_required_result_tampered_state'])
    tool(name, async (ctx) => {
      const state = ctx.mcpReq.requestState<{ step: string }>();
      if (state?.step === 'confirm') return { content: [text('state-ok')] };
      const requestState = await stateCodec.mint({ step: 'confirm' });
      return inputRequired({ inputRequests: { confirm: elicit('Please confirm', 'ok', 'boolean') }, requestState });
    });
  tool('test_input_required_result_multiple_inputs', async (ctx) => {
    const { inputResponses: responses } = ctx.mcpReq;
    const kinds = ['user_name', 'greeting', 'client_roots'].map((key) => inputResponse(responses, key).kind);
    if (kinds.join() === 'elicit,sampling,roots') return { content: [text('All three were answered')] };
    return inputRequired({
      inputRequests: {
        user_name: elicit('What is your name?', 'name'),
        greeting: sample('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await stateCodec.mint({ step: 'three' }),
    });
  });
  tool('test_input_required_result_multi_round', async (ctx) => {
    const { step } = ctx.mcpReq.requestState<{ step: string }>() ?? { step: 'none' };
    if (step === 'two' && formField(ctx, 'step2', 'color') !== undefined) return { content: [text('Two rounds were answered')] };
    if (step === 'one' && formField(ctx, 'step1', 'name') !== undefined)
      return inputRequired({
        inputRequests: { step2: elicit('Step 2: What is your favorite color?', 'color') },
        requestState: await stateCodec.mint({ step: 'two' }),
      });
    return inputRequired({
      inputRequests: { step1: elicit('Step 1: What is your name?', 'name') },
      requestState: await stateCodec.mint({ step: 'one' }),
    });
  });
  tool('test_input_required_result_capabilities', (ctx) => {
    const { elicitation, sampling } = clientCapabilities(ctx);
    const { inputResponses = {} } = ctx.mcpReq;
    if (Object.keys(inputResponses).length > 0 || (elicitation === undefined && sampling === undefined))
      return { content: [text('Nothing more to ask')] };
    return inputRequired({
      inputRequests: {
        ...(elicitation !== undefined && { user_name: elicit('What is your name?', 'name') }),
        ...(sampling !== undefined && { greeting: sample('Generate a greeting', 50) }),
      },
    });
  });
  // The SDK refuses to ask for what the client did not declare: -32021.
  tool('test_missing_capability', (ctx) => {
    if (inputResponse(ctx.mcpReq.inputResponses, 'thought').kind === 'sampling') return { content: [text('The client can sample')] };
    return inputRequired({ inputRequests: { thought: sample('Can you sample?', 10) } });
  });
}

/** One field of an accepted form. */
function formField(ctx: ServerContext, key: string, field: string): unknown {
  const answer = inputResponse(ctx.mcpReq.inputResponses, key);
  return answer.kind === 'elicit' && answer.action === 'accept' ? answer.content?.[field] : undefined;
}

function clientCapabilities(ctx: ServerContext): ClientCapabilities {
  const envelope = ctx.mcpReq.envelope as Readonly<Record<string, ClientCapabilities>> | undefined;
  return envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {};
}
