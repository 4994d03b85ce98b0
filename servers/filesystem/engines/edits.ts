/** Exact replacements in a text, all or nothing. */
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { printable } from '../guard/beneath.ts';
import { lineEndings } from './text.ts';

/** One replacement. */
export interface Edit {
  readonly oldText: string;
  readonly newText: string;
  /** Every occurrence; else there must be exactly one. */
  readonly all?: boolean;
}

/**
 * Applies edits one after the other. In a file whose lines all end in CRLF, a `\n` of an edit means `\r\n`.
 * @throws SignalboxError `SBX_FS_EDIT` naming the edit that does not fit, and why
 */
export function applyEdits(path: string, text: string, edits: readonly Edit[]): { readonly text: string; readonly replacements: number } {
  const crlf = lineEndings(text) === 'crlf';
  const adapt = (piece: string): string => (crlf ? piece.replace(/\r?\n/g, '\r\n') : piece);
  let now = text;
  let replacements = 0;
  for (const [index, edit] of edits.entries()) {
    const old = adapt(edit.oldText);
    const count = occurrences(now, old);
    if (count === 0) throw misfit(path, index, edit, nearMiss(now, old));
    if (count > 1 && edit.all !== true) throw misfit(path, index, edit, `It occurs ${count} times; one is wanted.`);
    now = count === 1 ? replaceOne(now, old, adapt(edit.newText)) : now.split(old).join(adapt(edit.newText));
    replacements += count;
  }
  return { text: now, replacements };
}

function replaceOne(text: string, old: string, by: string): string {
  const at = text.indexOf(old);
  return text.slice(0, at) + by + text.slice(at + old.length);
}

function occurrences(text: string, piece: string): number {
  let count = 0;
  for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + piece.length)) count++;
  return count;
}

/** What a model most often gets wrong is blanks. */
function nearMiss(text: string, piece: string): string {
  const squeeze = (value: string): string => value.replace(/\s+/gu, ' ').trim();
  const wanted = squeeze(piece);
  if (wanted !== '' && squeeze(text).includes(wanted)) return 'It occurs with other blanks or line breaks.';
  if (text.toLowerCase().includes(piece.toLowerCase())) return 'It occurs with other upper and lower case.';
  const first = squeeze(piece.split('\n').find((line) => line.trim() !== '') ?? '');
  const line = first === '' ? -1 : text.split('\n').findIndex((candidate) => squeeze(candidate) === first);
  return line < 0 ? 'It does not occur.' : `Only its first line occurs (line ${line + 1}); what follows there is different.`;
}

function misfit(path: string, index: number, edit: Edit, why: string): SignalboxError {
  const shown = edit.oldText.length > 80 ? `${edit.oldText.slice(0, 80)}…` : edit.oldText;
  return new SignalboxError('SBX_FS_EDIT', `Edit ${index + 1} does not fit "${printable(path)}"; nothing was written.`, {
    why: `oldText ${JSON.stringify(shown)}: ${why}`,
    fix: 'Read the lines again and copy oldText exactly, with enough around it to be unique, or give "all": true.',
  });
}
