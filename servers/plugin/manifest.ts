/** Reads and checks `plugin.json` and the settings document. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Schema, Validator } from 'jsonschema';
import { SignalboxError } from '../../daemon/api/errors.ts';
import type { PluginManifest } from '../../daemon/api/plugin.ts';
import manifestSchema from './plugin.schema.json' with { type: 'json' };

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads `<folder>/plugin.json`.
 * @throws SignalboxError `SBX_PLUGIN_NOT_FOUND` without a manifest, `SBX_PLUGIN_MANIFEST` for one that is not valid
 */
export function readManifest(folder: string): PluginManifest {
  const file = join(folder, 'plugin.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SignalboxError('SBX_PLUGIN_NOT_FOUND', `No plugin in ${folder}.`, {
      why: `${file} cannot be read: ${messageOf(cause)}`,
      fix: 'Give the folder that holds plugin.json, or the name of a bundled plugin: filesystem, database, api.',
      cause,
    });
  }
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (cause) {
    throw new SignalboxError('SBX_PLUGIN_MANIFEST', `${file} is not JSON.`, {
      why: messageOf(cause),
      fix: 'Correct the file; comments and trailing commas are not allowed in plugin.json.',
      cause,
    });
  }
  const problems = problemsOf(manifest, manifestSchema as Schema);
  if (problems.length > 0) {
    throw new SignalboxError('SBX_PLUGIN_MANIFEST', `${file} is not a valid plugin manifest.`, {
      why: problems.join('; '),
      fix: 'Correct the named keys; servers/plugin/plugin.schema.json describes them all.',
    });
  }
  return manifest as PluginManifest;
}

/**
 * Checks a settings document against the manifest's schema.
 * @throws SignalboxError `SBX_PLUGIN_SETTINGS` naming every wrong path
 */
export function checkSettings(manifest: PluginManifest, settings: unknown): Json {
  let problems: string[];
  try {
    problems = problemsOf(settings, manifest.settings as Schema);
  } catch (cause) {
    throw new SignalboxError('SBX_PLUGIN_MANIFEST', `The settings schema of plugin ${manifest.name} is not a JSON Schema.`, {
      why: messageOf(cause),
      fix: 'Correct the key `settings` of plugin.json.',
      cause,
    });
  }
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) problems = ['settings: is not an object'];
  if (problems.length > 0) {
    const known = Object.keys((manifest.settings['properties'] as Json | undefined) ?? {});
    throw new SignalboxError('SBX_PLUGIN_SETTINGS', `The settings of plugin ${manifest.name} are not valid.`, {
      why: problems.join('; '),
      fix: `Correct them in the server's "settings". ${known.length === 0 ? 'This plugin has none.' : `Known settings: ${known.join(', ')}.`}`,
    });
  }
  return settings as Json;
}

function problemsOf(value: unknown, schema: Schema): string[] {
  const result = new Validator().validate(value, schema, { nestedErrors: true });
  return result.errors.map((error) => {
    const path = error.path.map(String).join('.');
    return `${path === '' ? 'the document' : path}: ${error.message}`;
  });
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
