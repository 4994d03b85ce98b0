/** Where rows come from: the daemon's live tap, or a recording. */
import type { RecordingInfo } from '../../daemon/api/recordings.ts';
import type { TrafficQuery, TrafficRow } from '../../daemon/api/sessions.ts';
import type { DaemonConnection } from '../daemon/connection.ts';

/** A page of rows in the order of `seq`; `dropped`: events before them that are lost. */
export interface RowsPage {
  readonly rows: readonly TrafficRow[];
  readonly more: boolean;
  readonly dropped: number;
}

/** What a feed reads from. */
export interface TrafficSource {
  readonly live: boolean;
  rows(query: TrafficQuery): Promise<RowsPage>;
  /** Every row of the call the event belongs to, with messages, in the order of `seq`. */
  call(seq: number, reveal: boolean): Promise<readonly TrafficRow[]>;
}

/** Steps of one call that are fetched with their messages; a call may have thousands of progress notifications. */
const MOST_STEPS = 60;
/** Pages looked through for the frames of one recorded call. */
const MOST_PAGES = 4;
const PAGE = 500;

/** The live tap. */
export function liveSource(daemon: Pick<DaemonConnection, 'call'>): TrafficSource {
  return {
    live: true,
    rows: (query) => daemon.call('sessions/rows', query),
    async call(seq, reveal) {
      const { event, related } = await daemon.call('sessions/event', { seq, reveal });
      const others = related.filter((row) => row.seq !== seq).slice(0, MOST_STEPS);
      const full = await Promise.all(
        others.map(async (row) => {
          if (row.message !== undefined || row.kind !== 'frame') return row;
          // Meanwhile it may have fallen out of the ring: then it is shown without its message.
          return daemon.call('sessions/event', { seq: row.seq, reveal }).then(
            (answer) => answer.event,
            () => row,
          );
        }),
      );
      return [event, ...full].toSorted((a, b) => a.seq - b.seq);
    },
  };
}

/** A recording: `seq` of its rows is the number of the line. */
export function recordingSource(daemon: Pick<DaemonConnection, 'call'>, recording: Pick<RecordingInfo, 'id'>): TrafficSource {
  const show = (query: TrafficQuery): Promise<{ rows: readonly TrafficRow[]; more: boolean }> =>
    daemon.call('record/show', { recording: recording.id, ...query });
  return {
    live: false,
    async rows(query) {
      const { rows, more } = await show(query);
      return { rows, more, dropped: 0 };
    },
    async call(seq) {
      const [event] = (await show({ after: seq - 1, limit: 1, messages: true })).rows;
      if (event === undefined) return [];
      const call = event.call ?? event.seq;
      const found = new Map([[event.seq, event]]);
      let after = call - 1;
      for (let page = 0; page < MOST_PAGES && found.size <= MOST_STEPS; page++) {
        const { rows, more } = await show({ after, limit: PAGE, messages: true });
        for (const row of rows) if (row.call === call || row.seq === call || row.answers === call) found.set(row.seq, row);
        const last = rows.at(-1);
        if (!more || last === undefined || rows.some((row) => row.answers === call)) break;
        after = last.seq;
      }
      return [...found.values()].toSorted((a, b) => a.seq - b.seq);
    },
  };
}
