/** Tools of the official suite that ask nothing of the client. */
import { setTimeout as pause } from 'node:timers/promises';
import { fromJsonSchema, type McpServer, type RegisteredTool, type ServerContext } from '@modelcontextprotocol/server';
import type { Changes } from './changes.ts';
import { AUDIO, image, object, SCHEMA_2020_12, text } from './content.ts';

/** Between two notifications, in ms: the suite wants to see them apart. */
const STEP_MS = 50;
/** How long `test_reconnection` takes, in ms: more than a gateway may wait before it gives a call a stream that can be resumed. */
const LONG_MS = 1500;

const NOTHING = fromJsonSchema<Record<string, unknown>>(object());

/** Registers them. Returns the tool whose description says how often the tools have changed. */
export function registerTools(server: McpServer, changes: Changes): RegisteredTool {
  const plain = (name: string, description: string, content: readonly object[]): void => {
    server.registerTool(name, { description, inputSchema: NOTHING }, () => ({ content: content as never }));
  };
  plain('test_simple_text', 'Text', [text('This is a simple text response for testing.')]);
  plain('test_image_content', 'An image', [image()]);
  plain('test_audio_content', 'Audio', [{ type: 'audio', data: AUDIO, mimeType: 'audio/wav' }]);
  const embedded = { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'This is an embedded resource content.' };
  plain('test_embedded_resource', 'An embedded resource', [{ type: 'resource', resource: embedded }]);
  const json = JSON.stringify({ test: 'data', value: 123 });
  plain('test_multiple_content_types', 'Text, image and resource', [
    text('Multiple content types test:'),
    image(),
    { type: 'resource', resource: { uri: 'test://mixed-content-resource', mimeType: 'application/json', text: json } },
  ]);

  server.registerTool('test_tool_with_logging', { description: 'Logs three times', inputSchema: NOTHING }, async (_args, ctx) => {
    await log(ctx, ['Tool execution started', 'Tool processing data', 'Tool execution completed']);
    return { content: [text('Logged three times')] };
  });
  server.registerTool('test_logging_tool', { description: 'Logs once', inputSchema: NOTHING }, async (_args, ctx) => {
    await log(ctx, ['Logged only for a request that asks for it']);
    return { content: [text('Logged')] };
  });
  server.registerTool('test_tool_with_progress', { description: 'Reports progress', inputSchema: NOTHING }, async (_args, ctx) => {
    for (const progress of [0, 50, 100]) {
      if (progress > 0) await pause(STEP_MS);
      const progressToken = ctx.mcpReq._meta?.progressToken;
      if (progressToken !== undefined)
        await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
    }
    return { content: [text('Progress reported')] };
  });
  server.registerTool('test_error_handling', { description: 'Fails', inputSchema: NOTHING }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  server.registerTool('test_reconnection', { description: 'Closes its stream in mid-call', inputSchema: NOTHING }, async (_args, ctx) => {
    ctx.http?.closeSSE?.();
    await pause(LONG_MS);
    return { content: [text('Answered after the stream was closed')] };
  });
  server.registerTool(
    'json_schema_2020_12_tool',
    {
      description: 'Tool with JSON Schema 2020-12 features',
      inputSchema: fromJsonSchema<Record<string, unknown>>(SCHEMA_2020_12 as never),
    },
    (args) => ({ content: [text(JSON.stringify(args))] }),
  );
  const region = { type: 'string', description: 'Also sent as Mcp-Param-Region', 'x-mcp-header': 'Region' };
  server.registerTool(
    'test_header_parameter',
    { description: 'Has a parameter that is a header too', inputSchema: fromJsonSchema<{ region?: string }>(object({ region })) },
    ({ region: value }) => ({ content: [text(`Region: ${value}`)] }),
  );
  const description = `Changes the tools; changed ${changes.tools} times`;
  const changing = server.registerTool('test_trigger_tool_change', { description, inputSchema: NOTHING }, () => {
    changes.change('tools');
    return { content: [text('The tools have changed')] };
  });
  server.registerTool('test_trigger_prompt_change', { description: 'Changes the prompts', inputSchema: NOTHING }, () => {
    changes.change('prompts');
    return { content: [text('The prompts have changed')] };
  });
  return changing;
}

async function log(ctx: ServerContext, lines: readonly string[]): Promise<void> {
  for (const [index, line] of lines.entries()) {
    if (index > 0) await pause(STEP_MS);
    await ctx.mcpReq.log('info', line);
  }
}
