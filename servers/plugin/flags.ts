/** The host's command line: its own options and the flags a manifest declares. */
import { parseArgs } from 'node:util';
import { SignalboxError } from '../../daemon/api/errors.ts';
import type { PluginManifest } from '../../daemon/api/plugin.ts';

/** The host's own options. */
export interface HostOptions {
  readonly settingsFd?: number;
  readonly auditFd?: number;
  readonly workspaceFolder?: string;
  /** Settings from the manifest's flags. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * Reads the arguments after the plugin folder. A flag of a list setting may repeat, one of an object setting takes `name=value`.
 * @throws SignalboxError `SBX_USAGE`
 */
export function readFlags(manifest: PluginManifest, args: readonly string[]): HostOptions {
  const flags = manifest.flags ?? {};
  const options: Record<string, { type: 'string'; multiple: true }> = {};
  for (const name of ['settings-fd', 'audit-fd', 'workspace-folder', ...Object.keys(flags)])
    options[name] = { type: 'string', multiple: true };
  let values: Record<string, string[] | undefined>;
  try {
    values = parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    throw usage(manifest, cause instanceof Error ? cause.message : String(cause));
  }
  const settings: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const given = values[name];
    if (given === undefined) continue;
    settings[flag.setting] = settingOf(manifest, name, flag, given);
  }
  const settingsFd = descriptor(manifest, 'settings-fd', values['settings-fd']);
  const auditFd = descriptor(manifest, 'audit-fd', values['audit-fd']);
  const workspaceFolder = values['workspace-folder']?.at(-1);
  return {
    settings,
    ...(settingsFd === undefined ? {} : { settingsFd }),
    ...(auditFd === undefined ? {} : { auditFd }),
    ...(workspaceFolder === undefined ? {} : { workspaceFolder }),
  };
}

function settingOf(manifest: PluginManifest, name: string, flag: { setting: string; list?: boolean }, given: readonly string[]): unknown {
  const properties = manifest.settings['properties'] as Record<string, { type?: unknown } | undefined> | undefined;
  const type = properties?.[flag.setting]?.type;
  if (flag.list === true || type === 'array') return given;
  if (type === 'object') {
    return Object.fromEntries(
      given.map((pair) => {
        const equals = pair.indexOf('=');
        if (equals < 1) throw usage(manifest, `--${name} takes name=value, not "${pair}"`);
        return [pair.slice(0, equals), pair.slice(equals + 1)];
      }),
    );
  }
  const last = given.at(-1) ?? '';
  if (type === 'number' || type === 'integer') return Number(last);
  if (type === 'boolean') return last === 'true';
  return last;
}

function descriptor(manifest: PluginManifest, name: string, given: readonly string[] | undefined): number | undefined {
  const text = given?.at(-1);
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,4}$/.test(text)) throw usage(manifest, `--${name} takes the number of a descriptor, not "${text}"`);
  return Number(text);
}

function usage(manifest: PluginManifest, why: string): SignalboxError {
  const known = Object.entries(manifest.flags ?? {}).map(([name, flag]) => `--${name} (${flag.description ?? flag.setting})`);
  return new SignalboxError('SBX_USAGE', `Wrong arguments for plugin ${manifest.name}.`, {
    why,
    fix: known.length === 0 ? 'This plugin takes no flags.' : `Flags: ${known.join(', ')}.`,
  });
}
