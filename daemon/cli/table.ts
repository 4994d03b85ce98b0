/** Columns of text for a terminal. */

/**
 * Rows in aligned columns, two blanks apart, each line indented by `indent` blanks.
 * The last column is cut with `…` when the line would be wider than `width` characters; a width of 0 cuts nothing.
 */
export function table(rows: readonly (readonly string[])[], { indent = 0, width = 0 }: { indent?: number; width?: number } = {}): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      // the last column needs no padding, so a long one does not push anything
      if (column < row.length - 1) widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) => {
      const line =
        ' '.repeat(indent) + row.map((cell, column) => (column < row.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell)).join('  ');
      const trimmed = line.trimEnd();
      return width > 0 && trimmed.length > width ? `${trimmed.slice(0, width - 1)}…` : trimmed;
    })
    .join('\n');
}

/** The first sentence or line of a longer text, for a table. */
export function headline(text: string | undefined): string {
  const line = (text ?? '').trim().split('\n')[0] ?? '';
  const sentence = /^.*?[.!?](?=\s|$)/.exec(line);
  return sentence?.[0] ?? line;
}
