/** Collects what a comparison finds. */
import type { IgnoredDifference, ReplayDifference, ReplayReport } from '../../api/recordings.ts';
import type { JsonObject } from '../../protocol/message.ts';
import type { Ignored } from './difference.ts';

/** Messages up to this many characters are in the report; larger ones are known by their changes. */
const SHOWN = 256 * 1024;
/** Differences that have their messages with them: who has more than these looks at the recording. */
const WHOLE = 1000;
/** Different places of what does not count. */
const PLACES = 2000;

/** The report in the making. */
export class Findings {
  equal = 0;
  readonly #differences: ReplayDifference[] = [];
  readonly #same = new Map<string, { readonly entry: { readonly method: string; readonly target?: string }; count: number }>();
  readonly #ignored = new Map<string, { readonly entry: Omit<IgnoredDifference, 'count'>; count: number }>();

  /** A request whose answer is as it was. */
  same(method: string, target: string | undefined): void {
    this.equal += 1;
    const key = JSON.stringify([method, target]);
    const known = this.#same.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#same.size < PLACES) this.#same.set(key, { entry: { method, ...(target === undefined ? {} : { target }) }, count: 1 });
  }

  /** Something that differs. */
  add(difference: ReplayDifference): void {
    const { before, after, ...rest } = difference;
    const whole = this.#differences.length < WHOLE;
    this.#differences.push(whole ? { ...rest, ...small('before', before), ...small('after', after) } : rest);
  }

  /** What differs and does not count. Places that differ only in indexes are one. */
  pass(method: string, target: string | undefined, ignored: readonly Ignored[]): void {
    for (const { pointer, why } of ignored) {
      const key = JSON.stringify([method, target, pointer.replaceAll(/\/\d+(?=\/|$)/g, '/*'), why]);
      const known = this.#ignored.get(key);
      if (known !== undefined) known.count += 1;
      else if (this.#ignored.size < PLACES)
        this.#ignored.set(key, { entry: { method, ...(target === undefined ? {} : { target }), pointer, why }, count: 1 });
    }
  }

  /** The report. */
  report(recording: string, against: string, ms: number): ReplayReport {
    const differences = this.#differences.toSorted((one, other) => (one.request ?? Infinity) - (other.request ?? Infinity));
    return {
      recording,
      against,
      equal: this.equal,
      same: [...this.#same.values()].map(({ entry, count }) => ({ ...entry, count })),
      differences,
      skipped: differences.filter(({ kind }) => kind === 'skipped').length,
      ignored: [...this.#ignored.values()].map(({ entry, count }) => ({ ...entry, count })),
      ms: Math.round(ms),
    };
  }
}

function small<K extends string>(key: K, message: object | undefined): { readonly [name in K]?: object } {
  if (message === undefined || (JSON.stringify(message) ?? '').length > SHOWN) return {};
  return { [key]: message } as { readonly [name in K]?: object };
}

/** Tool, prompt or URI a request is about. */
export function targetOf(params: JsonObject | undefined): string | undefined {
  const target = params?.['name'] ?? params?.['uri'] ?? params?.['taskId'];
  return typeof target === 'string' ? target : undefined;
}

/** Whether a report has a difference that fails a run: slower and skipped requests do not unless asked, accepted answers no longer do. */
export function fails(
  { differences, updated }: ReplayReport,
  options: { readonly slower?: boolean; readonly skipped?: boolean } = {},
): boolean {
  const count = (kind: ReplayDifference['kind']): number => differences.filter((one) => one.kind === kind).length;
  if (count('changed') > (updated?.accepted ?? 0) || count('missing') > 0 || count('extra') > 0) return true;
  return (options.slower === true && count('slower') > 0) || (options.skipped === true && count('skipped') > 0);
}
