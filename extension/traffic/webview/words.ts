/** How things are written for people. No DOM. */
import type { TrafficRow } from '../../../daemon/api/sessions.ts';
import type { Entry, Mode } from './store.ts';
import { translate as t } from './strings.ts';

/** The cells of a line, in the order of {@link COLUMNS}. */
export interface Cells {
  readonly time: string;
  readonly client: string;
  readonly server: string;
  readonly way: string;
  readonly method: string;
  readonly target: string;
  readonly status: string;
  readonly duration: string;
  readonly bytes: string;
}

/** Column of each cell. */
export const COLUMNS: readonly (keyof Cells)[] = ['time', 'client', 'server', 'way', 'method', 'target', 'status', 'duration', 'bytes'];

/** What an event that is no frame is called. */
function kindWords(kind: Exclude<TrafficRow['kind'], 'frame'>): string {
  const words = {
    open: t('connected'),
    close: t('disconnected'),
    fault: t('not a message'),
    stderr: 'stderr',
    gap: t('gap'),
  };
  return words[kind];
}

/** The words of a line. */
export function cells({ row, answer, servers, steps }: Entry, mode: Mode): Cells {
  const calls = mode === 'calls';
  const end = calls ? answer : undefined;
  const status = end?.status ?? row.status;
  const pending = calls && row.kind === 'frame' && row.type === 'request' && end === undefined;
  const ms = end?.ms ?? row.ms;
  return {
    time: clock(row.time),
    client: row.client ?? (row.edge === 'server' ? '' : (row.session ?? '')),
    server: servers.join(', '),
    way: calls && row.type === 'request' && steps > 0 ? `+${steps}` : way(row),
    method: row.kind === 'frame' ? (row.method ?? row.type ?? '') : kindWords(row.kind),
    target: row.target ?? row.text ?? '',
    status: pending ? t('pending') : status === undefined ? '' : statusWords(status),
    duration: ms === undefined ? '' : duration(ms),
    bytes: row.bytes === undefined ? '' : size(row.bytes + (end?.bytes ?? 0)),
  };
}

/** What an answer is called. */
function statusWords(status: NonNullable<TrafficRow['status']>): string {
  const words = { ok: t('ok'), error: t('error'), 'tool-error': t('tool error'), 'input-required': t('asks') };
  return words[status];
}

/** Between whom it passed: `C→D` client to daemon, `D→S` daemon to server. */
export function way({ kind, edge, direction }: TrafficRow): string {
  if (kind !== 'frame' || direction === undefined) return '';
  if (edge === 'client') return direction === 'in' ? 'C→D' : 'D→C';
  return direction === 'out' ? 'D→S' : 'S→D';
}

/** The same for people who hear it. */
export function wayInWords({ edge, direction }: TrafficRow): string {
  if (edge === 'client') return direction === 'in' ? t('from the client to the daemon') : t('from the daemon to the client');
  return direction === 'out' ? t('from the daemon to the server') : t('from the server to the daemon');
}

/** Local time of day with milliseconds. @param time milliseconds since 1970 */
export function clock(time: number): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** @param ms milliseconds */
export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

/** @param bytes a count */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
