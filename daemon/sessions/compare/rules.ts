/** What counts in a comparison: the built-in knowledge, `.signalbox/replay.jsonc`, and flags. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { type Schema, Validator } from 'jsonschema';
import { SignalboxError } from '../../api/errors.ts';
import type { PlaceRuleSet, ReplayRules } from '../../api/recordings.ts';
import type { PlaceRules } from './difference.ts';
import { type PlaceTest, placeTest } from './pointer.ts';

/** Where a project keeps its rules. */
export const RULES_FILE = join('.signalbox', 'replay.jsonc');

/** The rules for the answers to one kind of request. */
export interface RequestRules extends PlaceRules {
  readonly slower: { readonly factor: number; readonly floorMs: number };
}

/** What a server says of itself in every answer and changes with every build of it. */
const OWN_VERSION = placeTest(['/result/serverInfo/version', '/result/_meta/io.modelcontextprotocol~1serverInfo/version']);
/** Which servers an endpoint has heard of depends on which of them have started (docs/federation.md). */
const HEARD_OF = placeTest(['/result/_meta/dev.signalbox~1servers']);
const SLOWER = { factor: 3, floorMs: 200 };

const PLACES: Schema = { type: 'array', items: { type: 'string', pattern: '^(/|$)' } };
const RULE_SET: NonNullable<Schema['properties']> = {
  ignore: PLACES,
  volatile: PLACES,
  exact: PLACES,
  slower: {
    type: 'object',
    properties: { factor: { type: 'number', minimum: 1 }, floorMs: { type: 'number', minimum: 0 } },
    additionalProperties: false,
  },
};
const NAMED: Schema = { type: 'object', additionalProperties: { type: 'object', properties: RULE_SET, additionalProperties: false } };
const SCHEMA: Schema = {
  type: 'object',
  properties: {
    ...RULE_SET,
    notifications: { enum: ['requests', 'all', 'none'] },
    allow: { type: 'array', items: { type: 'string' } },
    values: { type: 'object', additionalProperties: { type: 'string' } },
    tools: NAMED,
    methods: NAMED,
  },
  additionalProperties: false,
};

/**
 * Checks rules that came from outside.
 * @param source how an error names them
 * @throws SBX_REPLAY_RULES
 */
export function checkRules(value: unknown, source: string): ReplayRules {
  const [first] = new Validator().validate(value, SCHEMA, { required: true }).errors;
  if (first === undefined) return value as ReplayRules;
  throw rulesError(source, `${first.property.replace(/^instance\.?/, '') || 'The document'} ${first.message}.`);
}

/**
 * The rules of a file: JSON with comments.
 * @throws SBX_REPLAY_RULES when it cannot be read or is wrong
 */
export function readRules(file: string): ReplayRules {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw rulesError(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error === undefined) return checkRules(value, file);
  const line = text.slice(0, error.offset).split('\n').length;
  throw rulesError(file, `Line ${line}: ${printParseErrorCode(error.error)}.`);
}

function rulesError(source: string, why: string, cause?: unknown): SignalboxError {
  return new SignalboxError('SBX_REPLAY_RULES', `The rules of ${source} cannot be used.`, {
    why,
    fix: 'Correct them: docs/sessions.md, "What counts in a comparison".',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Both sets of rules together; what the second says of the same thing wins. */
export function mergedRules(one: ReplayRules, other: ReplayRules): ReplayRules {
  return { ...one, ...other, ...mergedSets([one, other]), allow: [...(one.allow ?? []), ...(other.allow ?? [])] };
}

function mergedSets(sets: readonly PlaceRuleSet[]): Required<PlaceRuleSet> {
  const places = (key: 'ignore' | 'volatile' | 'exact'): string[] => sets.flatMap((set) => set[key] ?? []);
  return {
    ignore: places('ignore'),
    volatile: places('volatile'),
    exact: places('exact'),
    slower: Object.assign({}, ...sets.map(({ slower }) => slower ?? {})) as { factor?: number; floorMs?: number },
  };
}

/** Makes the function that gives the rules for a request; asked often, it compiles each kind once. */
export function requestRules(rules: ReplayRules): (method: string, target?: string) => RequestRules {
  const made = new Map<string, RequestRules>();
  return (method, target) => {
    const sets = [
      rules,
      ...matching(rules.methods, method),
      ...(method === 'tools/call' && target !== undefined ? matching(rules.tools, target) : []),
    ];
    const key = JSON.stringify(sets.slice(1));
    const known = made.get(key);
    if (known !== undefined) return known;
    const { ignore, volatile, exact, slower } = mergedSets(sets);
    const [ignoreTest, volatileTest, exactTest] = [placeTest(ignore), placeTest(volatile), placeTest(exact)];
    const compiled: RequestRules = {
      places: ignore.length + volatile.length + exact.length > 0,
      ignored: (pointer) => ignoreTest(pointer) || (HEARD_OF(pointer) && !exactTest(pointer)),
      volatile: (pointer) => volatileAt(pointer, volatileTest, exactTest),
      exact: exactTest,
      slower: { ...SLOWER, ...slower },
    };
    made.set(key, compiled);
    return compiled;
  };
}

function volatileAt(pointer: string, volatile: PlaceTest, exact: PlaceTest): string | undefined {
  if (volatile(pointer)) return 'volatile by a rule';
  return OWN_VERSION(pointer) && !exact(pointer) ? "the server's own version" : undefined;
}

function matching(sets: Readonly<Record<string, PlaceRuleSet>> | undefined, name: string): readonly PlaceRuleSet[] {
  return Object.entries(sets ?? {}).flatMap(([pattern, set]) => (nameFits(pattern, name) ? [set] : []));
}

/** Whether a name fits a pattern in which `*` stands for any characters. */
export function nameFits(pattern: string, name: string): boolean {
  if (!pattern.includes('*')) return pattern === name;
  const literals = pattern.split('*').map((literal) => literal.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literals.join('.*')}$`, 's').test(name);
}
