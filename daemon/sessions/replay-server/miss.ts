/** What a request is told that nothing recorded answers: what came nearest, and where it differs. */

import { SignalboxError } from '../../api/errors.ts';
import type { ReplayChange } from '../../api/recordings.ts';
import { RPC, rpcError } from '../../protocol/codes.ts';
import type { Request, RpcError } from '../../protocol/message.ts';
import { differences } from '../compare/difference.ts';
import { type Group, type Groups, targetOf } from './matching.ts';

/** A request that could not be answered from the recording. */
export interface Miss {
  readonly method: string;
  readonly target?: string;
  readonly params?: object;
  /** It was recorded, but not that often, or not at this point. */
  readonly why: 'unknown' | 'exhausted' | 'order' | 'unanswered' | 'round';
  readonly nearest?: Nearest;
}
/** The recorded request that comes nearest. */
export interface Nearest {
  /** Its number in the recording. */
  readonly request: number;
  readonly method: string;
  readonly target?: string;
  /** Places of `params`: what was recorded (`before`) and what was asked (`after`). */
  readonly changes: readonly ReplayChange[];
}

/** Groups looked at for the nearest one, and changes shown. */
const LOOKED_AT = 500;
const SHOWN = 20;
const NOTHING = { ignored: () => false, volatile: () => undefined, exact: () => true, places: false };

/** The recorded request nearest to one: of the same method, about the same thing, with the fewest places that differ. */
export function nearestOf(groups: Groups, request: Pick<Request, 'method' | 'params'>): Nearest | undefined {
  const asked = groups.comparable(request);
  const target = targetOf(request);
  const same = groups.ofMethod(request.method);
  const about = same.filter((group) => group.target === target);
  let best: { readonly group: Group; readonly changes: readonly ReplayChange[] } | undefined;
  for (const group of (about.length > 0 ? about : same).slice(0, LOOKED_AT)) {
    const { changes } = differences(group.params, asked, NOTHING);
    if (best === undefined || changes.length < best.changes.length) best = { group, changes };
  }
  const first = best?.group.exchanges[0];
  if (best === undefined || first === undefined) return undefined;
  const { group, changes } = best;
  return {
    request: first.opener.n,
    method: group.method,
    ...(group.target === undefined ? {} : { target: group.target }),
    changes: changes.slice(0, SHOWN),
  };
}

/** The error a client gets; `data` has the nearest recorded request beside the members every error of ours has. */
export function missError(miss: Miss, recorded: readonly string[]): RpcError {
  const error = rpcError(failure(miss, recorded), miss.why === 'unknown' && miss.nearest === undefined ? RPC.methodNotFound : RPC.internal);
  return {
    ...error,
    data: { ...(error.data as object), miss: miss.why, ...(miss.nearest === undefined ? {} : { nearest: miss.nearest }) },
  };
}

/** A miss in words, for standard error and the log. */
export function missText(miss: Miss, recorded: readonly string[]): string {
  const { message, why, fix, code } = failure(miss, recorded);
  return `${message} ${why} ${fix} (${code})`;
}

function failure(miss: Miss, recorded: readonly string[]): SignalboxError {
  const { method, target } = miss;
  const what = target === undefined ? method : `${method} ${JSON.stringify(target)}`;
  return new SignalboxError('SBX_REPLAY_MISS', `The recording does not answer ${what}.`, {
    why: whyOf(miss, recorded),
    fix: fixOf(miss),
  });
}

function whyOf({ why, method, nearest }: Miss, recorded: readonly string[]): string {
  if (why === 'exhausted') return `It was asked more often than it was recorded (frame ${nearest?.request}).`;
  if (why === 'unanswered') return `The recording ends before the answer to it (frame ${nearest?.request}).`;
  if (why === 'round') return `How it went on after the answers to its questions was not recorded (frame ${nearest?.request}).`;
  if (nearest === undefined) return `No ${method} was recorded; recorded were: ${recorded.join(', ') || 'no requests'}.`;
  const where = nearest.target === undefined ? '' : ` ${JSON.stringify(nearest.target)}`;
  const place = `frame ${nearest.request}, ${nearest.method}${where}`;
  if (why === 'order') return `The recording goes on with another request (${place}).`;
  return `The nearest recorded request (${place}) differs at ${nearest.changes.map(changeText).join('; ')}.`;
}

function fixOf({ why, target, nearest }: Miss): string {
  if (why === 'exhausted') return 'Let the last answer repeat (`repeat` last) or all of them (`repeat` loop), or record it again.';
  if (why === 'order') return 'Ask in the recorded order, or play with `match` params.';
  if (why === 'unknown' && nearest !== undefined && nearest.target === target)
    return `Ask as it was recorded, leave the place out of the comparison (\`ignore\` ${nearest.changes[0]?.pointer || '/…'}), or record this request too.`;
  return nearest === undefined ? 'Record this request too.' : 'Ask for what was recorded, or record this request too.';
}

function changeText({ pointer, before, after }: ReplayChange): string {
  const text = (value: unknown): string => (value === undefined ? 'nothing' : (JSON.stringify(value) ?? '').slice(0, 80));
  return `${pointer === '' ? 'the whole' : pointer} (recorded ${text(before)}, asked ${text(after)})`;
}
