/** Verdicts counted by revision and area: the honest summary that every report shows. */
import type { Summary, Verdict } from '../../api/conformance.ts';

/** The verdicts in the order in which they are shown. */
export const VERDICTS: readonly Verdict[] = ['passed', 'failed', 'warning', 'note', 'not-applicable', 'not-exercised'];

/** One line of the summary. */
export interface AreaRow {
  readonly revision: string;
  readonly area: string;
  readonly counts: Readonly<Record<Verdict, number>>;
}

/** A row for each area of each revision that was tested, in the order of the requirements. */
export function areaRows({ outcomes }: Summary): readonly AreaRow[] {
  const rows = new Map<string, { revision: string; area: string; counts: Record<Verdict, number> }>();
  for (const { requirement, area, verdict } of outcomes) {
    const revision = requirement.startsWith('L-') ? '2025-11-25' : '2026-07-28';
    const key = `${revision} ${area}`;
    const row = rows.get(key) ?? {
      revision,
      area,
      counts: { passed: 0, failed: 0, warning: 0, note: 0, 'not-applicable': 0, 'not-exercised': 0 },
    };
    row.counts[verdict]++;
    rows.set(key, row);
  }
  return [...rows.values()];
}
