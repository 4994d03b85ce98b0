/** Two principals at one protected server: what belongs to the first is out of reach of the second. Needs a second token. */
import { isObject, type JsonObject } from '../../protocol/message.ts';
import type { Answer } from '../engine/exchange.ts';
import { at, objectsAt, shown } from '../engine/judge.ts';
import { type Property, property, type Trial } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import type { Session } from '../engine/session.ts';
import { type Subject, walk } from '../engine/subject.ts';
import { ALL, askers, reply } from './client.ts';
import { openWith, tokensOf, without } from './credentials.ts';
import { outcomeText, servedLists, steady } from './expect.ts';

/** A connection of the second principal, after its handshake. */
export async function asSecond(trial: Trial): Promise<Session | undefined> {
  const second = tokensOf(trial.subject)?.second;
  if (second === undefined) return undefined;
  const session = await openWith(trial, `Bearer ${second}`);
  const opened = await session.start();
  return opened.result === undefined ? undefined : session;
}

const refused = ({ result }: Answer): boolean => result === undefined || result['isError'] === true;

/** A list, the member and the key of its items, the request that uses one, and what a server breaks that serves it. */
const USES: readonly (readonly [list: string, member: string, key: string, use: string, stem: string])[] = [
  ['tools/list', 'tools', 'name', 'tools/call', 'TOOL-ACCESS'],
  ['resources/list', 'resources', 'uri', 'resources/read', 'RES-PERMISSION'],
];

const hidden = property<{ list: string }>({
  name: 'auth/hidden-items',
  area: 'auth',
  phase: 'stateful',
  stems: ['TOOL-ACCESS', 'RES-PERMISSION'],
  transports: ['http'],
  skip: without('second', 'token2'),
  cases: (subject) => ({ boundaries: servedLists(subject).flatMap(([list]) => (USES.some(([used]) => used === list) ? [{ list }] : [])) }),
  async run(trial, { list }) {
    const { session, subject } = trial;
    const use = USES.find(([used]) => used === list);
    const second = await asSecond(trial);
    if (use === undefined || second === undefined) return;
    const [, member, key, method, stem] = use;
    const [mine, theirs] = [await walk(session, list, member), await walk(second, list, member)];
    const listed = new Set(theirs.items.map((item) => item[key]));
    for (const item of mine.items.filter((one) => !listed.has(one[key])).slice(0, 5)) {
      const tool = subject.roles.find((role) => role.tool.name === item[key])?.tool;
      if (method === 'tools/call' && tool === undefined) continue; // it may not be called
      const answer = await second.request(
        method,
        { [key]: item[key], ...(tool === undefined ? {} : { arguments: tool.sample ?? {} }) },
        { provoked: true },
      );
      session.judge.check(stem, refused(answer), `${shown(item[key])}, which is not listed for this principal, is refused`, () =>
        outcomeText(second, answer),
      );
    }
  },
});

const neutral = property<{ list: string }>({
  name: 'auth/public-results',
  area: 'caching',
  phase: 'stateful',
  stems: ['CCH-PUBLIC-NEUTRAL'],
  eras: ['modern'],
  transports: ['http'],
  skip: without('second', 'token2'),
  cases: (subject) => ({
    boundaries: [{ list: 'server/discover' }, ...servedLists(subject).map(([list]) => ({ list }))],
  }),
  async run(trial, { list }) {
    const { session } = trial;
    const second = await asSecond(trial);
    if (second === undefined) return;
    const [mine, theirs] = [await session.request(list), await second.request(list)];
    if (mine.result?.['cacheScope'] !== 'public' || theirs.result === undefined) return;
    session.judge.check(
      'CCH-PUBLIC-NEUTRAL',
      canonical(steady(mine.result)) === canonical(steady(theirs.result)),
      `the same public result of ${list} for both principals`,
      () => `${shown(steady(mine.result))} and ${shown(steady(theirs.result))}`,
    );
  },
});

const bound = property<{ tool: string }>({
  name: 'auth/question-state',
  area: 'elicitation',
  phase: 'stateful',
  stems: ['ELI-BIND'],
  eras: ['modern'],
  transports: ['http'],
  skip: (subject: Subject) =>
    without('second', 'token2')(subject) ?? (askers(subject).length === 0 ? 'no tool that may be called asks the client' : undefined),
  cases: (subject) => ({
    boundaries: askers(subject)
      .slice(0, 3)
      .map(({ tool }) => ({ tool: tool.name })),
  }),
  async run(trial, { tool }) {
    const { session, subject } = trial;
    const second = await asSecond(trial);
    const args = subject.roles.find((role) => role.tool.name === tool)?.tool.sample ?? {};
    if (second === undefined) return;
    const first = await session.request('tools/call', { name: tool, arguments: args }, { capabilities: ALL });
    const state = at(first.result, 'requestState');
    if (typeof state !== 'string') return;
    const questions = at(first.result, 'inputRequests');
    const inputResponses = Object.fromEntries(
      Object.entries(isObject(questions) ? questions : {}).map(([key, question]) => {
        const params = at(question, 'params');
        return [key, reply(String(at(question, 'method')), isObject(params) ? params : {}) ?? {}];
      }),
    );
    const params: JsonObject = { name: tool, arguments: args, inputResponses, requestState: state };
    const stolen = await second.request('tools/call', params, { capabilities: ALL, provoked: true });
    session.judge.check(
      'ELI-BIND',
      refused(stolen) || at(stolen.result, 'resultType') === 'input_required',
      'requestState of one principal is refused from another',
      () => outcomeText(second, stolen),
    );
  },
});

const stolenTask = property<{ tool: string }>({
  name: 'auth/tasks',
  area: 'tasks',
  phase: 'stateful',
  stems: ['TASK-ISOLATION'],
  eras: ['legacy'],
  transports: ['http'],
  skip: (subject: Subject) =>
    without('second', 'token2')(subject) ?? (isObject(at(subject.capabilities, 'tasks')) ? undefined : 'the server does not declare tasks'),
  cases: (subject) => ({
    boundaries: subject.roles
      .filter(({ tool }) => ['optional', 'required'].includes(String(at(tool.definition, 'execution', 'taskSupport'))))
      .slice(0, 1)
      .map(({ tool }) => ({ tool: tool.name })),
  }),
  async run(trial, { tool }) {
    const { session, subject } = trial;
    const { judge } = session;
    const second = await asSecond(trial);
    const args = subject.roles.find((role) => role.tool.name === tool)?.tool.sample ?? {};
    if (second === undefined) return;
    const made = await session.request('tools/call', { name: tool, arguments: args, task: { ttl: 60_000 } });
    const taskId = at(made.result, 'task', 'taskId');
    if (typeof taskId !== 'string') return;
    for (const method of ['tasks/get', 'tasks/cancel']) {
      const answer = await second.request(method, { taskId }, { provoked: true });
      judge.check('TASK-ISOLATION', answer.result === undefined, `${method} of another principal's task is refused`, () =>
        outcomeText(second, answer),
      );
    }
    if (!isObject(at(subject.capabilities, 'tasks', 'list'))) return;
    const list = await second.request('tasks/list');
    judge.check(
      'TASK-ISOLATION',
      !objectsAt(list.result, 'tasks').some((task) => task['taskId'] === taskId),
      "tasks/list without another principal's task",
      () => shown(list.result),
    );
  },
});

/** The properties about two principals. */
export const PRINCIPALS: readonly Property[] = [hidden, neutral, bound, stolenTask];
