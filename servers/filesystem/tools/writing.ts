/** write_file: only registered when the settings say `access: write`. */
import type { PluginContext, ToolDefinition } from '../../plugin/define.ts';
import { replaceContent } from '../guard/content.ts';
import type { Area } from '../guard/roots.ts';

/** write_file */
export function writeFile(area: Area, audit: PluginContext['audit']): ToolDefinition {
  return {
    name: 'write_file',
    title: 'Write a file',
    description: `Creates a text file or replaces its whole content. The folder must exist. Roots: ${area.roots.join(', ')}.`,
    input: {
      type: 'object',
      additionalProperties: false,
      required: ['path', 'text'],
      properties: { path: { type: 'string' }, text: { type: 'string' } },
    },
    output: {
      type: 'object',
      required: ['path', 'bytes', 'created'],
      properties: { path: { type: 'string' }, bytes: { type: 'integer' }, created: { type: 'boolean' } },
    },
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    run: (args) => {
      const data = Buffer.from(String(args['text']), 'utf8');
      const place = area.locate(String(args['path']), 'write');
      try {
        const created = replaceContent(place, data);
        audit({ action: 'write_file', path: place.path, bytes: data.length, created });
        return {
          structured: { path: place.path, bytes: data.length, created },
          text: `${created ? 'Created' : 'Replaced'} ${place.path} (${data.length} bytes).`,
        };
      } finally {
        place.close();
      }
    },
  };
}
