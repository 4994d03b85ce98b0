/** What is known about the server under test before the first property runs. */
import fc from 'fast-check';
import type { ConformanceSettings, Target } from '../../api/conformance.ts';
import { type Era, META } from '../../protocol/eras.ts';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { validValues } from '../generators/schema.ts';
import { byRole, callableTools, directed, isRehearsed, playing } from '../roles.ts';
import { surfaceOf } from '../surface.ts';
import type { SessionOptions } from './exchange.ts';
import { at, objectsAt } from './judge.ts';
import { type MarkedArgument, markedArguments } from './param-headers.ts';
import { Session } from './session.ts';
import { compile } from './validator.ts';

/** A tool and how to call it. */
export interface Tool {
  readonly name: string;
  readonly definition: JsonObject;
  /** Valid arguments; a text says why there are none. */
  readonly values: fc.Arbitrary<unknown> | string;
  /** A small valid value, the same for every run. */
  readonly sample: JsonObject | undefined;
}

/** What a tool was seen to do when it was called once. */
export interface Role {
  readonly tool: Tool;
  readonly ms: number;
  readonly progress: boolean;
  readonly logs: boolean;
  readonly asks: boolean;
  readonly failed: boolean;
  /** It changes a list: tools, resources or prompts; by the settings, or because it was seen. */
  readonly changes?: boolean;
  /** It changes the content of a resource; by the settings, or because it was seen. */
  readonly mutates?: boolean;
}

/** Which tools may be called, and how. */
export type Safety = Omit<ConformanceSettings, 'reset' | 'tokens'>;

/** One server in one era over one transport. */
export interface Subject {
  readonly target: Target;
  readonly era: Era;
  readonly transport: 'stdio' | 'http';
  readonly limitMs: number;
  readonly capabilities: JsonObject;
  readonly handshake: JsonObject;
  readonly tools: readonly Tool[];
  /** What was listed at first and once the tools that only read had been called and a resource read: names or URIs by list. */
  readonly afterReading?: Readonly<Record<string, readonly [first: readonly string[], then: readonly string[]]>>;
  /** Tools that may be called with any arguments: read-only by their own word, or allowed. Those with arguments of the settings are in `roles` only. */
  readonly callable: readonly Tool[];
  readonly roles: readonly Role[];
  readonly resources: readonly JsonObject[];
  readonly templates: readonly JsonObject[];
  readonly prompts: readonly JsonObject[];
  /** The methods of list pages that have a second page. */
  readonly paged: readonly string[];
  options(exercised: Map<string, number>): SessionOptions;
}

/** The list methods and the member and capability that belong to them. */
export const LISTS: readonly (readonly [method: string, member: string, capability: string])[] = [
  ['tools/list', 'tools', 'tools'],
  ['resources/list', 'resources', 'resources'],
  ['resources/templates/list', 'resourceTemplates', 'resources'],
  ['prompts/list', 'prompts', 'prompts'],
];
/** Tools whose behaviour is looked at before the run. */
const WATCHED = 24;
const PAGES = 50;
/** A call that took longer is timed again. */
const HESITANT_MS = 80;

/** Everything but what a server under test says of itself. */
export interface Discovery {
  readonly target: Target;
  readonly era: Era;
  readonly limitMs: number;
  readonly safety: Safety;
  /** Called before the first tool is, with those that will be; when it says no, none is. */
  readonly announce?: (called: readonly string[], left: readonly string[], surface: Readonly<Record<string, string>>) => Promise<boolean>;
}

/**
 * Finds out what the server has.
 * @returns `refused` when what it answers is no result of this era's handshake, `silent` when it answers nothing
 */
