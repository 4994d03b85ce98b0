/** From the settings document to the roots. */

import { isAbsolute, resolve } from 'node:path';
import { SignalboxError } from '../../daemon/api/errors.ts';
import type { JsonObject, PluginContext } from '../plugin/define.ts';
import { type Area, openArea, type RootSettings } from './guard/area.ts';
import type { HardLinkPolicy } from './guard/hard-links.ts';

/** One entry of `roots`. */
type RootEntry =
  | string
  | {
      readonly path: string;
      readonly name?: string;
      readonly access?: 'read' | 'write';
      readonly deny?: readonly string[];
      readonly only?: readonly string[];
    };

/** The settings document; plugin.json has its schema. */
export interface Settings {
  readonly roots: readonly RootEntry[];
  readonly access: 'read' | 'write';
  readonly deny: readonly string[];
  readonly allow: readonly string[];
  readonly only: readonly string[] | undefined;
  readonly hardLinks: HardLinkPolicy;
  readonly newNames: 'portable' | 'any';
  readonly maxFileBytes: number;
  readonly maxCopyBytes: number;
  readonly gitignore: boolean;
  readonly clientRoots: 'ignore' | 'narrow';
  readonly allowHome: boolean;
}

const MIB = 1024 * 1024;

/** Fills in what the document leaves out. */
export function readSettings(document: JsonObject): Settings {
  const given = document as Partial<Settings>;
  return {
    roots: given.roots ?? [],
    access: given.access ?? 'read',
    deny: given.deny ?? [],
    allow: given.allow ?? [],
    only: given.only,
    hardLinks: given.hardLinks ?? 'proved',
    newNames: given.newNames ?? 'portable',
    // What fits, as text, into the 10 MiB that the SDK's clients take in one message on stdio.
    maxFileBytes: given.maxFileBytes ?? 8 * MIB,
    maxCopyBytes: given.maxCopyBytes ?? 1024 * MIB,
    gitignore: given.gitignore ?? false,
    clientRoots: given.clientRoots ?? 'ignore',
    allowHome: given.allowHome ?? false,
  };
}

/**
 * Opens the roots of the settings.
 * @throws SignalboxError `SBX_FS_ROOT`, `SBX_PLUGIN_SETTINGS`
 */
export function openRoots(settings: Settings, baseFolder: PluginContext['baseFolder']): Area {
  const roots = settings.roots.map((entry): RootSettings => {
    const one = typeof entry === 'string' ? { path: entry } : entry;
    const only = one.only ?? settings.only;
    return {
      // `~` is not replaced: the daemon judges whether a workspace's roots lie in the workspace, and must read the same path as we do.
      path: isAbsolute(one.path) ? one.path : resolve(baseFolder, one.path),
      // A root may have less than `access`, never more, nor exceptions of its own: it is `access` and the settings beside `roots` that the
      // daemon compares with what the user allows a workspace.
      access: settings.access === 'write' ? (one.access ?? 'write') : 'read',
      deny: [...settings.deny, ...(one.deny ?? [])],
      allow: settings.allow,
      allowHome: settings.allowHome,
      ...(one.name === undefined ? {} : { name: one.name }),
      ...(only === undefined ? {} : { only }),
    };
  });
  const names = roots.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw wrong(`Two roots have the name "${twice}".`, 'Give each root a name of its own.');
  try {
    return openArea(roots, { hardLinks: settings.hardLinks, newNames: settings.newNames });
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    throw wrong(thrown.message, 'Write simpler globs in "deny", "allow" and "only".');
  }
}

function wrong(why: string, fix: string): SignalboxError {
  return new SignalboxError('SBX_PLUGIN_SETTINGS', 'The settings of the filesystem server cannot be used.', { why, fix });
}
