/** Tools: definitions, names, arguments valid and invalid, structured results. */
import fc from 'fast-check';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import type { Session } from '../engine/session.ts';
import { type Subject, type Tool, walk } from '../engine/subject.ts';
import { compile } from '../engine/validator.ts';
import { extremes } from '../generators/extremes.ts';
import { breakages } from '../generators/invalid.ts';
import { outcomeText, refusedWith, servedLists, steady } from './expect.ts';

const noTools = (subject: Subject): string | undefined =>
  Object.hasOwn(subject.capabilities, 'tools') ? undefined : 'the server has no tools';
const noCalls = (subject: Subject): string | undefined =>
  noTools(subject) ??
  (subject.callable.length === 0 ? 'no tool may be called: none says that it is read-only, and none is allowed' : undefined);
/** Tools looked at with many cases. */
const MANY = 24;
/** Edge values of one tool's arguments that are tried. */
const EDGES = 24;
/** Ways of breaking one tool's arguments that are tried. */
const BREAKAGES = 40;

const definitions = property<{ round: number }>({
  name: 'tools/definitions',
  area: 'tools',
  phase: 'static',
  stems: [
    'TOOL-CAP',
    'TOOL-LIST-SERVED',
    'TOOL-INPUTSCHEMA-OBJECT',
    'TOOL-OUTPUTSCHEMA-VALID',
    'TOOL-NAME-LEN',
    'TOOL-NAME-CHARS',
    'TOOL-NAME-UNIQUE',
    'TOOL-ANNOT-BOOL',
    'TOOL-ICONS',
    'RPC-SCHEMA-DIALECT',
    'TOOL-XHDR-NONEMPTY',
    'TOOL-XHDR-TOKEN',
    'TOOL-XHDR-UNIQUE',
    'TOOL-XHDR-PRIMITIVE',
    'TOOL-XHDR-REACHABLE',
    'TOOL-XHDR-SECRET',
  ],
  cases: () => ({ boundaries: [{ round: 1 }] }),
  async run({ session, subject }) {
    const declared = Object.hasOwn(subject.capabilities, 'tools');
    const first = await session.request('tools/list');
    if (!declared) {
      session.judge.check('TOOL-CAP', first.result === undefined, 'no tools without the capability', () => outcomeText(session, first));
      return;
    }
    session.judge.check('TOOL-LIST-SERVED', Array.isArray(at(first.result, 'tools')), 'a list of tools', () => outcomeText(session, first));
    const { items } = await walk(session, 'tools/list', 'tools');
    for (const tool of items) checkDefinition(session, tool);
    const names = items.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    session.judge.check('TOOL-NAME-UNIQUE', twice === undefined, 'unique names', () => shown(twice));
  },
});

function checkDefinition({ judge }: Session, tool: JsonObject): void {
  const { name, inputSchema, outputSchema, annotations } = tool;
  const text = typeof name === 'string' ? name : '';
  judge.check('TOOL-NAME-LEN', text.length >= 1 && text.length <= 128, '1 to 128 characters', () => shown(name));
  judge.check('TOOL-NAME-CHARS', /^[A-Za-z0-9_.-]*$/.test(text), 'A-Z a-z 0-9 _ - .', () => shown(name));
  const input = isObject(inputSchema) ? compile(inputSchema) : new Error('it is no object');
  const good = isObject(inputSchema) && inputSchema['type'] === 'object';
  judge.check(
    'TOOL-INPUTSCHEMA-OBJECT',
    good && !(input instanceof Error),
    'an inputSchema of type object',
    () => `${text}: ${shown(inputSchema)}`,
  );
  judge.check('RPC-SCHEMA-DIALECT', !(input instanceof Error), 'a schema valid under its dialect', () => `${text}: ${String(input)}`);
  if (outputSchema !== undefined) {
    const output = isObject(outputSchema) ? compile(outputSchema) : new Error('it is no object');
    judge.check('TOOL-OUTPUTSCHEMA-VALID', !(output instanceof Error), 'a valid outputSchema', () => `${text}: ${String(output)}`);
    judge.check('RPC-SCHEMA-DIALECT', !(output instanceof Error), 'a schema valid under its dialect', () => `${text}: ${String(output)}`);
    if (judge.era === 'legacy')
      judge.check(
        'TOOL-OUTPUTSCHEMA-VALID',
        at(outputSchema, 'type') === 'object',
        'an outputSchema of type object',
        () => `${text}: ${shown(outputSchema)}`,
      );
  }
  if (annotations !== undefined) {
    const fits =
      isObject(annotations) &&
      Object.entries(annotations).every(([key, value]) =>
        key === 'title' ? typeof value === 'string' : !key.endsWith('Hint') || typeof value === 'boolean',
      );
    judge.check('TOOL-ANNOT-BOOL', fits, 'boolean hints and a title that is a string', () => `${text}: ${shown(annotations)}`);
  }
  if (judge.era === 'modern') checkHeaders(judge, text, inputSchema);
}