export async function discover(wanted: Discovery): Promise<Subject | 'refused' | 'silent'> {
  const { target, era, limitMs, safety } = wanted;
  const marked = new Map<string, readonly MarkedArgument[]>();
  const options = (exercised: Map<string, number>): SessionOptions => ({ target, era, limitMs, exercised, marked });
  const session = new Session(options(new Map()));
  try {
    const hello = await session.start();
    if (hello.result === undefined) return session.frames.length > 0 ? 'refused' : 'silent';
    const paged: string[] = [];
    const lists: Record<string, readonly JsonObject[]> = {};
    for (const [method, member, capability] of LISTS) {
      if (!isObject(at(hello.result, 'capabilities', capability))) continue;
      const { items, pages } = await walk(session, method, member);
      if (pages > 1) paged.push(method);
      lists[member] = items;
    }
    const tools = (lists['tools'] ?? [])
      .filter(({ name }) => typeof name === 'string')
      .map((definition) => directed(toolOf(definition), safety));
    for (const { name, definition } of tools) {
      const found = markedArguments(definition['inputSchema']);
      if (found.length > 0) marked.set(name, found);
    }
    const wished = callableTools(tools, safety);
    const agreed = await wanted.announce?.(
      wished.map(({ name }) => name),
      tools.filter((tool) => !wished.includes(tool)).map(({ name }) => name),
      surfaceOf(hello.result, lists),
    );
    const used = agreed === false ? [] : wished;
    const callable = used.filter(({ name }) => !isRehearsed(safety, name));
    const roles: Role[] = [];
    let afterReading: Subject['afterReading'];
    // those that only read come first: behind them every list is as it was
    const watched = byRole(used, safety).slice(0, WATCHED);
    const ordered = [...watched.filter(readsOnly), ...watched.filter((tool) => !readsOnly(tool))];
    for (const tool of ordered) {
      if (tool.sample === undefined || session.ended !== undefined) continue;
      if (!readsOnly(tool) && roles.length > 0) afterReading ??= await listedAgain(session, lists);
      roles.push(playing(await observed(session, tool, era, lists), safety));
    }
    afterReading ??= ordered.some((tool) => !readsOnly(tool)) ? undefined : await listedAgain(session, lists);
    return {
      target,
      era,
      transport: target.kind,
      limitMs,
      capabilities: isObject(hello.result['capabilities']) ? hello.result['capabilities'] : {},
      handshake: hello.result,
      tools,
      ...(afterReading === undefined ? {} : { afterReading }),
      callable,
      roles,
      resources: (lists['resources'] ?? []).filter(({ uri }) => typeof uri === 'string'),
      templates: lists['resourceTemplates'] ?? [],
      prompts: (lists['prompts'] ?? []).filter(({ name }) => typeof name === 'string'),
      paged,
      options,
    };
  } finally {
    await session.close();
  }
}

/** Whether a tool says of itself that it only reads. */
function readsOnly({ definition }: Tool): boolean {
  return at(definition, 'annotations', 'readOnlyHint') === true;
}

/** The lists once more, after a resource was read. */
async function listedAgain(session: Session, lists: Readonly<Record<string, readonly JsonObject[]>>): Promise<Subject['afterReading']> {
  const [resource] = lists['resources'] ?? [];
  if (resource !== undefined) await session.request('resources/read', { uri: resource['uri'] });
  const keys = (items: readonly JsonObject[]): readonly string[] => items.map((item) => String(item['uri'] ?? item['name'])).sort();
  const found: Record<string, readonly [readonly string[], readonly string[]]> = {};
  for (const [method, member] of LISTS) {
    const before = lists[member];
    if (before === undefined || member === 'resourceTemplates') continue;
    const { items, ended } = await walk(session, method, member);
    if (ended) found[member] = [keys(before), keys(items)];
  }
  return found;
}

/** Follows the cursors of a list to its end, or for a bounded number of pages. */
export async function walk(
  session: Session,
  method: string,
  member: string,
): Promise<{ items: readonly JsonObject[]; pages: number; ended: boolean; cursors: readonly string[] }> {
  const items: JsonObject[] = [];
  const cursors: string[] = [];
  let cursor: unknown;
  for (let pages = 1; pages <= PAGES; pages++) {
    const answer = await session.request(method, cursor === undefined ? undefined : { cursor });
    items.push(...objectsAt(answer.result, member));
    cursor = at(answer.result, 'nextCursor');
    if (typeof cursor !== 'string') return { items, pages, ended: answer.result !== undefined, cursors };
    if (cursors.includes(cursor)) return { items, pages, ended: false, cursors };
    cursors.push(cursor);
  }
  return { items, pages: PAGES, ended: false, cursors };
}

