/** A call, taken apart: request and answer at both edges. No DOM. */
import type { TrafficRow } from '../../../daemon/api/sessions.ts';
import { translate as t } from './strings.ts';

/** What one stage of a call was at both edges. */
export interface Stage {
  readonly title: string;
  readonly left: { readonly label: string; readonly row: TrafficRow | undefined };
  readonly right: { readonly label: string; readonly row: TrafficRow | undefined };
}

/** Request and answer at both edges, and what else there is. */
export function arrange(rows: readonly TrafficRow[]): { stages: readonly Stage[]; others: readonly TrafficRow[] } {
  const frames = rows.filter((row) => row.kind === 'frame');
  const asked = frames.find((row) => row.edge === 'client' && row.type === 'request' && row.direction === 'in');
  const answered = frames.find((row) => asked !== undefined && row.edge === 'client' && row.answers === asked.seq);
  const passed = frames.filter((row) => row.edge === 'server' && row.type === 'request' && row.direction === 'out');
  // The last one that went: what a retry or a second round ended with is what the client was answered.
  const sent = passed.findLast((row) => row.method === asked?.method) ?? passed.at(-1);
  const got = frames.find((row) => sent !== undefined && row.edge === 'server' && row.answers === sent.seq);
  const stages: Stage[] = [];
  if (asked !== undefined || sent !== undefined)
    stages.push({
      title: t('Request'),
      left: { label: t('As the client sent it'), row: asked },
      right: { label: t('As the server got it'), row: sent },
    });
  if (answered !== undefined || got !== undefined)
    stages.push({
      title: t('Answer'),
      left: { label: t('As the client got it'), row: answered },
      right: { label: t('As the server sent it'), row: got },
    });
  const shown = new Set([asked, answered, sent, got]);
  return { stages, others: frames.filter((row) => !shown.has(row)) };
}
