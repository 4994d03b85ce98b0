/** Notifications that belong to no request: changed lists, log lines of a standing stream. Compared where a rule wants it. */
import type { Notification } from '../../protocol/message.ts';
import { differences } from '../compare/difference.ts';
import type { LiveParty } from './live-party.ts';
import type { PlayContext } from './play-context.ts';

/** Milliseconds late ones are waited for at the end. */
const LATE_MS = 500;

/** Compares them as a multiset, since their order is chance: the same first, then others of the same method side by side. */
export async function compareLoose(
  { rules, findings, rulesFor }: PlayContext,
  recorded: readonly { readonly n: number; readonly message: Notification }[],
  live: LiveParty,
): Promise<void> {
  if (rules.notifications !== 'all') return;
  await live.until(() => live.loose.length >= recorded.length || live.closed !== undefined, LATE_MS);
  const left = [...live.loose];
  const take = (fits: (other: Notification) => boolean): Notification | undefined => {
    const index = left.findIndex(fits);
    return index < 0 ? undefined : left.splice(index, 1)[0];
  };
  const unlike = recorded.filter(({ message }) => {
    const which = rulesFor(message.method);
    return take((other) => other.method === message.method && differences(message, other, which).changes.length === 0) === undefined;
  });
  for (const { n, message } of unlike) {
    const other = take(({ method }) => method === message.method);
    const base = { request: n, method: message.method, before: message };
    if (other === undefined) findings.add({ ...base, kind: 'missing', changes: [], why: 'The notification did not come.' });
    else findings.add({ ...base, kind: 'changed', changes: differences(message, other, rulesFor(message.method)).changes, after: other });
  }
  for (const other of left)
    findings.add({ kind: 'extra', method: other.method, changes: [], after: other, why: 'The notification is new.' });
}
