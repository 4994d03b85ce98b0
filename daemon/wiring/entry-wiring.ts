/** Wiring one client in one scope: our entry in its file, or through its own command line where it has one. */
import { isDeepStrictEqual } from 'node:util';
import { SignalboxError } from '../api/errors.ts';
import type { ClientCommand, WirableClient } from './client.ts';
import { bytesOf, type ClientFile, readClientFile, replaceFile, textWith, valueAt } from './client-file.ts';
import { unifiedDiff } from './diff.ts';
import { launchOf } from './launch.ts';
import { backupFile, digestOf, dropRecord, findRecord, keepRecord, type WiringRecord } from './record.ts';
import { undoWiring } from './undo.ts';
import type { Scope, Wiring, WiringEnvironment, WiringPlan, WiringResult } from './wiring.ts';

type RecordedPlace = Pick<WiringRecord, 'client' | 'scope' | 'file' | 'path'>;
interface Situation {
  readonly place: RecordedPlace;
  readonly read: ClientFile;
  readonly current: unknown;
  readonly record: WiringRecord | undefined;
}

/**
 * The wiring of a client in one scope.
 * @param environment `cwd` is the project of the scopes local and project
 */
export function wiringOf(client: WirableClient, scope: Scope, environment: WiringEnvironment): Wiring {
  const { paths } = environment;
  const { file, path, format } = client.place(scope, environment);
  const place: RecordedPlace = { client: client.name, scope, file, path };
  const entry = client.entry(launchOf(client.name, scope, environment), scope);
  const about = { client: client.name, scope, file } as const;

  function situation(): Situation {
    const read = readClientFile(file, format);
    const current = valueAt(read, path);
    const record = findRecord(paths, place);
    const ours = current === undefined || isDeepStrictEqual(current, record?.after) || isLaunchedByUs(current, scope, environment);
    if (!ours && !isDeepStrictEqual(current, entry)) throw foreignEntry(client, place);
    return { place, read, current, record };
  }

  function plan({ read, current }: Situation, command: ClientCommand | undefined): WiringPlan {
    if (isDeepStrictEqual(current, entry)) return { ...about, method: 'none' };
    if (command === undefined) {
      const diff = unifiedDiff(file, read.bytes === undefined ? undefined : read.text, textWith(read, path, entry));
      return { ...about, method: 'file', diff };
    }
    return { ...about, method: 'command', command: command.line(current !== undefined) };
  }

  async function write(): Promise<WiringResult> {
    const command = client.command?.(scope, entry, environment);
    const found = situation();
    const planned = plan(found, command);
    const { read, current, record } = found;
    if (planned.method === 'none') {
      // Our own launcher, but no record (the state folder was cleared): from now on it can be taken back.
      if (record === undefined && scope !== 'project') keepRecord(paths, recordOf(found, entry, true), read.bytes);
      return { ...planned, changed: false };
    }
    // First the record, then the change: whatever happens in between, undo knows what to do.
    const next = recordOf(found, entry, false);
    const text = textWith(read, path, entry);
    const alone = command === undefined && (record === undefined || isLeftByUs(record, read));
    keepRecord(
      paths,
      alone ? { ...next, writtenDigest: digestOf(bytesOf(read, text)) } : next,
      record === undefined || current === undefined ? read.bytes : 'keep',
    );
    try {
      if (command === undefined) replaceFile(read, bytesOf(read, text), scope === 'project' ? 0o666 & ~process.umask() : 0o600);
      else await writeThrough(command, current !== undefined);
    } catch (thrown) {
      if (valueAt(readClientFile(file, format), path) === undefined) dropRecord(paths, next);
      else if (record !== undefined) keepRecord(paths, record, 'keep');
      throw thrown;
    }
    return { ...planned, changed: true, ...(read.bytes === undefined ? {} : { backup: backupFile(paths, place) }) };
  }

  async function writeThrough(command: ClientCommand, replace: boolean): Promise<void> {
    await command.write(replace);
    if (isDeepStrictEqual(valueAt(readClientFile(file, format), path), entry)) return;
    throw new SignalboxError('SBX_WIRE_CLIENT', `${client.title} did not write the entry where Signalbox looked for it.`, {
      why: `"${path.join('" / "')}" in ${file} is not what its command line was given.`,
      fix: command.lookFor,
    });
  }

  function recordOf({ read, current, record }: Situation, after: object, adopted: boolean): WiringRecord {
    const base = { version: 1, ...place, after, wiredAt: new Date().toISOString(), ...(format === 'json' ? {} : { format }) } as const;
    // Where a record exists, what stood there before us stays what it was.
    if (record !== undefined && current !== undefined) {
      const { created, createdFile } = record;
      return { ...base, ...('before' in record ? { before: record.before } : {}), created, createdFile };
    }
    const parents = path.slice(0, -1).map((_, index) => path.slice(0, index + 1));
    return {
      ...base,
      ...(current === undefined || adopted ? {} : { before: current }),
      created: parents.filter((parent) => valueAt(read, parent) === undefined),
      createdFile: read.bytes === undefined,
    };
  }

  return {
    preview: async () => plan(situation(), client.command?.(scope, entry, environment)),
    write,
    undo: async (options) => {
      const record = findRecord(paths, place);
      if (record !== undefined) return undoWiring(paths, record, options);
      throw new SignalboxError('SBX_WIRE_NOTHING', `${client.title} is not wired in the ${scope} scope here.`, {
        why: `There is no record of Signalbox writing to ${file}.`,
        fix: 'Name the scope it was wired in with --scope, or run `signalbox unwire --all` to take back every wiring.',
      });
    },
    current: () => {
      const found = situation();
      return found.current === undefined ? undefined : { file, entry: found.current as object };
    },
  };
}

/** Never in a project's file: that comes with the project, and what else its entry says (`env`) would be run by a check. */
function isLaunchedByUs(value: unknown, scope: Scope, { paths }: WiringEnvironment): boolean {
  if (scope === 'project') return false;
  return typeof value === 'object' && value !== null && (value as { command?: unknown }).command === paths.launcher;
}

function isLeftByUs(record: WiringRecord, read: ClientFile): boolean {
  return read.bytes !== undefined && record.writtenDigest === digestOf(read.bytes);
}

function foreignEntry(client: WirableClient, { file, path, scope }: RecordedPlace): SignalboxError {
  return new SignalboxError('SBX_WIRE_CONFLICT', `${file} already has a server named "${path.at(-1)}" that Signalbox did not write.`, {
    why: `The entry at "${path.join('" / "')}" is somebody else's, or was edited by hand.`,
    fix: `If you do not need it, ${client.removal?.(scope) ?? 'take it out by hand'}, then run the command again.`,
  });
}
