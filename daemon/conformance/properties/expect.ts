/** Words the properties share. */
import { MODERN_VERSIONS } from '../../protocol/eras.ts';
import type { JsonObject } from '../../protocol/message.ts';
import type { Answer } from '../engine/exchange.ts';
import { at, shown } from '../engine/judge.ts';
import { canonical } from '../engine/result-rules.ts';
import type { Session } from '../engine/session.ts';
import { LISTS, type Subject } from '../engine/subject.ts';

/** How far a refusal may differ from the letter. */
export interface Refusal {
  /** Codes that are right; any error will do without. */
  readonly codes?: readonly number[];
  /** What was wrong, for people. */
  readonly what: string;
}

/**
 * A request that must be refused. A result breaks the requirement as it stands; another code than the right one is at most a warning,
 * since good servers are known to differ (the v1 SDK answers -32603 where -32602 is meant).
 */
export function refused(session: Session, answer: Answer, stem: string, { codes, what }: Refusal): boolean {
  const { judge } = session;
  const code = at(answer.error, 'code');
  if (answer.message === undefined)
    return judge.check(stem, answer.http !== undefined && answer.http.status >= 400, `an error for ${what}`, outcomeText(session, answer));
  if (!judge.check(stem, answer.error !== undefined, `an error for ${what}`, () => shown(answer.message))) return false;
  return judge.check(
    stem,
    codes === undefined || codes.includes(Number(code)),
    `code ${codes?.join(' or ')} for ${what}`,
    () => shown(answer.error),
    'warning',
  );
}

/** The same, where the code itself is the requirement. */
export function refusedWith(session: Session, answer: Answer, stem: string, codes: readonly number[], what: string): boolean {
  return session.judge.check(stem, codes.includes(Number(at(answer.error, 'code'))), `code ${codes.join(' or ')} for ${what}`, () =>
    outcomeText(session, answer),
  );
}

/** What came, for people. */
export function outcomeText(session: Session, { message, http }: Answer): string {
  if (message !== undefined) return http === undefined ? shown(message) : `HTTP ${http.status} ${shown(message)}`;
  if (http !== undefined) return `HTTP ${http.status} ${shown(http.body)}${http.failure === undefined ? '' : ` (${http.failure})`}`;
  return session.ended ?? 'no answer';
}

/** List methods this server serves, by its own word. */
export function servedLists(subject: Subject): readonly (readonly [method: string, member: string])[] {
  return LISTS.filter(([, , capability]) => Object.hasOwn(subject.capabilities, capability)).map(([method, member]) => [method, member]);
}

/** One valid request. */
export interface Operation {
  readonly method: string;
  readonly params?: JsonObject;
}

/**
 * One valid request of every kind this server answers soon, the cheap ones first. A fault may live in one of them alone.
 * Tools and prompts that did not answer well once are left out.
 */
export function operations(subject: Subject): readonly Operation[] {
  const list: Operation[] = [{ method: subject.era === 'legacy' ? 'ping' : 'server/discover' }];
  for (const [method] of servedLists(subject)) list.push({ method });
  const role = subject.roles.find(
    ({ ms, failed, asks, changes, mutates }) => ms < 150 && !failed && !asks && changes !== true && mutates !== true,
  );
  if (role !== undefined) list.push({ method: 'tools/call', params: { name: role.tool.name, arguments: role.tool.sample ?? {} } });
  const [resource] = subject.resources;
  if (resource !== undefined) list.push({ method: 'resources/read', params: { uri: resource['uri'] } });
  const prompt = subject.prompts.find((one) => !Array.isArray(one['arguments']) || one['arguments'].length === 0);
  if (prompt !== undefined) list.push({ method: 'prompts/get', params: { name: prompt['name'] } });
  return list;
}

/** A request every server answers cheaply. */
export function cheapMethod(subject: Subject): string {
  return servedLists(subject)[0]?.[0] ?? (subject.era === 'legacy' ? 'ping' : 'server/discover');
}

/** A result without what may differ between two equal answers; a cursor is opaque and may be sealed anew each time: that there is one counts. */
export function steady(result: JsonObject | undefined): unknown {
  if (result === undefined) return undefined;
  const { _meta, ttlMs, nextCursor, ...rest } = result;
  return nextCursor === undefined ? rest : { ...rest, nextCursor: typeof nextCursor };
}

/** Whether two answers of one request are alike. What differs by itself (a clock) is compared by its kind only, as the results of tools are. */
export async function alike(session: Session, { method, params }: Operation, usual: Answer, other: Answer): Promise<boolean> {
  const kinds = (usual.result === undefined) === (other.result === undefined) && usual.result?.['isError'] === other.result?.['isError'];
  if (method === 'tools/call' || !kinds) return kinds;
  const text = ({ result }: Answer): string => canonical(steady(result));
  return text(usual) === text(other) || text(usual) !== text(await session.request(method, params));
}

/** Skips unless the capability is declared. */
export const lacks =
  (capability: string) =>
  (subject: Subject): string | undefined =>
    Object.hasOwn(subject.capabilities, capability) ? undefined : `the server does not declare ${capability}`;

/** Skips when the capability is declared. */
export const has =
  (capability: string) =>
  (subject: Subject): string | undefined =>
    Object.hasOwn(subject.capabilities, capability) ? `the server declares ${capability}` : undefined;

/** Skips a server without tools. */
export const noTools = (subject: Subject): string | undefined =>
  Object.hasOwn(subject.capabilities, 'tools') ? undefined : 'the server has no tools';

/** Skips a server whose tools may not be called. */
export const noCalls = (subject: Subject): string | undefined =>
  noTools(subject) ??
  (subject.callable.length === 0 ? 'no tool may be called: none says that it is read-only, and none is allowed' : undefined);

/** Versions the server says it supports. */
export const supported = (subject: Subject): readonly unknown[] => {
  const listed = at(subject.handshake, 'supportedVersions');
  return Array.isArray(listed) ? listed : MODERN_VERSIONS;
};

/** Methods every modern server of these capabilities answers. */
export const methods = (subject: Subject): readonly string[] => ['server/discover', ...servedLists(subject).map(([method]) => method)];
