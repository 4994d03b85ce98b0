/** The server the official conformance suite runs against: everything the suite asks for, on the SDK, in both eras. */
import { McpServer } from '@modelcontextprotocol/server';
import { registerAsking, stateCodec } from './asking.ts';
import type { Changes } from './changes.ts';
import { registerPrompts, registerResources } from './resources.ts';
import { registerTools } from './tools.ts';

/**
 * One instance: of a legacy session, a stdio connection, or a modern request.
 * @param lasting it outlives a request: its lists change under it, and it tells its client until it is closed
 */
export function conformanceServer(changes: Changes, lasting: boolean): McpServer {
  const server = new McpServer(
    { name: 'signalbox-conformance-server', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: (state, ctx) => stateCodec.verify(state, ctx) },
    },
  );
  const tool = registerTools(server, changes);
  registerAsking(server);
  registerResources(server);
  const prompt = registerPrompts(server, changes);
  if (lasting)
    server.server.onclose = changes.onChange((list) => {
      // An update of a registration is what makes the SDK tell the client.
      if (list === 'tools') tool.update({ description: `Changes the tools; changed ${changes.tools} times` });
      else prompt.update({ description: `A prompt without arguments; changed ${changes.prompts} times` });
    });
  return server;
}
