/** Statistics in a terminal, of what passes and of recordings alike. */
import type { ListStatistics, ToolStatistics } from '../api/sessions.ts';
import { bytesText } from './record/text.ts';
import { table } from './table.ts';
import { printable } from './terminal.ts';

/** A table of tools, and a line for each list. Names are a server's or a file's own: nothing of them reaches the terminal as a control sequence. */
export function statisticsText({
  tools,
  lists,
}: {
  readonly tools: readonly ToolStatistics[];
  readonly lists: readonly ListStatistics[];
}): string {
  if (tools.length === 0 && lists.length === 0) return 'Nothing was called.';
  const rows = tools.map(({ name, count, errors, p50, p99, bytesIn, bytesOut, tokens, server }) => [
    printable(server === undefined ? name : `${server}: ${name}`),
    String(count),
    String(errors),
    p50.toFixed(1),
    p99.toFixed(1),
    bytesText(bytesIn),
    bytesText(bytesOut),
    String(tokens),
  ]);
  const sizes = lists.map(
    ({ server, method, bytes, tokens }) =>
      `${printable(server === undefined ? method : `${server}: ${method}`)}: ${bytesText(bytes)}, about ${tokens} tokens`,
  );
  return [table([['tool', 'calls', 'errors', 'p50 ms', 'p99 ms', 'asked', 'answered', 'tokens'], ...rows]), ...sizes].join('\n');
}