function checkHeaders(judge: Session['judge'], tool: string, schema: unknown): void {
  const seen = new Set<string>();
  const visit = (part: unknown, key: string, reachable: boolean): void => {
    if (Array.isArray(part)) for (const item of part) visit(item, key, false);
    if (!isObject(part)) return;
    const header = part['x-mcp-header'];
    if (header !== undefined) {
      const text = typeof header === 'string' ? header : '';
      const what = `${tool}.${key}: ${shown(header)}`;
      judge.check('TOOL-XHDR-NONEMPTY', text !== '', 'a name', what);
      judge.check('TOOL-XHDR-TOKEN', text === '' || /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text), 'an HTTP token', what);
      judge.check('TOOL-XHDR-UNIQUE', !seen.has(text.toLowerCase()), 'unique names, whatever their case', what);
      judge.check(
        'TOOL-XHDR-PRIMITIVE',
        ['integer', 'string', 'boolean'].includes(String(part['type'])),
        'an integer, string or boolean',
        () => shown(part),
      );
      judge.check('TOOL-XHDR-REACHABLE', reachable, 'a property reachable by properties alone', what);
      judge.check('TOOL-XHDR-SECRET', !/password|token|secret|api_?key|ssn/i.test(key), 'no sensitive parameter in a header', what);
      seen.add(text.toLowerCase());
    }
    for (const [name, inner] of Object.entries(part)) {
      if (name === 'properties' && isObject(inner)) for (const [child, value] of Object.entries(inner)) visit(value, child, reachable);
      else if (name !== 'const' && name !== 'enum' && name !== 'default' && name !== 'examples') visit(inner, key, false);
    }
  };
  visit(schema, '', true);
}

const UNKNOWN = ['noSuchTool', '', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'é😀', 'x'.repeat(300)];
const unknownTool = property<{ name: string; kind: 'unknown' | 'case' }>({
  name: 'tools/unknown',
  area: 'tools',
  phase: 'fuzz',
  stems: ['TOOL-UNKNOWN', 'TOOL-UNKNOWN-CODE', 'TOOL-NAME-CASE', 'ERR-RESERVED', 'ERR-RETIRED', 'ERR-LEGACY-RANGE', 'ERR-OUTSIDE'],
  skip: noTools,
  cases(subject) {
    const names = new Set(subject.tools.map(({ name }) => name));
    // a near miss is called without arguments and only if the tool itself may be called
    const near = subject.callable.slice(0, 3).flatMap(({ name }) => [`${name} `, ` ${name}`, name.slice(0, -1), `${name}x`, `${name}/`]);
    const flips = subject.callable
      .slice(0, 6)
      .flatMap(({ name }) => [name.toUpperCase(), name.toLowerCase(), name.charAt(0).toUpperCase() + name.slice(1)]);
    const list = [
      ...[...UNKNOWN, ...near].map((name) => ({ name, kind: 'unknown' as const })),
      ...flips.map((name) => ({ name, kind: 'case' as const })),
    ];
    return {
      boundaries: list.filter(({ name }) => !names.has(name)),
      arbitrary: fc.string({ maxLength: 12 }).map((text) => ({ name: `no-${text}`, kind: 'unknown' as const })),
    };
  },
  async run({ session, subject }, { name, kind }) {
    const sample = kind === 'case' ? subject.callable.find((tool) => tool.name.toLowerCase() === name.toLowerCase())?.sample : undefined;
    const answer = await session.request('tools/call', { name, arguments: sample ?? {} });
    if (answer.message === undefined) return;
    const { judge } = session;
    // the SDKs answer with isError: known, and reported as what it is, a broken SHOULD
    judge.check('TOOL-UNKNOWN', answer.error !== undefined, `a JSON-RPC error for the tool ${shown(name)}`, () => shown(answer.message));
    if (answer.error !== undefined) refusedWith(session, answer, 'TOOL-UNKNOWN-CODE', [-32602], `the tool ${shown(name)}`);
    if (kind === 'case')
      judge.check(
        'TOOL-NAME-CASE',
        answer.error !== undefined || answer.result?.['isError'] === true,
        `${shown(name)} is another name`,
        () => shown(answer.message),
      );
  },
});

