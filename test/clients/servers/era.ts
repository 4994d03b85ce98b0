/** Over stdio, a server of both eras with one tool, `era`: the era it is spoken to in. */
import { fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

serveStdio(({ era }) => {
  const server = new McpServer({ name: 'era', version: '1.0.0' });
  server.registerTool('era', { description: 'The era spoken', inputSchema: fromJsonSchema({ type: 'object' }) }, () => ({
    content: [{ type: 'text', text: `spoken to in the ${era} era` }],
  }));
  return server;
});
