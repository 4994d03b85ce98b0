import type { AggregateTool, ChainTool, PatternServer, PatternStep, ServerEntry } from '../api/config.ts';
import { pointerTokens } from '../patterns/pointer.ts';
import { type Reference, references } from '../patterns/template.ts';
import type { JsonPath } from './document.ts';

/** Whether an entry is a server made of other servers' tools. */
export function isPattern(entry: ServerEntry): entry is PatternServer {
  return 'chain' in entry || 'aggregate' in entry;
}

/** What one entry needs of another: its fallback, or a step of a tool. */
export interface Need {
  readonly server: string;
  /** The tool a step calls; a fallback may be asked for any. */
  readonly tool?: string;
  /** Path from the entry to the name. */
  readonly at: JsonPath;
  /** Path from the entry to what must go when the need cannot be met. */
  readonly holder: JsonPath;
}

/** Everything an entry needs of other servers, in the order it is written. */
export function needsOf(entry: ServerEntry): readonly Need[] {
  const fallback: Need[] = entry.fallback === undefined ? [] : [{ server: entry.fallback, at: ['fallback'], holder: ['fallback'] }];
  if (!isPattern(entry)) return fallback;
  const steps = (kind: 'chain' | 'aggregate', name: string, list: 'steps' | 'calls', all: readonly PatternStep[]): readonly Need[] =>
    all.map(({ server, tool }, index) => ({ server, tool, at: [kind, name, list, index, 'server'], holder: [kind, name] }));
  return [
    ...fallback,
    ...Object.entries(entry.chain ?? {}).flatMap(([name, tool]) => steps('chain', name, 'steps', tool.steps)),
    ...Object.entries(entry.aggregate ?? {}).flatMap(([name, tool]) => steps('aggregate', name, 'calls', tool.calls)),
  ];
}

/** An entry without its fallback or without one of its tools; see {@link Need.holder}. */
export function withoutHolder(entry: ServerEntry, [kind, name]: JsonPath): ServerEntry {
  if (kind === 'fallback') {
    const { fallback: _fallback, ...rest } = entry;
    return rest as ServerEntry;
  }
  if (!isPattern(entry)) return entry;
  const kept = <T>(tools: Readonly<Record<string, T>> | undefined): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(tools ?? {}).filter(([key]) => key !== name));
  return kind === 'chain' ? { ...entry, chain: kept(entry.chain) } : { ...entry, aggregate: kept(entry.aggregate) };
}

/**
 * Checks what the schema cannot say of a pattern: pointers that can find nothing, a tool named twice. A tool with a mistake is left out.
 * @param report gets the path from the entry, what is wrong and what to do
 */
export function checkedPattern(entry: ServerEntry, report: (at: JsonPath, message: string, fix: string) => void): ServerEntry {
  if (!isPattern(entry)) return entry;
  let sound: ServerEntry = entry;
  const refuse = (holder: JsonPath, at: JsonPath, message: string, fix: string): void => {
    report(at, `${message} The tool is left out.`, fix);
    sound = withoutHolder(sound, holder);
  };
  for (const [name, tool] of Object.entries(entry.chain ?? {}))
    for (const [at, wrong, fix] of chainMistakes(tool)) refuse(['chain', name], ['chain', name, ...at], wrong, fix);
  for (const [name, tool] of Object.entries(entry.aggregate ?? {})) {
    if (entry.chain !== undefined && Object.hasOwn(entry.chain, name))
      refuse(
        ['aggregate', name],
        ['aggregate', name],
        `There is a tool \`${name}\` under \`chain\` already.`,
        'Give one of the two another name.',
      );
    for (const [at, wrong, fix] of aggregateMistakes(tool)) refuse(['aggregate', name], ['aggregate', name, ...at], wrong, fix);
  }
  return sound;
}

type Mistake = readonly [at: JsonPath, message: string, fix: string];

function chainMistakes({ steps, result }: ChainTool): readonly Mistake[] {
  return [
    ...steps.flatMap((step, index) => mistakes(step.arguments, ['steps', index, 'arguments'], index)),
    ...mistakes(result, ['result'], steps.length),
  ];
}

function aggregateMistakes({ calls }: AggregateTool): readonly Mistake[] {
  return calls.flatMap((step, index) => mistakes(step.arguments, ['calls', index, 'arguments'], 0));
}

/** @param earlier how many steps have run when the template is read */
function mistakes(template: unknown, path: JsonPath, earlier: number): readonly Mistake[] {
  return references(template).flatMap((reference) => {
    const wrong = mistake(reference, earlier);
    return wrong === undefined ? [] : [[[...path, ...reference.at, wrong[2]], wrong[0], wrong[1]] as const];
  });
}

function mistake({ written }: Reference, earlier: number): readonly [message: string, fix: string, key: string] | undefined {
  const pointer = written['$from'];
  const tokens = typeof pointer === 'string' ? pointerTokens(pointer) : undefined;
  if (tokens === undefined)
    return [
      '`$from` must be a JSON pointer.',
      'Write e.g. "/input/path" or "/steps/0/json/id"; `/` in a name is `~1`, `~` is `~0`.',
      '$from',
    ];
  const beside = Object.keys(written).find((key) => key !== '$from' && key !== 'optional');
  if (beside !== undefined) return [`\`${beside}\` cannot stand beside \`$from\`.`, 'Only "optional": true may.', beside];
  if (written['optional'] !== undefined && typeof written['optional'] !== 'boolean')
    return ['`optional` must be true or false.', 'Write true, without quotes.', 'optional'];
  const [root, index, part] = tokens;
  if (root === undefined || root === 'input') return undefined;
  if (root !== 'steps' || earlier === 0)
    return [
      `${JSON.stringify(pointer)} finds nothing here.`,
      earlier === 0 ? 'Begin with /input; no step has run before.' : 'Begin with /input or /steps.',
      '$from',
    ];
  if (index === undefined) return undefined;
  if (!/^(?:0|[1-9]\d*)$/.test(index) || Number(index) >= earlier)
    return [
      `${JSON.stringify(pointer)} points at a step that has not run by then.`,
      earlier === 1 ? 'Only /steps/0 has run.' : `Steps are counted from 0; /steps/0 to /steps/${earlier - 1} have run.`,
      '$from',
    ];
  if (part !== undefined && part !== 'result' && part !== 'json')
    return [`${JSON.stringify(pointer)} finds nothing.`, 'A step has `result`, as the tool gave it, and `json`, its data.', '$from'];
  return undefined;
}
