/** How long a list waits for servers that were never met: in proportion to what the healthy ones need. */

/** One server that is being waited for. */
export interface Wait {
  /** When it was first asked, milliseconds since 1970. */
  readonly since: number;
  /** Resolves when it has answered (true), failed, or used up its own patience (false). Never rejects. */
  readonly answered: Promise<boolean>;
  /** Called when it is no longer waited for. */
  readonly gaveUp: () => void;
}

/** A server may take this many times as long as the slowest that has answered… */
const FACTOR = 3;
/** …and this many milliseconds more. A tool that is missing from the first list costs more than a moment. */
const GRACE_MS = 1000;
/** What starting is taken to cost, milliseconds, where the others are known already. */
const USUAL_MS = 500;

/**
 * Waits for servers together. One that hangs is given up when the others have long answered.
 * @param others whether other servers of the list are known already: then these get what starting usually costs
 */
export function together(waits: readonly Wait[], others: boolean): Promise<void> {
  if (waits.length === 0) return Promise.resolve();
  const start = Math.min(...waits.map(({ since }) => since));
  const open = new Set(waits);
  let slowest = others ? USUAL_MS : undefined;
  return new Promise<void>((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const look = (): void => {
      clearTimeout(timer);
      const rest = slowest === undefined ? Number.POSITIVE_INFINITY : start + FACTOR * slowest + GRACE_MS - Date.now();
      if (open.size > 0 && rest > 0) {
        if (rest < Number.POSITIVE_INFINITY) timer = setTimeout(look, rest);
        return;
      }
      for (const { gaveUp } of open) gaveUp();
      open.clear();
      resolve();
    };
    for (const wait of waits)
      void wait.answered.then((healthy) => {
        if (!open.delete(wait)) return;
        if (healthy) slowest = Date.now() - start;
        look();
      });
    look();
  });
}
