/** Rows of traffic as the daemon makes them, for tests. */
import type { TrafficRow } from '../../../../daemon/api/sessions.ts';

/** A request of a client, what the daemon asks the server, the server's answer and the client's: four rows from `seq` on. */
export function call(seq: number, facts: Partial<TrafficRow> = {}): TrafficRow[] {
  const about = { kind: 'frame', time: 1_700_000_000_000 + seq, call: seq, method: 'tools/call', target: 'read', bytes: 100 } as const;
  const client = { ...about, edge: 'client', client: 'claude-code', session: 's1' } as const;
  const server = { ...about, edge: 'server', server: 'files' } as const;
  return [
    { ...client, seq, direction: 'in', type: 'request', id: seq },
    { ...server, seq: seq + 1, direction: 'out', type: 'request', id: 1 },
    { ...server, seq: seq + 2, direction: 'in', type: 'response', id: 1, answers: seq + 1, ms: 3, status: 'ok' },
    { ...client, seq: seq + 3, direction: 'out', type: 'response', id: seq, answers: seq, ms: 4, status: 'ok', ...facts },
  ];
}
