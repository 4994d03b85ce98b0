/** Recordings in a terminal. */
import type { ErrorShape } from '../../api/errors.ts';
import type { RecordingInfo } from '../../api/recordings.ts';
import type { TrafficRow } from '../../api/sessions.ts';
import type { CommandContext } from '../command.ts';
import { table } from '../table.ts';
import { printable } from '../terminal.ts';

/** A table of recordings. */
export function recordingsText(recordings: readonly RecordingInfo[], width: number): string {
  if (recordings.length === 0) return 'There is no recording. `signalbox record start` begins one.';
  const rows = recordings.map(({ id, name, createdAt, frames, bytes, clients, servers, live, gaps, problem }) => [
    printable(id),
    printable(name ?? ''),
    createdAt.slice(0, 19).replace('T', ' '),
    `${frames} messages`,
    bytesText(bytes),
    live ? 'recording' : problem === undefined ? (gaps === 0 ? '' : `${gaps} gaps`) : problem.code,
    printable([...clients, ...servers].join(', ')),
  ]);
  return table(rows, { width });
}

/** One recording in a line or two. */
export function recordingText({ id, name, frames, bytes, path, problem }: RecordingInfo): string {
  const line = `${printable(name === undefined ? id : `${name} (${id})`)}: ${frames} messages, ${bytesText(bytes)}, ${printable(path)}`;
  return problem === undefined ? line : `${line}\n${problem.message} ${problem.cause} (${problem.code})`;
}

/** The timeline, a row a line: time, who to whom, what. */
export function rowsText(rows: readonly TrafficRow[], began: number, width: number): string {
  return table(
    rows.map((row) => [String(Math.floor(row.seq)), ((row.time - began) / 1000).toFixed(3), placeText(row), whatText(row)]),
    { width },
  );
}

/** Who said it to whom. */
export function placeText({ edge, direction, client, server, kind }: TrafficRow): string {
  if (kind === 'gap') return '';
  const [name, arrow] =
    edge === 'client' ? [client ?? 'client', direction === 'in' ? '→' : '←'] : [server ?? 'server', direction === 'in' ? '←' : '→'];
  const who = printable(name);
  return direction === undefined ? who : edge === 'client' ? `${who} ${arrow}` : `  ${arrow} ${who}`;
}

/** What was said; with the message where there is one. */
export function whatText(row: TrafficRow): string {
  const { kind, type, method, target, status, ms, text, id, message } = row;
  const body = message === undefined ? '' : `\n${JSON.stringify(message, null, 2).split('\n').map(printable).join('\n')}`;
  if (kind !== 'frame') return `${kind}${text === undefined ? '' : `: ${printable(text)}`}`;
  const subject = printable([method, target].filter((part) => part !== undefined).join(' '));
  const name = printable(String(id));
  if (type !== 'response') return `${subject}${id === undefined ? ' (notification)' : ` #${name}`}${body}`;
  return `${subject === '' ? 'answer' : subject} #${name} ${status ?? ''}${ms === undefined ? '' : ` ${ms.toFixed(1)} ms`}${body}`;
}

/** A size people can read. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [unit, divisor] = bytes < 1e6 ? ['kB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : ['GB', 1e9];
  return `${(bytes / Number(divisor)).toFixed(1)} ${unit}`;
}

/** Says on standard error what of a recording could not be read. */
export function damaged(context: CommandContext, problems: readonly ErrorShape[] = []): boolean {
  for (const { code, message, cause, fix } of problems) context.note(`${code}: ${message}\n  why: ${cause}\n  fix: ${fix}`);
  return problems.length > 0;
}
