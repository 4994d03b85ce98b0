/** The HTTP API plugin: one tool per GET operation of an OpenAPI file. */
import { resolve } from 'node:path';
import type { Agent } from 'undici';
import { SignalboxError } from '../../daemon/api/errors.ts';
import { definePlugin, helpPrompt, type JsonObject, type PluginContext, type ToolDefinition, tool } from '../plugin/define.ts';
import { guardedAgent } from './guard/dialer.ts';
import { type Fetched, guardedGet } from './guard/fetch.ts';
import { parseBaseUrl, requestUrl } from './guard/target.ts';
import { type Operation, readSpecification } from './operations.ts';

interface Settings {
  readonly spec?: string;
  readonly baseUrl?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly allowPrivate?: readonly string[];
  readonly include?: readonly string[];
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
}
interface Api {
  readonly base: URL;
  readonly agent: Agent;
  readonly operations: readonly Operation[];
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly headers: Readonly<Record<string, string>>;
}
type State = Api | { readonly problem: { readonly what: string; readonly fix: string } };

/** Headers that frame a message or say who it is for: the HTTP library's business alone. */
const RESERVED_HEADER =
  /^(?:host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|accept-encoding)$/iu;

async function open({ settings, baseFolder, log }: PluginContext): Promise<State> {
  const { spec, baseUrl, headers = {}, allowPrivate = [], include, timeoutMs = 15_000, maxBytes = 1024 * 1024 } = settings as Settings;
  if (spec === undefined) {
    return {
      problem: {
        what: 'The HTTP API server has no OpenAPI file.',
        fix: 'Name one in "spec" of its settings, for example "./openapi.yaml", or run it with --spec ./openapi.yaml.',
      },
    };
  }
  const reserved = Object.keys(headers).find((name) => RESERVED_HEADER.test(name));
  if (reserved !== undefined) {
    throw new SignalboxError('SBX_PLUGIN_SETTINGS', `The header "${reserved}" cannot be set.`, {
      why: 'headers: it frames the message and belongs to the HTTP library.',
      fix: 'Remove it from "headers" in the settings.',
    });
  }
  try {
    const specification = await readSpecification(resolve(baseFolder, spec));
    const base = parseBaseUrl(baseUrl ?? specification.serverUrl ?? '');
    const wanted = specification.operations.filter(
      ({ operationId, tool: name }) => include === undefined || include.includes(name) || include.includes(operationId ?? name),
    );
    return { base, agent: guardedAgent(allowPrivate, timeoutMs), operations: wanted, timeoutMs, maxBytes, headers };
  } catch (thrown) {
    if (!(thrown instanceof SignalboxError) || thrown.code !== 'SBX_API_SPEC') throw thrown;
    log(`${thrown.code}: ${thrown.message} ${thrown.why} ${thrown.fix}`);
    return { problem: { what: `${thrown.message} ${thrown.why} (${thrown.code})`, fix: thrown.fix } };
  }
}

function operationTool(api: Api, operation: Operation): ToolDefinition {
  const required = operation.parameters.filter((each) => each.required).map((each) => each.property);
  return {
    name: operation.tool,
    title: operation.title,
    description: operation.description,
    input: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(operation.parameters.map((each) => [each.property, each.schema])),
      ...(required.length === 0 ? {} : { required }),
    },
    output: {
      type: 'object',
      required: ['status', 'contentType', 'body', 'truncated'],
      properties: {
        status: { type: 'integer' },
        contentType: { type: 'string' },
        body: { description: 'Parsed JSON, else text.' },
        truncated: { type: 'boolean', description: 'The answer was longer than the limit; the body is its beginning, as text.' },
      },
    },
    annotations: { readOnlyHint: true, openWorldHint: true },
    run: async (args, { signal }) => {
      const placed = operation.parameters
        .filter((each) => args[each.property] !== undefined)
        .map((each) => ({ name: each.name, in: each.in, value: args[each.property], explode: each.explode, deep: each.deep }));
      const url = requestUrl(api.base, operation.path, placed);
      const { agent, headers, maxBytes, timeoutMs } = api;
      const fetched = await guardedGet(url, { agent, headers, maxBytes, timeoutMs, signal });
      const body = bodyOf(fetched);
      if (fetched.status >= 400) {
        throw new SignalboxError('SBX_API_STATUS', `The API answered ${fetched.status} for GET ${url.pathname}.`, {
          why: (typeof body === 'string' ? body : JSON.stringify(body)).slice(0, 2000) || 'It gave no reason.',
          fix: fetched.status === 401 || fetched.status === 403 ? 'Check the key in "headers" of the settings.' : 'Check the arguments.',
        });
      }
      const structured: JsonObject = { status: fetched.status, contentType: fetched.contentType, body, truncated: fetched.truncated };
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      return { structured, text: fetched.truncated ? `${text}\n[cut at ${maxBytes} bytes]` : text };
    },
  };
}

function bodyOf({ body, contentType, truncated }: Fetched): unknown {
  const text = body.toString('utf8');
  if (truncated || !/[/+]json\b/iu.test(contentType)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export default definePlugin<State>({
  open,
  register(server, _context, state) {
    if ('problem' in state) helpPrompt(server, 'set-up-api', state.problem);
    else for (const operation of state.operations) tool(server, operationTool(state, operation));
  },
  async close(state) {
    if ('agent' in state) await state.agent.destroy();
  },
});
