/** What can change while the server runs, shared by all its instances: the modern era makes one instance per request. */

/** Lists that really change: a gateway tells only those. */
export interface Changes {
  /** How often the tools were changed. */
  readonly tools: number;
  /** How often the prompts were changed. */
  readonly prompts: number;
  /** Changes a description, then tells those who listen. */
  change(list: 'tools' | 'prompts'): void;
  /** Called after every change until the returned function is called. */
  onChange(listener: (list: 'tools' | 'prompts') => void): () => void;
}

/** No change so far. */
export function noChanges(): Changes {
  const counts = { tools: 0, prompts: 0 };
  const listeners = new Set<(list: 'tools' | 'prompts') => void>();
  return {
    get tools() {
      return counts.tools;
    },
    get prompts() {
      return counts.prompts;
    },
    change: (list) => {
      counts[list] += 1;
      for (const listener of listeners) listener(list);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
