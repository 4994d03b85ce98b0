/** One tool of this plugin: what `plugin/define.ts` has, and media content, progress and an audit line for every call. */
import {
  type CallToolResult,
  CLIENT_INFO_META_KEY,
  type ContentBlock,
  type InputRequiredResult,
  type McpServer,
  type ServerContext,
  type ToolAnnotations,
} from '@modelcontextprotocol/server';
import { errorResult, fromJsonSchema, isExplained, type JsonObject } from '../../plugin/define.ts';
import type { Audit } from '../audit.ts';
import type { Follow } from '../client-roots.ts';
import { tooLarge } from '../guard/content.ts';

/** What a tool may use while it runs. */
export interface Call {
  /** Aborted when the client cancels. */
  readonly signal: AbortSignal;
  /** Tells the client how far it is, when it asked to be told. */
  progress(done: number, message: string): void;
  /** Adds to the audit line of this call: path, bytes, root. */
  note(fields: JsonObject): void;
}

/** What a tool gives: structured content always, and a text (default: its JSON) or other content. */
export interface Answer {
  readonly structured: JsonObject;
  readonly text?: string;
  readonly content?: readonly ContentBlock[];
}

/** One tool. */
export interface FileTool {
  readonly name: string;
  readonly title: string;
  /** Written for a model: what it does, when to use it, what comes back. */
  readonly description: string;
  readonly input: JsonObject;
  readonly output: JsonObject;
  readonly annotations: ToolAnnotations;
  run(args: JsonObject, call: Call): Answer | Promise<Answer>;
}

/** Reads and changes nothing. */
export const READ_ONLY: ToolAnnotations = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };
/** Adds, never replaces. */
export const ADDS: ToolAnnotations = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false };
/** Replaces or removes. */
export const DESTROYS: ToolAnnotations = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false };

/** The argument that every tool has. */
export const PATH = {
  type: 'string',
  minLength: 1,
  maxLength: 8192,
  description: 'Relative to the first root, absolute beneath any root, or "name:path" for a named root.',
} as const;

/** What the SDK's clients take in one message on stdio, less what stands around a text: beyond it they close the connection. */
const MAX_MESSAGE = 10 * 1024 * 1024 - 64 * 1024;
/** Whoever raises `maxFileBytes` above this has a client that takes more. */
const DEFAULT_MAX_FILE_BYTES = 8 * 1024 * 1024;

/**
 * Whether a text fits into one message: as JSON, where a line break or a control character takes several bytes.
 * @param maxFileBytes of the settings
 * @throws SignalboxError `SBX_FS_TOO_LARGE`
 */
export function assertFits(path: string, text: string, maxFileBytes: number): void {
  // A character takes six bytes at most.
  if (maxFileBytes > DEFAULT_MAX_FILE_BYTES || text.length * 6 <= MAX_MESSAGE) return;
  const size = Buffer.byteLength(JSON.stringify(text));
  if (size > MAX_MESSAGE) throw tooLarge(path, size, MAX_MESSAGE, 'as one message');
}

/** The schema of an object; closed for inputs, so that a misspelt argument is told and not ignored. */
export function input(required: readonly string[], properties: JsonObject): JsonObject {
  return { type: 'object', additionalProperties: false, required, properties };
}

/** The schema of a result. */
export function output(required: readonly string[], properties: JsonObject): JsonObject {
  return { type: 'object', required, properties };
}

/** Registers a tool; whatever it throws becomes an `isError` result, and every call makes one audit line. */
export function registerTool(server: McpServer, definition: FileTool, audit: Audit, follow?: Follow): void {
  const { name, title, description, annotations, run } = definition;
  const config = {
    title,
    description,
    annotations,
    inputSchema: fromJsonSchema<JsonObject>(definition.input),
    outputSchema: fromJsonSchema<JsonObject>(definition.output),
  };
  server.registerTool(name, config, async (args: JsonObject, context: ServerContext): Promise<CallToolResult | InputRequiredResult> => {
    const line: Record<string, unknown> = { tool: name, client: clientOf(server, context) };
    for (const key of ['path', 'source', 'destination'] as const) if (typeof args[key] === 'string') line[key] = args[key].slice(0, 1000);
    const note = (fields: JsonObject): void => void Object.assign(line, fields);
    try {
      const question = await follow?.(context);
      if (question !== undefined) return question;
      const answer = await run(args, { signal: context.mcpReq.signal, progress: progressOf(context), note });
      audit({ ...line, outcome: 'done' });
      const content = answer.content ?? [{ type: 'text', text: answer.text ?? JSON.stringify(answer.structured) }];
      return { content: [...content], structuredContent: { ...answer.structured } };
    } catch (thrown) {
      const refusal = isExplained(thrown);
      audit({ ...line, outcome: refusal ? 'refused' : 'failed', code: refusal ? thrown.code : 'SBX_INTERNAL' });
      return errorResult(thrown);
    }
  });
}

/** Who asks, as far as they say; the daemon knows the credential, this is what it forwards. */
function clientOf(server: McpServer, context: ServerContext): string {
  const envelope = context.mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
  const info = (envelope?.[CLIENT_INFO_META_KEY] as { name: string; version: string } | undefined) ?? server.server.getClientVersion();
  return info === undefined ? 'unknown' : `${info.name} ${info.version}`.slice(0, 200);
}

function progressOf(context: ServerContext): Call['progress'] {
  const token = context.mcpReq._meta?.progressToken;
  if (token === undefined) return () => undefined;
  return (progress, message) => {
    // Progress is a courtesy: a client that has gone must not fail the call.
    context.mcpReq.notify({ method: 'notifications/progress', params: { progressToken: token, progress, message } }).catch(() => undefined);
  };
}
