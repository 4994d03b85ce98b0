/** "Did you mean": the nearest of some names. */

/** The name nearest to `given` by edit distance, when it is near enough to be a slip of the finger. */
export function nearest(given: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  // a third of the letters, at least two: `stauts` → `status`, but not `x` → `up`
  let limit = Math.min(given.length - 1, Math.max(2, Math.floor(given.length / 3)));
  for (const name of names) {
    if (given.length >= 3 && name.startsWith(given)) return name;
    const distance = editDistance(given, name);
    if (distance <= limit) {
      best = name;
      limit = distance - 1;
    }
  }
  return best;
}

/** Number of single letters inserted, removed or replaced to get from `a` to `b` (Levenshtein). */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
