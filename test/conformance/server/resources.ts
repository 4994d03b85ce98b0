/** Resources and prompts of the official suite, and completion of their arguments. */
import {
  fromJsonSchema,
  inputRequired,
  inputResponse,
  type McpServer,
  type RegisteredPrompt,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import { elicit } from './asking.ts';
import type { Changes } from './changes.ts';
import { IMAGE, image, object, text } from './content.ts';

/** Registers the resources. */
export function registerResources(server: McpServer): void {
  const fixed = (name: string, mimeType: string, content: { readonly text: string } | { readonly blob: string }): void => {
    const uri = `test://${name}`;
    server.registerResource(name, uri, { title: name, description: `Resource ${name}`, mimeType }, () => ({
      contents: [{ uri, mimeType, ...content }],
    }));
  };
  fixed('static-text', 'text/plain', { text: 'This is the content of the static text resource.' });
  fixed('static-binary', 'image/png', { blob: IMAGE });
  fixed('watched-resource', 'text/plain', { text: 'Watched resource content' });
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined, complete: { id: () => ['123', '456'] } });
  const meta = { title: 'Template', description: 'Data by id', mimeType: 'application/json' };
  server.registerResource('template', template, meta, (uri, { id }) => ({
    contents: [
      {
        uri: uri.href,
        mimeType: 'application/json',
        text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
      },
    ],
  }));
  // Legacy era only; the modern one subscribes by `subscriptions/listen`, which the SDK serves itself.
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
}

/** Registers the prompts, and `completion/complete` for both. Returns the prompt whose description says how often they have changed. */
export function registerPrompts(server: McpServer, changes: Changes): RegisteredPrompt {
  const user = <T>(content: T): { role: 'user'; content: T } => ({ role: 'user', content });
  const simple = `A prompt without arguments; changed ${changes.prompts} times`;
  const changing = server.registerPrompt('test_simple_prompt', { description: simple }, () => ({
    messages: [user(text('This is a simple prompt for testing.'))],
  }));
  const two = object({ arg1: { type: 'string' }, arg2: { type: 'string' } }, ['arg1', 'arg2']);
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'A prompt with arguments', argsSchema: fromJsonSchema<{ arg1: string; arg2: string }>(two) },
    ({ arg1, arg2 }) => ({ messages: [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))] }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    {
      description: 'A prompt with a resource',
      argsSchema: fromJsonSchema<{ resourceUri: string }>(object({ resourceUri: { type: 'string' } }, ['resourceUri'])),
    },
    ({ resourceUri: uri }) => ({
      messages: [
        user({ type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' } }),
        user(text('Please process the embedded resource above.')),
      ],
    }),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'A prompt with an image' }, () => ({
    messages: [user(image()), user(text('Please analyze the image above.'))],
  }));
  server.registerPrompt('test_input_required_result_prompt', { description: 'A prompt that asks' }, (ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, 'user_context');
    if (answer.kind !== 'elicit')
      return inputRequired({ inputRequests: { user_context: elicit('What context should the prompt use?', 'context') } });
    return { messages: [user(text(`Context: ${String(answer.content?.['context'])}`))] };
  });
  const values: Readonly<Record<string, readonly string[]>> = { arg1: ['paris', 'park', 'party'], arg2: ['hello'], id: ['123', '456'] };
  server.server.setRequestHandler('completion/complete', ({ params: { argument } }) => {
    const found = (values[argument.name] ?? []).filter((value) => value.startsWith(argument.value));
    return { completion: { values: found, total: found.length, hasMore: false } };
  });
  return changing;
}
