/** Two recordings side by side: the same requests, and what differs in their answers. */
import type { ReplayDifference, ReplayReport, ReplayRules } from '../../api/recordings.ts';
import { isRequest, type JsonObject, type Message } from '../../protocol/message.ts';
import { differences } from './difference.ts';
import { type IndexedExchange, type IndexedSource, indexRecording } from './exchange-index.ts';
import { type ExchangePair, pairParties } from './exchange-pairs.ts';
import { Findings, targetOf } from './findings.ts';
import { renamedQuestions } from './questions.ts';
import { type RequestRules, requestRules } from './rules.ts';

const HANDSHAKES: ReadonlySet<string> = new Set(['initialize', 'server/discover']);
/** Pairs whose messages are held at once. */
const AT_ONCE = 1000;

/** What is compared. */
export interface CompareOptions {
  readonly before: IndexedSource;
  readonly after: IndexedSource;
  /** How the report names them. */
  readonly names: readonly [before: string, after: string];
  readonly rules?: ReplayRules;
  /** Only what was said to that server, at its edge. */
  readonly server?: string;
}

/** Compares two recordings. Only what differs is held in memory, beside a digest of each request. */
export async function compareRecordings({ before, after, names, rules = {}, server }: CompareOptions): Promise<ReplayReport> {
  const began = performance.now();
  const options = { server, targetOf };
  const [left, right] = [await indexRecording(before, options), await indexRecording(after, options)];
  const findings = new Findings();
  const rulesFor = requestRules(rules);
  // What an exact rule looks at is masked in the digests.
  const exact = JSON.stringify(rules).includes('"exact":');
  const suspects: { readonly before: IndexedExchange; readonly after: IndexedExchange }[] = [];
  for (const pair of pairParties(left, right)) {
    const { before: one, after: other } = pair;
    if (one === undefined || other === undefined) findings.add(alone(pair));
    else if (one.response === undefined || other.response === undefined) unanswered(findings, one, other);
    else if (!exact && one.params === other.params && one.answer === other.answer) findings.same(one.method, one.target);
    else suspects.push({ before: one, after: other });
    if (one !== undefined && other !== undefined) slower(findings, one, other, rulesFor(one.method, one.target));
  }
  suspects.sort((one, other) => one.before.request - other.before.request);
  for (let from = 0; from < suspects.length; from += AT_ONCE) {
    const chunk = suspects.slice(from, from + AT_ONCE);
    const [lefts, rights] = [
      await messagesOf(
        before,
        chunk.map((pair) => pair.before),
      ),
      await messagesOf(
        after,
        chunk.map((pair) => pair.after),
      ),
    ];
    for (const pair of chunk) look(findings, pair, lefts, rights, rulesFor, rules);
  }
  return findings.report(names[0], names[1], performance.now() - began);
}

function alone({ before, after }: ExchangePair): ReplayDifference {
  const { request, method, target } = (before ?? after) as IndexedExchange;
  const about = { request, method, ...(target === undefined ? {} : { target }), changes: [] };
  return before === undefined
    ? { ...about, kind: 'extra', why: 'Only the second recording has this request; the number is its own.' }
    : { ...about, kind: 'missing', why: 'The second recording does not have this request.' };
}

/** An answer that is missing in one of them alone, and not because the client took the request back. */
function unanswered(findings: Findings, before: IndexedExchange, after: IndexedExchange): void {
  const { request, method, target } = before;
  if ((before.response === undefined) === (after.response === undefined) || before.cancelled || after.cancelled) return;
  const about = { request, method, ...(target === undefined ? {} : { target }), changes: [] };
  if (after.response === undefined) findings.add({ ...about, kind: 'missing', why: 'The second recording has no answer.' });
  else findings.add({ ...about, kind: 'extra', why: 'Only the second recording has an answer.' });
}

function slower(findings: Findings, before: IndexedExchange, after: IndexedExchange, rules: RequestRules): void {
  const { request, method, target } = before;
  const { factor, floorMs } = rules.slower;
  // The first answer waits for the server's start.
  if (before.response === undefined || after.response === undefined || HANDSHAKES.has(method)) return;
  if (after.ms <= before.ms * factor || after.ms - before.ms < floorMs) return;
  findings.add({
    request,
    method,
    ...(target === undefined ? {} : { target }),
    kind: 'slower',
    changes: [],
    ms: { before: Math.round(before.ms), after: Math.round(after.ms) },
  });
}

/** The messages of some requests by their numbers. */
async function messagesOf(source: IndexedSource, exchanges: readonly IndexedExchange[]): Promise<ReadonlyMap<number, Message>> {
  const wanted = new Set(
    exchanges.flatMap(({ request, response, notifications }) => [request, ...(response === undefined ? [] : [response]), ...notifications]),
  );
  let [first, last] = [Infinity, 0];
  for (const n of wanted) [first, last] = [Math.min(first, n), Math.max(last, n)];
  const found = new Map<number, Message>();
  for await (const line of source.lines({ from: first })) {
    if (line.k !== 'frame') continue;
    if (line.n > last) break;
    if (wanted.has(line.n)) found.set(line.n, (await source.message(line)) as Message);
  }
  return found;
}

function look(
  findings: Findings,
  { before, after }: { readonly before: IndexedExchange; readonly after: IndexedExchange },
  lefts: ReadonlyMap<number, Message>,
  rights: ReadonlyMap<number, Message>,
  rulesFor: (method: string, target?: string) => RequestRules,
  { notifications }: ReplayRules,
): void {
  const rules = rulesFor(before.method, before.target);
  const params = before.params !== after.params;
  const told = notifications !== 'none' && before.notifications.length + after.notifications.length > 0;
  const one = whole(before, lefts, params, told);
  const other = whole(after, rights, params, told);
  const { changes, ignored } = differences(one, renamedQuestions(one, other, rules).body, rules);
  findings.pass(before.method, before.target, ignored);
  if (changes.length === 0) return findings.same(before.method, before.target);
  const { request, method, target } = before;
  findings.add({ request, method, ...(target === undefined ? {} : { target }), kind: 'changed', changes, before: one, after: other });
}

/** What of a request is compared: its answer, its parameters where they differ, what was told of its progress. */
function whole(exchange: IndexedExchange, messages: ReadonlyMap<number, Message>, params: boolean, told: boolean): JsonObject {
  const request = messages.get(exchange.request);
  const answer = exchange.response === undefined ? undefined : messages.get(exchange.response);
  const { _meta, ...sent } = (request !== undefined && isRequest(request) ? request.params : undefined) ?? {};
  return {
    ...(params ? { params: sent } : {}),
    ...(answer === undefined || 'method' in answer ? {} : 'error' in answer ? { error: answer.error } : { result: answer.result }),
    ...(told ? { notifications: exchange.notifications.flatMap((n) => messages.get(n) ?? []) } : {}),
  };
}