const accepted = property<{ tool: string; args: JsonObject }>({
  name: 'tools/valid-arguments',
  area: 'tools',
  phase: 'fuzz',
  stems: [
    'TOOL-INPUT-ACCEPT',
    'TOOL-RESULT-CONTENT',
    'TOOL-CONTENT-TYPE',
    'TOOL-STRUCTURED-CONFORMS',
    'TOOL-STRUCTURED-PRESENT',
    'TOOL-STRUCTURED-TEXT',
    'TOOL-EMBEDDED-CAP',
    'CNT-BASE64',
    'CNT-MIME',
    'CNT-EMBED-MEMBERS',
    'CNT-ANNOT-PRIORITY',
    'CNT-ANNOT-AUDIENCE',
    'CNT-ANNOT-MODIFIED',
    'CNT-RESLINK',
    'TOOL-EXEC-ERROR',
    'LC-NEGOTIATED-ONLY',
    'SMP-CAP',
    'ELI-CAP',
    'ROOT-CAP',
    'PROG-TOKEN',
    'LOG-OPT-IN',
    'PAT-NO-SERVER-REQ',
    'STD-NO-REQ',
    'HTTP-NO-REQ-ON-SSE',
    'HTTP-CONTENT-TYPE',
    'HTTP-SSE-FRAMING',
    'HTTP-SSE-RESPONSE',
    'HTTP-SSE-CLOSE',
    'HTTP-SSE-PRIME',
    'HTTP-XACCEL',
    'MRTR-CAPS',
  ],
  skip: noCalls,
  cases(subject) {
    const usable = subject.callable.slice(0, MANY).filter(({ sample }) => sample !== undefined);
    // how long a slow tool takes may well depend on its arguments: it is called with its sample only
    const fuzzed = usable
      .filter((tool) => quick(subject, tool))
      .flatMap(({ name, values }) => (typeof values === 'string' ? [] : [values.filter(isObject).map((args) => ({ tool: name, args }))]));
    const edges = usable
      .filter((tool) => quick(subject, tool))
      .flatMap((tool) => {
        const full = fullSample(tool);
        return extremes(tool.definition['inputSchema'], isObject(full) ? full : {})
          .slice(0, EDGES)
          .map((args) => ({ tool: tool.name, args }));
      });
    return {
      boundaries: [...usable.map(({ name, sample }) => ({ tool: name, args: sample ?? {} })), ...edges],
      ...(fuzzed.length === 0 ? {} : { arbitrary: fc.oneof(...fuzzed) }),
    };
  },
  async run({ session, subject }, { tool, args }) {
    const { judge } = session;
    const answer = await session.request('tools/call', { name: tool, arguments: args }, slow(subject, tool));
    const definition = subject.tools.find(({ name }) => name === tool)?.definition;
    if (answer.error !== undefined) {
      const code = at(answer.error, 'code');
      // -32021, -32042: it cannot without a capability we did not declare; -32601: it runs as a task only
      if (code !== -32021 && code !== -32042 && code !== -32601)
        judge.check('TOOL-INPUT-ACCEPT', code !== -32602, `valid arguments of ${tool} are accepted`, () => shown(answer.error));
      if (code !== -32602 && code !== -32601 && code !== -32021 && code !== -32042)
        judge.check('TOOL-EXEC-ERROR', false, 'errors of a tool in its result, with isError', () => shown(answer.error));
      return;
    }
    if (answer.result === undefined || answer.result['resultType'] === 'input_required' || isObject(answer.result['task'])) return;
    judge.check('TOOL-INPUT-ACCEPT', true, '', '');
    const outputSchema = definition?.['outputSchema'];
    if (outputSchema === undefined || answer.result['isError'] === true) return;
    const present = Object.hasOwn(answer.result, 'structuredContent');
    judge.check('TOOL-STRUCTURED-PRESENT', present, 'structuredContent', () => shown(answer.result));
    const validate = compile(outputSchema);
    if (!present || validate instanceof Error) return;
    const problem = validate(answer.result['structuredContent']);
    judge.check(
      'TOOL-STRUCTURED-CONFORMS',
      problem === undefined,
      `the outputSchema of ${tool}`,
      () => `${problem} in ${shown(at(answer.result, 'structuredContent'))}`,
    );
  },
});

