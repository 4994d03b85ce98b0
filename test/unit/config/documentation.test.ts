import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Validator } from 'jsonschema';
import schema from '../../../daemon/config/config.schema.json' with { type: 'json' };
import { parseConfig } from '../../../daemon/config/file.ts';

const DOCUMENT = readFileSync(join(import.meta.dirname, '../../../docs/configuration.md'), 'utf8');
const blocks = [...DOCUMENT.matchAll(/```jsonc\n(.*?)```/gs)].map(([, text]) => text ?? '');

test('every example of docs/configuration.md is a configuration without a problem', () => {
  const examples = blocks
    .filter((text) => !text.includes('/* the arguments */'))
    .map((text) => (text.startsWith('{') ? text : `{"servers": {${text}}}`));
  assert.ok(examples.length >= 6);
  for (const text of examples) assert.deepEqual(parseConfig('docs', text).problems, [], text);
});

test('every key that is not reserved is in docs/configuration.md', () => {
  const foreign = ['disabled', 'dev', 'gallery', 'version', 'timeout', 'autoApprove', 'alwaysAllow', 'description'];
  const { server, binding, endpoint, client, limits, toolOverride, chainTool, aggregateTool, step, fault } = schema.definitions;
  for (const { properties } of [server, binding, endpoint, client, limits, toolOverride, chainTool, aggregateTool, step, fault])
    for (const [key, part] of Object.entries<object>(properties)) {
      if ('x-reserved' in part && typeof part['x-reserved'] === 'string') continue;
      if (!foreign.includes(key) || properties !== server.properties) assert.match(DOCUMENT, new RegExp(`[\`".]${key}\\b`), key);
    }
});

test('every key says for people what it is, and every example in the schema is valid', () => {
  const validator = new Validator();
  validator.attributes['x-reserved'] = () => '';
  let examples = 0;
  const walk = (part: unknown, path: string): void => {
    if (typeof part !== 'object' || part === null) return;
    const { examples: given, properties, $ref } = part as { examples?: unknown[]; properties?: Record<string, object>; $ref?: string };
    for (const example of Array.isArray(given) ? given : []) {
      examples += 1;
      const { errors } = validator.validate(example, { ...part, definitions: schema.definitions } as object);
      assert.deepEqual(errors.map(String), [], `${path}: ${JSON.stringify(example)}`);
    }
    for (const [key, property] of Object.entries(properties ?? {}))
      if (path !== '' && $ref === undefined)
        assert.ok('description' in property || '$ref' in property, `${path}.${key} has no description`);
    for (const [key, inner] of Object.entries(part)) if (key !== 'examples') walk(inner, `${path}.${key}`);
  };
  walk(schema, '');
  assert.ok(examples > 10);
});
