/** `signalbox record export` and `import`. */
import { existsSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { onlyArgument, usageError } from '../arguments.ts';
import type { CommandContext } from '../command.ts';
import { recordingRef, sharedFolder } from './place.ts';
import { bytesText, damaged, recordingText } from './text.ts';

const ENDINGS: Readonly<Record<string, string>> = { jsonl: '.jsonl', har: '.har', plain: '.messages.jsonl' };

/** Shows what a recording holds, asks, and writes it. Without `--to` or `--workspace` it only shows. Exit code 1 when a part of it could not be read. */
export async function exportCommand(context: CommandContext, rest: readonly string[]): Promise<number> {
  const given = onlyArgument('record export', rest, "the recording's id or name");
  const { flags, cwd, json } = context;
  const format = flags.text('format') ?? 'jsonl';
  const ending = ENDINGS[format];
  if (ending === undefined)
    throw usageError(`\`${format}\` is no format.`, `There are ${Object.keys(ENDINGS).join(', ')}.`, 'Leave `--format` out for `jsonl`.');
  const client = await context.connect();
  const recording = recordingRef(context, given);
  const before = await client.call('record/export', { recording, format });
  const shared = flags.on('workspace');
  const name = flags.text('name') ?? fileName(given);
  const to = flags.text('to') ?? (shared ? join(sharedFolder(context), `${name}${ending}`) : undefined);
  if (to === undefined) {
    context.result(before, () => [...before.preview, 'Nothing was written: give `--to FILE` or `--workspace`.'].join('\n'));
    return 0;
  }
  const file = resolve(cwd, to);
  if (existsSync(file) && !flags.on('force') && !(await confirmed(context, [`${file} is there already.`], 'Replace it?')))
    throw usageError(`${file} is there already.`, 'It is not replaced unasked.', 'Give `--force`, or another `--name`.');
  if (!json && !flags.on('yes') && !(await confirmed(context, before.preview, `Write this to ${file}?`))) {
    if (context.stdin.isTTY === true) return 1;
    throw usageError(
      'Nothing was written.',
      'What it holds has to be seen first, and nobody can be asked here.',
      'Look at it without `--to`, then give `--yes`.',
    );
  }
  const written = await client.call('record/export', { recording, format, to: file });
  context.result(written, () => `Wrote ${written.file} (${bytesText(written.bytes)}).`);
  return damaged(context, written.problems) ? 1 : 0;
}

async function confirmed(context: CommandContext, lines: readonly string[], question: string): Promise<boolean> {
  for (const line of lines) context.note(line);
  return context.confirm(question);
}

/** A file of another program, or an exported recording, becomes a recording; exit code 1 when a part of it could not be read. */
export async function importCommand(context: CommandContext, rest: readonly string[]): Promise<number> {
  const file = resolve(context.cwd, onlyArgument('record import', rest, 'the file'));
  const { flags } = context;
  const format = flags.text('format');
  const name = flags.text('name');
  const client = await context.connect();
  const info = await client.call('record/import', {
    file,
    ...(format === undefined ? {} : { format }),
    ...(name === undefined ? {} : { name }),
  });
  context.result(info, () => recordingText(info));
  return info.problem === undefined ? 0 : 1;
}

function fileName(given: string): string {
  const last = given.split(/[\\/]/).at(-1) ?? given;
  return last.slice(0, last.length - extname(last).length).replace(/[^A-Za-z0-9._-]+/g, '-') || 'recording';
}
