import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { applyEdits, findNodeAtLocation, modify, parseTree } from 'jsonc-parser';
import { SignalboxError } from '../api/errors.ts';
import { makePrivateFolder, writePrivately } from '../security/files.ts';
import { parseConfig, readConfigBytes } from './file.ts';

/** One change of a server in a file. `entry` undefined removes it. */
export type ServerEdit = { readonly name: string } & (
  | { readonly add: Readonly<Record<string, unknown>> }
  | { readonly remove: true }
  | { readonly enabled: boolean }
);

/**
 * Changes one server in a configuration file, keeping comments and layout; the file is made if it is not there. A link is followed, not replaced.
 * @returns the new text as written
 * @throws SignalboxError `SBX_SERVER_UNKNOWN`, `SBX_USAGE` (the name is there already), `SBX_CONFIG_INVALID` (the entry is not one), `SBX_CONFIG_READ`, `SBX_CONFIG_SYNTAX`
 */
export function editServer(file: string, edit: ServerEdit): string {
  const read = readConfigBytes(file);
  if (read.state === 'unreadable')
    throw new SignalboxError('SBX_CONFIG_READ', read.problem.message, { why: `It concerns ${file}.`, fix: read.problem.fix });
  const text = read.state === 'missing' || read.text.trim() === '' ? '{\n}\n' : read.text;
  const before = parseConfig(file, text);
  const [wrong] = before.problems;
  if (before.broken)
    throw new SignalboxError('SBX_CONFIG_SYNTAX', `${file} cannot be edited.`, {
      why: wrong?.message ?? 'It is broken.',
      fix: wrong?.fix ?? 'Correct it first.',
    });
  const path = pathIn(text, edit.name);
  const root = parseTree(text, [], { allowTrailingComma: true });
  const present = root !== undefined && findNodeAtLocation(root, path) !== undefined;
  if ('add' in edit && present)
    throw new SignalboxError('SBX_USAGE', `There is already a server \`${edit.name}\`.`, {
      why: `It stands in ${file}.`,
      fix: 'Remove it first, or choose another name.',
    });
  if (!('add' in edit) && !present)
    throw new SignalboxError('SBX_SERVER_UNKNOWN', `There is no server \`${edit.name}\` in ${file}.`, {
      why: 'Only what stands in this file can be changed here.',
      fix: 'See `signalbox servers list`.',
    });
  const [at, value]: [(string | number)[], unknown] =
    'add' in edit ? [path, edit.add] : 'enabled' in edit ? [[...path, 'enabled'], edit.enabled ? undefined : false] : [path, undefined];
  const changed = applyEdits(text, modify(text, at, value, { formattingOptions: { insertSpaces: true, tabSize: 2, eol: '\n' } }));
  if ('add' in edit) {
    const fresh = parseConfig(file, changed).problems.find(
      ({ path: place, message }) => !before.problems.some((old) => old.path === place && old.message === message),
    );
    if (fresh !== undefined)
      throw new SignalboxError('SBX_CONFIG_INVALID', `The server \`${edit.name}\` was not added.`, { why: fresh.message, fix: fresh.fix });
  }
  makePrivateFolder(dirname(file));
  const target = read.state === 'missing' ? file : realpathSync(file);
  writePrivately(target, changed, read.state === 'missing' ? 0o600 : statSync(target).mode & 0o777);
  return changed;
}

function pathIn(text: string, name: string): [string, string] {
  const root = parseTree(text, [], { allowTrailingComma: true });
  const has = (...path: string[]): boolean => root !== undefined && findNodeAtLocation(root, path) !== undefined;
  if (has('servers', name) || !has('mcpServers')) return ['servers', name];
  return has('servers') && !has('mcpServers', name) ? ['servers', name] : ['mcpServers', name];
}
