/**
 * What a plugin imports (`mcp-signalbox/plugin`): `definePlugin`, and `tool`/`helpPrompt` so that a plugin needs no dependency of its own.
 */
import type { CallToolResult, McpServer, ServerContext, ToolAnnotations } from '@modelcontextprotocol/server';
import { fromJsonSchema } from '@modelcontextprotocol/server';

export { fromJsonSchema, ResourceTemplate } from '@modelcontextprotocol/server';

/** A JSON object, as settings and tool arguments are. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What the host hands to a plugin. */
export interface PluginContext {
  /** Validated against the manifest's `settings` schema. */
  readonly settings: JsonObject;
  /** The workspace folder, when there is one; relative paths in the settings start at {@link baseFolder}. */
  readonly workspaceFolder?: string;
  /** Where relative paths in the settings start: the workspace folder, else the working directory. */
  readonly baseFolder: string;
  /** Appends one line to the audit log (descriptor 4, or standard error when alone). Time and plugin name are added. */
  audit(line: JsonObject): void;
  /** Writes one line for a person to standard error. Never use standard output: it carries the protocol. */
  log(message: string): void;
}

/** A plugin: `open` runs once, `register` once per MCP instance, `close` at the end. */
export interface Plugin<State = undefined> {
  /** Opens what outlives a connection (a database, a parsed file). */
  open?(context: PluginContext): State | Promise<State>;
  /** Registers tools, resources and prompts. May run more than once, with the same state. */
  register(server: McpServer, context: PluginContext, state: State): void | Promise<void>;
  /** Releases what `open` opened. */
  close?(state: State): void | Promise<void>;
}

// A registered symbol: the bundled plugins carry their own copy of this module, and the host must know their plugins too.
const BRAND = Symbol.for('mcp-signalbox.plugin');

/** Marks a plugin so that the host can tell it from any other default export. */
export function definePlugin<State = undefined>(plugin: Plugin<State>): Plugin<State> {
  return Object.assign(plugin, { [BRAND]: true });
}

/** Whether a module's default export was made by {@link definePlugin}. */
export function isPlugin(value: unknown): value is Plugin<unknown> {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** A failure the model and the person can act on; any object of this shape works, {@link ToolError} is the simplest. */
export interface Explained {
  readonly code: string;
  readonly message: string;
  readonly why: string;
  readonly fix: string;
}

/** Throw this in a tool: it becomes an `isError` result with the code, the cause and the fix. */
export class ToolError extends Error implements Explained {
  override readonly name = 'ToolError';
  readonly code: string;
  readonly why: string;
  readonly fix: string;

  constructor(code: string, message: string, detail: { why: string; fix: string; cause?: unknown }) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.why = detail.why;
    this.fix = detail.fix;
  }
}

/** One tool: JSON Schema in, JSON object (with a text form) out. */
export interface ToolDefinition {
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  /** JSON Schema of type object. */
  readonly input: JsonObject;
  /** JSON Schema of type object; with it the result is structured. */
  readonly output?: JsonObject;
  readonly annotations?: ToolAnnotations;
  /**
   * Runs the tool. An object is the structured content, and `text` (default: its JSON) what a person reads; a string is text alone.
   * `signal` is aborted when the client cancels.
   */
  run(args: JsonObject, call: { readonly signal: AbortSignal }): ToolAnswer | Promise<ToolAnswer>;
}
/** What {@link ToolDefinition.run} gives. */
export type ToolAnswer = string | { readonly structured: JsonObject; readonly text?: string };

/** Registers a tool on the server: input checked by its schema, anything thrown turned into an `isError` result with code and fix. */
export function tool(server: McpServer, definition: ToolDefinition): void {
  const { name, title, description, input, output, annotations, run } = definition;
  const config = {
    description,
    inputSchema: fromJsonSchema<JsonObject>(input),
    ...(title === undefined ? {} : { title }),
    ...(output === undefined ? {} : { outputSchema: fromJsonSchema<JsonObject>(output) }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  server.registerTool(name, config, async (args: JsonObject, context: ServerContext): Promise<CallToolResult> => {
    try {
      const answer = await run(args, { signal: context.mcpReq.signal });
      if (typeof answer === 'string') return { content: [{ type: 'text', text: answer }] };
      const text = answer.text ?? JSON.stringify(answer.structured);
      return { content: [{ type: 'text', text }], ...(output === undefined ? {} : { structuredContent: { ...answer.structured } }) };
    } catch (thrown) {
      return errorResult(thrown);
    }
  });
}

/** Registers the one prompt of a plugin that has nothing to serve yet: it says what is missing and how to fix it. */
export function helpPrompt(server: McpServer, name: string, problem: { what: string; fix: string }): void {
  const text = `${problem.what}\n\n${problem.fix}`;
  server.registerPrompt(name, { title: 'What to do', description: problem.what }, () => ({
    messages: [{ role: 'user', content: { type: 'text', text } }],
  }));
}

/** The `isError` result of something thrown; the shape also stands in `_meta["dev.signalbox/error"]`. */
export function errorResult(thrown: unknown): CallToolResult {
  const shape = isExplained(thrown)
    ? { code: thrown.code, message: thrown.message, cause: thrown.why, fix: thrown.fix }
    : {
        code: 'SBX_INTERNAL',
        message: 'The tool failed.',
        cause: thrown instanceof Error ? thrown.message : String(thrown),
        fix: 'Look at the log of this server, then report it.',
      };
  const text = `${shape.code}: ${shape.message}\nCause: ${shape.cause}\nFix: ${shape.fix}`;
  return { isError: true, content: [{ type: 'text', text }], _meta: { 'dev.signalbox/error': shape } };
}

/** Whether something thrown says its code, cause and fix. */
export function isExplained(value: unknown): value is Error & Explained {
  return (
    value instanceof Error &&
    typeof (value as Partial<Explained>).code === 'string' &&
    typeof (value as Partial<Explained>).why === 'string' &&
    typeof (value as Partial<Explained>).fix === 'string'
  );
}
