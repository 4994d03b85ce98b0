/** `signalbox unwire --all`: takes back every wiring, whether its client is still installed or not. */
import { type ErrorShape, errorShape } from '../api/errors.ts';
import { listRecords } from '../wiring/record.ts';
import { undoWiring } from '../wiring/undo.ts';
import type { UndoResult } from '../wiring/wiring.ts';
import { positionals, usageError } from './arguments.ts';
import type { Command } from './command.ts';
import { undoText } from './wire.ts';

/** `signalbox unwire`. */
export const unwireCommand: Command = {
  name: 'unwire',
  summary: 'Take Signalbox out of every client it was wired into',
  usage: ['signalbox unwire --all [--preview]'],
  options: {
    all: { type: 'boolean', short: 'a', summary: 'every client, scope and project; needed, so that it is meant' },
    preview: { type: 'boolean', short: 'p', summary: 'show the changes and make none' },
  },
  details: ['What cannot be taken back (a file that no longer parses, an entry edited since) is named, kept, and makes the exit code 1.'],
  async run(context) {
    positionals('unwire', context.args, []);
    if (!context.flags.on('all'))
      throw usageError(
        '`signalbox unwire` takes back every wiring and wants to be told so.',
        '`--all` was not given.',
        'Run `signalbox unwire --all`, or `signalbox wire <client> --undo` for one.',
      );
    const preview = context.flags.on('preview');
    const undone: UndoResult[] = [];
    const failed: ({ readonly file: string } & ErrorShape)[] = [];
    for (const record of listRecords(context.paths)) {
      try {
        undone.push(undoWiring(context.paths, record, { preview }));
      } catch (thrown) {
        failed.push({ file: record.file, ...errorShape(thrown) });
      }
    }
    context.result({ undone, failed }, () => {
      if (undone.length === 0 && failed.length === 0) return 'Nothing is wired.';
      return undone.map((result) => (preview ? result.diff : undoText(result))).join('\n');
    });
    if (!context.json)
      for (const { code, message, cause, fix } of failed) context.note(`${code}: ${message}\n  why: ${cause}\n  fix: ${fix}`);
    return failed.length === 0 ? 0 : 1;
  },
};