/** Whether a tool answered soon when it was looked at. */
function quick(subject: Subject, tool: Tool): boolean {
  return (subject.roles.find((one) => one.tool.name === tool.name)?.ms ?? Number.POSITIVE_INFINITY) < 300;
}

/** A tool that was slow when it was looked at gets its time. */
function slow(subject: Subject, tool: string): { limitMs?: number } {
  const role = subject.roles.find((one) => one.tool.name === tool);
  return role !== undefined && role.ms > 500 ? { limitMs: Math.max(subject.limitMs, role.ms * 4) } : {};
}

const invalidArguments = property<{ tool: string; args: unknown; keyword: string; pointer: string }>({
  name: 'tools/invalid-arguments',
  area: 'tools',
  phase: 'fuzz',
  stems: ['TOOL-INPUT-VALIDATE', 'TOOL-INPUT-ERR-ISERROR'],
  skip: noCalls,
  cases(subject) {
    const usable = subject.callable.slice(0, MANY).filter((tool) => tool.sample !== undefined && quick(subject, tool));
    const broken = (tool: Tool, valid: unknown): { tool: string; args: unknown; keyword: string; pointer: string }[] =>
      breakages(tool.definition['inputSchema'], valid)
        .filter(({ value }) => isObject(value))
        .slice(0, BREAKAGES)
        .map(({ keyword, pointer, value }) => ({ tool: tool.name, args: value, keyword, pointer }));
    const boundaries = usable.flatMap((tool) => broken(tool, fullSample(tool)));
    const drawn = usable.flatMap((tool) => {
      if (typeof tool.values === 'string' || broken(tool, tool.sample).length === 0) return [];
      return [
        fc
          .tuple(tool.values, fc.nat(200))
          .map(([valid, pick]) => {
            const ways = broken(tool, valid);
            return ways[pick % Math.max(1, ways.length)];
          })
          .filter((one) => one !== undefined),
      ];
    });
    return { boundaries, ...(drawn.length === 0 ? {} : { arbitrary: fc.oneof(...drawn) }) };
  },
  async run({ session, subject }, { tool, args, keyword, pointer }) {
    const answer = await session.request('tools/call', { name: tool, arguments: args }, slow(subject, tool));
    if (answer.message === undefined) return;
    const told = answer.error !== undefined || answer.result?.['isError'] === true;
    session.judge.check('TOOL-INPUT-VALIDATE', told, `an error: ${keyword} is broken at ${pointer === '' ? 'the root' : pointer}`, () =>
      shown(answer.message),
    );
    if (told)
      session.judge.check(
        'TOOL-INPUT-ERR-ISERROR',
        answer.result !== undefined,
        'a result with isError that a model can act on',
        () => shown(answer.error),
        'note',
      );
  },
});

/** The smallest sample that has every property, so that each of them can be broken. */
function fullSample(tool: Tool): unknown {
  if (typeof tool.values === 'string') return tool.sample;
  const samples = fc.sample(tool.values, { numRuns: 60, seed: 11 }).filter(isObject);
  const most = Math.max(...samples.map((one) => Object.keys(one).length));
  return samples
    .filter((one) => Object.keys(one).length === most)
    .sort((one, other) => JSON.stringify(one).length - JSON.stringify(other).length)[0];
}