function toolOf(definition: JsonObject): Tool {
  const values = validValues(definition['inputSchema']);
  const samples = typeof values === 'string' ? [] : fc.sample(values, { numRuns: 40, seed: 7 }).filter(isObject);
  const sample = samples.sort((one, other) => JSON.stringify(one).length - JSON.stringify(other).length)[0];
  return { name: String(definition['name']), definition, values, sample: sample === undefined ? undefined : unhurried(definition, sample) };
}

/** The sample with half a second (or a few steps) for what is called a duration, if that is valid: nobody learns more from ten. */
function unhurried(definition: JsonObject, sample: JsonObject): JsonObject {
  const properties = at(definition, 'inputSchema', 'properties');
  const quick = { ...sample };
  for (const [key, schema] of Object.entries(isObject(properties) ? properties : {})) {
    const type = at(schema, 'type');
    if (type !== 'number' && type !== 'integer') continue;
    if (/duration|seconds|delay|sleep|wait/i.test(key)) quick[key] = /ms|milli/i.test(key) ? 500 : type === 'integer' ? 1 : 0.5;
    else if (/^(?:steps|rounds|iterations|count|times)$/i.test(key)) quick[key] = 3;
  }
  const validate = compile(definition['inputSchema']);
  return validate instanceof Error || validate(quick) !== undefined ? sample : quick;
}

const NOTICES = /^notifications\/(?:(?:tools|resources|prompts)\/list_changed|resources\/updated)$/;

/** Calls a tool; around one that does not say that it only reads, the lists and a few resources are looked at. */
async function observed(session: Session, tool: Tool, era: Era, lists: Readonly<Record<string, readonly JsonObject[]>>): Promise<Role> {
  if (readsOnly(tool)) return watch(session, tool, era);
  const world = async (): Promise<readonly [string, string]> => {
    const [items, contents]: [unknown[], unknown[]] = [[], []];
    for (const [method, member] of LISTS) if (lists[member] !== undefined) items.push((await walk(session, method, member)).items);
    for (const { uri } of (lists['resources'] ?? []).slice(0, 5))
      contents.push((await session.request('resources/read', { uri })).result?.['contents']);
    return [JSON.stringify(items), JSON.stringify(contents)];
  };
  const before = await world();
  const told = session.frames.length;
  const role = await watch(session, tool, era);
  const after = await world();
  const notices = session.frames.slice(told).map(({ value }) => String(at(value, 'method')));
  return {
    ...role,
    changes: before[0] !== after[0] || notices.some((method) => NOTICES.test(method) && method.endsWith('list_changed')),
    mutates: before[1] !== after[1] || notices.includes('notifications/resources/updated'),
  };
}

async function watch(session: Session, tool: Tool, era: Era): Promise<Role> {
  const meta = { progressToken: `watch-${tool.name}`, ...(era === 'modern' ? { [META.logLevel]: 'debug' } : {}) };
  const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
  const from = session.frames.length;
  const answer = await session.request('tools/call', { name: tool.name, arguments: tool.sample }, { meta, capabilities });
  // on whatever stream it comes: where it should come is looked at later
  const methods = session.frames.slice(from).map(({ value }) => at(value, 'method'));
  // what is slow only once (a cold start, a busy machine) is not slow: which cases are tried must not depend on it
  let { ms } = answer;
  for (let more = 0; more < 2 && ms > HESITANT_MS && ms < 3000 && session.ended === undefined; more++)
    ms = Math.min(ms, (await session.request('tools/call', { name: tool.name, arguments: tool.sample }, { capabilities })).ms);
  // the machine's own delay is none of the tool's
  const idle = ms > HESITANT_MS ? (await session.request(era === 'legacy' ? 'ping' : 'server/discover')).ms : 0;
  return {
    tool,
    ms: Math.max(1, ms - idle),
    progress: methods.includes('notifications/progress'),
    logs: methods.includes('notifications/message'),
    asks:
      at(answer.result, 'resultType') === 'input_required' ||
      methods.some((method) => method === 'elicitation/create' || method === 'sampling/createMessage' || method === 'roots/list'),
    failed: answer.result === undefined || answer.result['isError'] === true,
  };
}
