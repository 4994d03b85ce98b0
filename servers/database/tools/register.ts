/** Registers a tool with what the plain helper has not: progress, and questions to the person in both eras. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { CallToolResult, InputRequiredResult, McpServer, ServerContext, ToolAnnotations } from '@modelcontextprotocol/server';
import { fromJsonSchema, inputRequired, inputResponse } from '@modelcontextprotocol/server';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { errorResult, type JsonObject } from '../../plugin/define.ts';

const PROGRESS_EVERY_MS = 2000;
const SECRET = randomBytes(32);

/** What a running tool may use. */
export interface Call {
  readonly signal: AbortSignal;
  /** Whether this client can ask its person. */
  readonly canAsk: boolean;
  /** What was agreed to in an earlier round of this call: undefined, the first round. */
  readonly agreed: JsonObject | undefined;
}
/** What a tool gives: structured content with its text, or a question whose `state` comes back in `agreed`. */
export type Given =
  | { readonly structured: JsonObject; readonly text?: string; readonly links?: readonly { uri: string; name: string; mimeType: string }[] }
  | { readonly question: string; readonly state: JsonObject };
export interface Definition {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: JsonObject;
  readonly output?: JsonObject;
  readonly annotations: ToolAnnotations;
  run(args: JsonObject, call: Call): Promise<Given>;
}

export const READS: ToolAnnotations = { readOnlyHint: true, openWorldHint: false };

export function register(server: McpServer, definition: Definition): void {
  const { name, title, description, input, output, annotations, run } = definition;
  const config = {
    title,
    description,
    inputSchema: fromJsonSchema<JsonObject>(input),
    annotations,
    ...(output === undefined ? {} : { outputSchema: fromJsonSchema<JsonObject>(output) }),
  };
  server.registerTool(name, config, async (args: JsonObject, context: ServerContext): Promise<CallToolResult | InputRequiredResult> => {
    const stopProgress = showProgress(context);
    try {
      const agreed = readAnswer(context, name, args);
      const given = await run(args, { signal: context.mcpReq.signal, canAsk: canAsk(server, context), agreed });
      if ('question' in given) {
        return inputRequired({
          inputRequests: {
            go: inputRequired.elicit({
              message: given.question,
              requestedSchema: {
                type: 'object',
                properties: { run: { type: 'boolean', title: 'Run it', default: false } },
                required: ['run'],
              },
            }),
          },
          requestState: seal(name, args, given.state),
        });
      }
      const { structured, text = JSON.stringify(structured), links = [] } = given;
      return {
        content: [{ type: 'text', text }, ...links.map((link) => ({ type: 'resource_link' as const, ...link }))],
        ...(output === undefined ? {} : { structuredContent: { ...structured } }),
      };
    } catch (thrown) {
      return errorResult(thrown);
    } finally {
      stopProgress();
    }
  });
}

function canAsk(server: McpServer, context: ServerContext): boolean {
  const envelope = context.mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
  const stated = envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? server.server.getClientCapabilities();
  return typeof stated === 'object' && stated !== null && 'elicitation' in stated;
}

/** The state travels through the client, so it is sealed to the tool, its arguments and this process. */
function seal(name: string, args: JsonObject, state: JsonObject): string {
  const body = Buffer.from(JSON.stringify(state)).toString('base64url');
  return `${body}.${sign(name, args, body)}`;
}

function sign(name: string, args: JsonObject, body: string): string {
  return createHmac('sha256', SECRET)
    .update(JSON.stringify([name, args, body]))
    .digest('base64url');
}

function readAnswer(context: ServerContext, name: string, args: JsonObject): JsonObject | undefined {
  const state = context.mcpReq.requestState<string>();
  if (typeof state !== 'string') return undefined;
  const [body = '', given = ''] = state.split('.');
  const expected = Buffer.from(sign(name, args, body));
  const actual = Buffer.from(given);
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) {
    throw new SignalboxError('SBX_STATE_INVALID', 'The answer does not belong to this call.', {
      why: 'The state that came back was not given out for this tool and these arguments.',
      fix: 'Call the tool again from the beginning.',
    });
  }
  const answer = inputResponse(context.mcpReq.inputResponses, 'go');
  if (answer.kind === 'elicit' && answer.action === 'accept' && answer.content?.['run'] === true)
    return JSON.parse(Buffer.from(body, 'base64url').toString()) as JsonObject;
  throw new SignalboxError('SBX_DB_DECLINED', 'The write was not run.', {
    why:
      answer.kind === 'elicit'
        ? `The person answered: ${answer.action === 'accept' ? 'do not run it' : answer.action}.`
        : 'No answer came back.',
    fix: 'Ask the person what they want instead.',
  });
}

function showProgress(context: ServerContext): () => void {
  const token = (context.mcpReq._meta as { progressToken?: string | number } | undefined)?.progressToken;
  if (token === undefined) return () => undefined;
  const started = Date.now();
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - started) / 1000);
    const params = { progressToken: token, progress: seconds, message: `running for ${seconds} s` };
    context.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  }, PROGRESS_EVERY_MS);
  return () => clearInterval(timer);
}
