/** The results that were exported, for as long as this process lives. */
import { randomUUID } from 'node:crypto';

const KEPT_BYTES = 32 * 1024 * 1024;

/** Files made in this process; the oldest go when they take more than 32 MB. */
export interface Exports {
  add(name: string, mimeType: string, text: string): string;
  get(uri: string): { readonly mimeType: string; readonly text: string } | undefined;
  list(): readonly { readonly uri: string; readonly name: string; readonly mimeType: string }[];
}

/** Makes the store of exported results. */
export function makeExports(): Exports {
  const kept = new Map<string, { name: string; mimeType: string; text: string }>();
  return {
    add: (name, mimeType, text) => {
      const uri = `db://exports/${randomUUID()}/${name}`;
      kept.set(uri, { name, mimeType, text });
      let total = [...kept.values()].reduce((sum, one) => sum + one.text.length, 0);
      for (const [oldest, one] of kept) {
        if (total <= KEPT_BYTES || oldest === uri) break;
        kept.delete(oldest);
        total -= one.text.length;
      }
      return uri;
    },
    get: (uri) => kept.get(uri),
    list: () => [...kept].map(([uri, { name, mimeType }]) => ({ uri, name, mimeType })),
  };
}