const omitted = property<{ tool: string }>({
  name: 'tools/arguments-omitted',
  area: 'tools',
  phase: 'boundaries',
  stems: ['TOOL-ARGS-OMITTED'],
  skip: noCalls,
  cases: (subject) => ({
    boundaries: subject.callable
      .slice(0, MANY)
      .filter((tool) => quick(subject, tool))
      .map(({ name }) => ({ tool: name })),
  }),
  async run({ session }, { tool }) {
    const [none, empty] = [
      await session.request('tools/call', { name: tool }),
      await session.request('tools/call', { name: tool, arguments: {} }),
    ];
    const kind = (answer: typeof none): string =>
      answer.message === undefined
        ? 'no answer'
        : answer.error !== undefined
          ? 'refused'
          : answer.result?.['isError'] === true
            ? 'refused'
            : 'done';
    session.judge.check(
      'TOOL-ARGS-OMITTED',
      kind(none) === kind(empty),
      'the same with {} and without arguments',
      () => `without: ${outcomeText(session, none)}; with {}: ${outcomeText(session, empty)}`,
      'warning',
    );
    session.judge.check('TOOL-ARGS-OMITTED', none.message !== undefined, 'an answer', () => outcomeText(session, none));
  },
});

const honest = property<{ tool: string }>({
  name: 'tools/read-only-honest',
  area: 'tools',
  phase: 'stateful',
  stems: ['TOOL-READONLY-HONEST', 'TOOL-IDEMPOTENT-HONEST', 'TOOL-LIST-NO-VARY', 'RES-LIST-NO-VARY', 'PRM-LIST-NO-VARY'],
  skip: noCalls,
  cases: (subject) => ({
    boundaries: subject.callable
      .slice(0, MANY)
      .filter(
        ({ sample, definition }) =>
          sample !== undefined &&
          (at(definition, 'annotations', 'readOnlyHint') === true || at(definition, 'annotations', 'idempotentHint') === true),
      )
      .map(({ name }) => ({ tool: name })),
  }),
  async run({ session, subject }, { tool }) {
    const found = subject.tools.find(({ name }) => name === tool);
    const call = async (): Promise<void> =>
      void (await session.request('tools/call', { name: tool, arguments: found?.sample ?? {} }, slow(subject, tool)));
    const before = await snapshot(session, subject);
    await call();
    const once = await snapshot(session, subject);
    if (at(found?.definition, 'annotations', 'readOnlyHint') === true)
      session.judge.check('TOOL-READONLY-HONEST', once.text === before.text, 'lists and reads as before', () =>
        firstDifference(before.text, once.text),
      );
    for (const [member, stem] of [
      ['tools', 'TOOL'],
      ['resources', 'RES'],
      ['prompts', 'PRM'],
    ] as const)
      if (at(found?.definition, 'annotations', 'readOnlyHint') === true)
        session.judge.check(`${stem}-LIST-NO-VARY`, before.lists[member] === once.lists[member], 'the list as before', () =>
          firstDifference(before.lists[member] ?? '', once.lists[member] ?? ''),
        );
    if (at(found?.definition, 'annotations', 'idempotentHint') !== true) return;
    await call();
    const twice = await snapshot(session, subject);
    session.judge.check('TOOL-IDEMPOTENT-HONEST', twice.text === once.text, 'no further effect', () =>
      firstDifference(once.text, twice.text),
    );
  },
});

/** What the lists and a few reads say now. */
async function snapshot(session: Session, subject: Subject): Promise<{ text: string; lists: Record<string, string> }> {
  const lists: Record<string, string> = {};
  for (const [method, member] of servedLists(subject)) lists[member] = canonical((await walk(session, method, member)).items);
  const reads: string[] = [];
  for (const { uri } of subject.resources.slice(0, 5))
    reads.push(canonical(steady((await session.request('resources/read', { uri })).result)));
  return { text: canonical([lists, reads]), lists };
}

function firstDifference(one: string, other: string): string {
  let index = 0;
  while (index < one.length && one[index] === other[index]) index++;
  return `${shown(one.slice(Math.max(0, index - 40), index + 80))} became ${shown(other.slice(Math.max(0, index - 40), index + 80))}`;
}

/** The properties of tools. */
export const TOOLS: readonly Property[] = [definitions, unknownTool, accepted, invalidArguments, omitted, honest];
