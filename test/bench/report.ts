/** docs/performance.md: tables, and the goals with where we stand. */

/** A goal as set, and what was measured. */
export interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
  readonly met: boolean;
}
/** What one section of the bench came to. */
export interface Section {
  readonly title: string;
  /** Markdown above the table. */
  readonly text: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly goals: readonly Goal[];
}

/** A number as people read it: three figures that count. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return '–';
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(value >= 0.1 ? 2 : 3);
}

/** A goal of the kind "at most" (or "at least") `limit` times something. */
export function within(what: string, value: number, limit: number, kind: 'most' | 'least' = 'most'): Goal {
  const met = kind === 'most' ? value <= limit : value >= limit;
  return { what, goal: `${kind === 'most' ? '≤' : '≥'} ${limit}×`, measured: `${figure(value)}×`, met };
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The whole document. @param about the machine and the run */
export function report(sections: readonly Section[], about: readonly string[], notes: string): string {
  const goals = sections.flatMap((section) => section.goals);
  return [
    '# Performance',
    '',
    'Written by `npm run bench`. Everything is measured in one run, all ways in turn in every round, so that what disturbs the machine',
    'disturbs them alike; **what counts are the ratios**, the milliseconds belong to one machine. A ratio is the median over the rounds of',
    'this way ÷ the other in the same round. The bare pass-through (`test/bench/pass-through.ts`) is Node `http` in, HTTP or stdio out, ids',
    're-mapped, nothing else: no authentication, no names, no eras, no time-outs, no limits.',
    '',
    ...about.map((line) => `* ${line}`),
    '',
    '## Goals and where we stand',
    '',
    table(
      ['goal', 'set', 'measured', ''],
      goals.map(({ what, goal, measured, met }) => [what, goal, measured, met ? 'met' : '**missed**']),
    ),
    '',
    ...(notes === '' ? [] : [notes.trim(), '']),
    ...sections.flatMap(({ title, text, head, rows }) => [`## ${title}`, '', text, '', table(head, rows), '']),
  ].join('\n');
}
