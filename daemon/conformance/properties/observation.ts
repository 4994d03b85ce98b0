/** The world of a server as its lists and resources show it: what is compared before and after. */
import { shown } from '../engine/judge.ts';
import { canonical } from '../engine/result-rules.ts';
import type { Session } from '../engine/session.ts';
import { type Subject, walk } from '../engine/subject.ts';
import { servedLists, steady } from './expect.ts';

/** What a server says of its world. */
export interface Snapshot {
  readonly text: string;
  /** Lists by member. */
  readonly lists: Readonly<Record<string, string>>;
  /** Contents by URI, of the first few resources. */
  readonly reads: Readonly<Record<string, string>>;
}

/** What the lists and a few reads say now. */
export async function snapshot(session: Session, subject: Subject): Promise<Snapshot> {
  const lists: Record<string, string> = {};
  for (const [method, member] of servedLists(subject)) lists[member] = canonical((await walk(session, method, member)).items);
  const reads: Record<string, string> = {};
  for (const { uri } of subject.resources.slice(0, 5))
    reads[String(uri)] = canonical(steady((await session.request('resources/read', { uri })).result));
  return { text: canonical([lists, reads]), lists, reads };
}

/** Where two texts part, for people. */
export function firstDifference(one: string, other: string): string {
  let index = 0;
  while (index < one.length && one[index] === other[index]) index++;
  return `${shown(one.slice(Math.max(0, index - 40), index + 80))} became ${shown(other.slice(Math.max(0, index - 40), index + 80))}`;
}
