/** Sessions and their traffic in a terminal. */
import type { SessionInfo, SessionMethods, TrafficRow } from '../../api/sessions.ts';
import { bytesText, placeText, whatText } from '../record/text.ts';
import { table } from '../table.ts';
import { printable } from '../terminal.ts';

/** A table of sessions. */
export function sessionsText(sessions: readonly SessionInfo[], width: number): string {
  if (sessions.length === 0) return 'No client is connected. `signalbox wire` connects one; --ended shows those that have left.';
  const rows = sessions.map(({ id, endpoint, transport, era, clientInfo, frames, calls, errors, dropped, endedAt, lastAt, recordings }) => [
    id,
    endpoint,
    `${transport}${era === undefined ? '' : ` ${era}`}`,
    `${calls} calls`,
    errors === 0 ? '' : `${errors} failed`,
    `${frames} frames${dropped === 0 ? '' : ` (${dropped} no longer kept)`}`,
    endedAt === undefined ? clockText(Date.parse(lastAt)) : `ended ${clockText(Date.parse(endedAt))}`,
    [
      ...(clientInfo?.name === undefined ? [] : [printable(`${clientInfo.name} ${clientInfo.version ?? ''}`.trim())]),
      ...(recordings.length === 0 ? [] : [`recorded: ${recordings.join(', ')}`]),
    ].join('; '),
  ]);
  return table(rows, { width });
}

/** The timeline, a row a line: number, time, who to whom, what. */
export function trafficText(rows: readonly TrafficRow[], width: number): string {
  return table(
    rows.map((row) => [String(row.seq), clockText(row.time), placeText(row), whatText(row)]),
    { width },
  );
}

/** One event with its message, and all that belongs to it in order of time; the event itself is marked. */
export function eventText({ event, related }: SessionMethods['sessions/event']['result'], width: number): string {
  const { message, ...row } = event;
  const about = [
    ...(event.session === undefined ? [] : [`session ${event.session}`]),
    ...(event.era === undefined ? [] : [event.era]),
    ...(event.transport === undefined ? [] : [event.transport]),
    ...(event.bytes === undefined ? [] : [bytesText(event.bytes)]),
    ...(event.toolUseId === undefined ? [] : [`tool use ${printable(event.toolUseId)}`]),
  ].join(', ');
  const sequence = [row, ...related].sort((a, b) => a.seq - b.seq);
  const first = sequence[0]?.time ?? event.time;
  const lines = table(
    sequence.map((each) => [
      each.seq === event.seq ? '>' : ' ',
      String(each.seq),
      `+${(each.time - first).toFixed(1)} ms`,
      placeText(each),
      whatText(each),
    ]),
    { width },
  );
  const whole = message === undefined ? [] : ['', ...JSON.stringify(message, null, 2).split('\n').map(printable)];
  return [about, lines, ...whole].join('\n');
}

function clockText(time: number): string {
  const at = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}
