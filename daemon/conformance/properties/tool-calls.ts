/** Tools as they are called: unknown names, arguments valid, invalid and omitted. */
import fc from 'fast-check';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { markedArguments } from '../engine/param-headers.ts';
import { type Property, property } from '../engine/property.ts';
import type { Tool } from '../engine/subject.ts';
import { compile, withoutFormats } from '../engine/validator.ts';
import { extremes } from '../generators/extremes.ts';
import { breakages, DEBATABLE } from '../generators/invalid.ts';
import { simpler } from '../generators/smaller.ts';
import { fullSample, MANY, quick, slow } from './calling.ts';
import { noCalls, noTools, outcomeText, refusedWith } from './expect.ts';

/** Edge values of one tool's arguments that are tried. */
const EDGES = 24;

/** Ways of breaking one tool's arguments that are tried. */
const BREAKAGES = 40;

const UNKNOWN = ['noSuchTool', '', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'é😀', 'x'.repeat(300)];

const unknownTool = property<{ name: string; kind: 'unknown' | 'case' }>({
  name: 'tools/unknown',
  area: 'tools',
  phase: 'fuzz',
  stems: [
    'TOOL-UNKNOWN',
    'TOOL-UNKNOWN-CODE',
    'TOOL-NAME-CASE',
    'ERR-RESERVED',
    'ERR-RETIRED',
    'ERR-LEGACY-RANGE',
    'ERR-OUTSIDE',
    'RPC-ERR-CODE-INT',
    'RPC-ERR-SHAPE',
  ],
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
    'RPC-NOTIF-NO-ID',
    'RPC-SCHEMA-NOTIF',
    'TOOL-LISTCHANGED-CAP',
    'HTTP-GET-NO-RESPONSE',
    'HTTP-EVENT-ID-UNIQUE',
    'HTTP-SSE-RETRY',
    'STD-STDERR-UTF8',
    'RT-PRESENT',
    'RPC-ONE-RESPONSE',
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
  *smaller(subject, { tool, args }) {
    const validate = compile(subject.tools.find(({ name }) => name === tool)?.definition['inputSchema']);
    if (validate instanceof Error) return;
    for (const value of simpler(args)) if (isObject(value) && validate(value) === undefined) yield { tool, args: value };
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
      if (code !== -32602 && code !== -32601 && code !== -32021 && code !== -32042) {
        judge.check('TOOL-INPUT-ACCEPT', false, `no protocol error for valid arguments of ${tool}`, () => shown(answer.error), 'note');
        judge.check('TOOL-EXEC-ERROR', false, 'errors of a tool in its result, with isError', () => shown(answer.error));
      }
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
    const strict = compile(withoutFormats(outputSchema));
    const formatOnly = problem !== undefined && !(strict instanceof Error) && strict(answer.result['structuredContent']) === undefined;
    judge.check(
      'TOOL-STRUCTURED-CONFORMS',
      problem === undefined,
      `the outputSchema of ${tool}`,
      () => `${problem} in ${shown(at(answer.result, 'structuredContent'))}`,
      formatOnly ? 'warning' : undefined,
    );
  },
});

const invalidArguments = property<{ tool: string; args: unknown; keyword: string; pointer: string }>({
  name: 'tools/invalid-arguments',
  area: 'tools',
  phase: 'fuzz',
  stems: ['TOOL-INPUT-VALIDATE', 'TOOL-INPUT-ERR-ISERROR', 'RT-PRESENT'],
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
  *smaller(subject, { tool, args, keyword, pointer }) {
    // only what is not broken becomes smaller, so that the broken keyword stays the one that is named
    const found = subject.tools.find(({ name }) => name === tool);
    const required = at(found?.definition, 'inputSchema', 'required');
    const head = pointer.split('/')[1];
    if (!isObject(args) || keyword === 'additionalProperties' || keyword === 'maxProperties') return;
    for (const [key, value] of Object.entries(args)) {
      if (key === head) continue;
      const { [key]: _left, ...rest } = args;
      const needed = Array.isArray(required) && required.includes(key);
      const least = found?.sample?.[key];
      if (!needed && pointer !== '') yield { tool, args: rest, keyword, pointer };
      else if (least !== undefined && JSON.stringify(least) !== JSON.stringify(value))
        yield { tool, args: { ...args, [key]: least }, keyword, pointer };
    }
  },
  async run({ session, subject }, { tool, args, keyword, pointer }) {
    // a broken argument may have no header that would match it
    const provoked = markedArguments(subject.tools.find(({ name }) => name === tool)?.definition['inputSchema']).length > 0;
    const answer = await session.request('tools/call', { name: tool, arguments: args }, { ...slow(subject, tool), provoked });
    if (answer.message === undefined) return;
    const told = answer.error !== undefined || answer.result?.['isError'] === true;
    session.judge.check(
      'TOOL-INPUT-VALIDATE',
      told,
      `an error: ${keyword} is broken at ${pointer === '' ? 'the root' : pointer}`,
      () => shown(answer.message),
      DEBATABLE.has(keyword) ? 'warning' : undefined,
    );
    if (told && !(provoked && at(answer.error, 'code') === -32020))
      session.judge.check(
        'TOOL-INPUT-ERR-ISERROR',
        answer.result !== undefined,
        'a result with isError that a model can act on',
        () => shown(answer.error),
        'note',
      );
  },
});

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

/** The properties of calls. */
export const TOOL_CALLS: readonly Property[] = [unknownTool, accepted, invalidArguments, omitted];
