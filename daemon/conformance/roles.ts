/** What the settings of a server say about its tools: which may be called, with what, and what they are good for. */
import type { ConformanceSettings, ToolRole } from '../api/conformance.ts';
import type { JsonObject } from '../protocol/message.ts';
import { at } from './engine/judge.ts';

type Settings = Omit<ConformanceSettings, 'reset' | 'tokens'>;
interface Tool {
  readonly name: string;
  readonly definition: JsonObject;
  readonly sample: JsonObject | undefined;
}
interface Seen {
  readonly tool: { readonly name: string };
  readonly ms: number;
  readonly progress: boolean;
  readonly logs: boolean;
  readonly asks: boolean;
  readonly changes?: boolean;
  readonly mutates?: boolean;
}

/** A tool that is said to be slow counts as this slow, in milliseconds, however soon it answered once. */
const SLOW_MS = 500;

/** The names of the tools that play a role. */
function cast(settings: Settings, role: ToolRole): readonly string[] {
  const named = settings.roles?.[role];
  return named === undefined ? [] : typeof named === 'string' ? [named] : named;
}

/** Whether a tool may only be called with the arguments of the settings. */
export function isRehearsed(settings: Settings, name: string): boolean {
  return settings.arguments !== undefined && Object.hasOwn(settings.arguments, name);
}

/** The tool with the arguments of the settings for its sample. */
export function directed<T extends Tool>(tool: T, settings: Settings): T {
  const given = isRehearsed(settings, tool.name) ? settings.arguments?.[tool.name] : undefined;
  return given === undefined ? tool : { ...tool, values: 'the settings say what it is called with', sample: { ...given } };
}

/** The tools that may be called: read-only by their own word, allowed, or named by the settings for a role or with arguments. */
export function callableTools<T extends Tool>(tools: readonly T[], settings: Settings): readonly T[] {
  const allowed = new Set([
    ...(settings.allow ?? []),
    ...Object.keys(settings.arguments ?? {}),
    ...Object.keys(settings.roles ?? {}).flatMap((role) => cast(settings, role as ToolRole)),
  ]);
  return tools.filter(
    ({ name, definition }) => allowed.has('*') || allowed.has(name) || at(definition, 'annotations', 'readOnlyHint') === true,
  );
}

/** The tools in the order in which they are looked at: those with a role first, for there is a limit. */
export function byRole<T extends Tool>(tools: readonly T[], settings: Settings): readonly T[] {
  const named = new Set(Object.keys(settings.roles ?? {}).flatMap((role) => cast(settings, role as ToolRole)));
  return [...tools.filter(({ name }) => named.has(name)), ...tools.filter(({ name }) => !named.has(name))];
}

/** What a tool was seen to do, and what the settings say that it does. */
export function playing<S extends Seen>(seen: S, settings: Settings): S & { readonly changes: boolean; readonly mutates: boolean } {
  const plays = (role: ToolRole): boolean => cast(settings, role).includes(seen.tool.name);
  return {
    ...seen,
    ms: plays('slow') ? Math.max(seen.ms, SLOW_MS) : seen.ms,
    progress: seen.progress || plays('progress'),
    logs: seen.logs || plays('logs'),
    asks: seen.asks || plays('asks'),
    changes: seen.changes === true || plays('changes'),
    mutates: seen.mutates === true || plays('mutates'),
  };
}
