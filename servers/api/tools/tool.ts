/** Tools of operations, registered and exchanged when the description changes. */
import type {
  CallToolResult,
  McpServer,
  RegisteredTool,
  ServerContext,
  StandardSchemaWithJSON,
  ToolAnnotations,
} from '@modelcontextprotocol/server';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { errorResult, fromJsonSchema, isExplained, type JsonObject, ToolError } from '../../plugin/define.ts';
import type { Api } from '../api.ts';
import { isIdempotent, isReadOnly, type Operation } from '../description/operation.ts';
import { outputSchema } from './answer.ts';
import { type Call, callOperation } from './call.ts';

/** One tool of this server. */
export interface ApiTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: JsonObject;
  readonly output: JsonObject;
  readonly annotations: ToolAnnotations;
  run(args: JsonObject, call: Call): Promise<CallToolResult>;
}

/** The JSON Schema of the arguments of an operation. */
export function inputSchema(operation: Operation, maxPages: number): JsonObject {
  const { parameters, body, defs } = operation;
  const required = [
    ...parameters.filter((each) => each.required).map((each) => each.property),
    ...(body?.required === true ? [body.property] : []),
  ];
  const paged = operation.pagination !== undefined && maxPages > 1;
  return {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...Object.fromEntries(parameters.map((each) => [each.property, each.schema])),
      ...(body === undefined ? {} : { [body.property]: body.schema }),
      ...(operation.method === 'HEAD'
        ? {}
        : { _select: { type: 'string', maxLength: 2000, description: 'Only this part of the answer: JMESPath, or a JSON pointer.' } }),
      ...(paged
        ? {
            _pages: { type: 'integer', minimum: 1, maximum: maxPages, description: 'Fetch up to so many pages as one answer (default 1).' },
          }
        : {}),
    },
    ...(required.length === 0 ? {} : { required }),
    ...(Object.keys(defs).length === 0 ? {} : { $defs: defs }),
  };
}

/** What a client may conclude about an operation. */
export function annotationsOf(operation: Operation): ToolAnnotations {
  const reads = isReadOnly(operation.method);
  // A POST mostly adds; one whose name says otherwise takes away.
  const words = `${operation.operationId ?? ''} ${operation.path}`;
  const destructive =
    !reads &&
    (operation.method !== 'POST' || /delete|remove|destroy|purge|revoke|reset|cancel|drop|clear|archive|merge|transfer/iu.test(words));
  return { readOnlyHint: reads, destructiveHint: destructive, idempotentHint: isIdempotent(operation.method), openWorldHint: true };
}

/** The tool of an operation. */
export function operationTool(api: Api, operation: Operation): ApiTool {
  return {
    name: operation.tool,
    title: operation.title,
    description: `${operation.deprecated ? '(deprecated) ' : ''}${operation.description}`,
    input: inputSchema(operation, api.maxPages),
    output: outputSchema(operation.select === undefined ? operation.response() : undefined),
    annotations: annotationsOf(operation),
    run: (args, call) => callOperation(api, operation, args, call),
  };
}

/** A schema for the list. What it says is checked in {@link checked}, whose words have a code and a fix; answers are made to fit theirs. */
function listed(schema: JsonObject): StandardSchemaWithJSON<JsonObject, JsonObject> {
  return {
    '~standard': {
      version: 1,
      vendor: 'signalbox',
      jsonSchema: { input: () => ({ ...schema }), output: () => ({ ...schema }) },
      validate: (value: unknown) => ({ value: (value ?? {}) as JsonObject }),
    },
  };
}

const compiled = new WeakMap<object, StandardSchemaWithJSON<JsonObject, JsonObject>>();

/**
 * Checks arguments against a tool's schema, which is compiled at its first call: a list of a hundred tools needs none.
 * @throws SignalboxError `SBX_API_INPUT` saying what does not fit
 */
export function checked(name: string, input: JsonObject, args: JsonObject): void {
  let schema = compiled.get(input);
  if (schema === undefined) {
    schema = fromJsonSchema<JsonObject>(input);
    compiled.set(input, schema);
  }
  const result = schema['~standard'].validate(args);
  if (result instanceof Promise || result.issues === undefined) return;
  throw new SignalboxError('SBX_API_INPUT', `The arguments do not fit ${name}.`, {
    why: result.issues
      .map((issue) => issue.message.replaceAll('data/', ''))
      .join('; ')
      .slice(0, 1000),
    fix: 'Correct them; the schema of the tool says what is expected.',
  });
}

/** The tools of one connection, exchanged as a whole: what stays the same is not announced. */
export class ToolSet {
  readonly #server: McpServer;
  readonly #registered = new Map<string, { readonly handle: RegisteredTool; readonly definition: string }>();
  readonly #current = new Map<string, { readonly tool: ApiTool; readonly api: Api }>();

  constructor(server: McpServer) {
    this.#server = server;
  }

  replace(api: Api | undefined, tools: readonly ApiTool[]): void {
    this.#current.clear();
    if (api !== undefined) for (const tool of tools) this.#current.set(tool.name, { tool, api });
    for (const [name, { handle, definition }] of this.#registered) {
      const next = this.#current.get(name);
      if (next !== undefined && definition === text(next.tool)) continue;
      handle.remove();
      this.#registered.delete(name);
    }
    for (const [name, { tool, api: owner }] of this.#current) if (!this.#registered.has(name)) this.#register(tool, owner);
  }

  #register(tool: ApiTool, api: Api): void {
    const hide = (schema: JsonObject): JsonObject => api.secrets.value(schema) as JsonObject;
    const config = {
      title: api.secrets.text(tool.title),
      description: api.secrets.text(tool.description),
      inputSchema: listed(hide(tool.input)),
      outputSchema: listed(hide(tool.output)),
      annotations: tool.annotations,
    };
    const handle = this.#server.registerTool(tool.name, config, (args: JsonObject, context: ServerContext) =>
      this.#call(tool.name, args, context),
    );
    this.#registered.set(tool.name, { handle, definition: text(tool) });
  }

  async #call(name: string, args: JsonObject, context: ServerContext): Promise<CallToolResult> {
    const found = this.#current.get(name);
    if (found === undefined)
      return errorResult(
        new ToolError('SBX_API_SPEC', `The tool ${name} is gone.`, { why: 'The description has changed.', fix: 'List the tools again.' }),
      );
    const { mcpReq } = context;
    const token = mcpReq._meta?.progressToken;
    try {
      checked(name, found.tool.input, args);
      return await found.tool.run(args, {
        signal: mcpReq.signal,
        progress: async (done, message) => {
          if (token !== undefined)
            await mcpReq.notify({ method: 'notifications/progress', params: { progressToken: token, progress: done, message } });
        },
      });
    } catch (thrown) {
      return hiddenError(thrown, found.api);
    }
  }
}

/** The error of a call, without secrets, whoever wrote its words. */
export function hiddenError(thrown: unknown, api: Api): CallToolResult {
  const hide = (words: string): string => api.secrets.text(words);
  if (isExplained(thrown))
    return errorResult(new ToolError(thrown.code, hide(thrown.message), { why: hide(thrown.why), fix: hide(thrown.fix) }));
  return errorResult(new Error(hide(thrown instanceof Error ? thrown.message : String(thrown))));
}

function text(tool: ApiTool): string {
  const { name, title, description, input, output, annotations } = tool;
  return JSON.stringify([name, title, description, input, output, annotations]);
}
