import { SignalboxError } from '../api/errors.ts';

/** Where the values of `${…}` come from. */
export interface Variables {
  /** Undefined outside a workspace. */
  readonly workspaceFolder: string | undefined;
  readonly userHome: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gives a secret, or throws the {@link SignalboxError} that says why this server may not have it. */
  secret(name: string): string;
}

/**
 * Replaces `${workspaceFolder}`, `${userHome}`, `${env:NAME}`, `${secret:name}` in every string of a value, at any depth; keys stay.
 * `${NAME}` and `${NAME:-default}` in capitals, as Claude Code writes them, mean the environment. What was put in is not looked at again.
 *
 * @throws SignalboxError `SBX_VARIABLE_UNKNOWN`, or what `variables.secret` throws
 */
export function substitute<T>(value: T, variables: Variables): T {
  return mapStrings(value, (text) => text.replace(/\$\{([^{}]*)\}/g, (whole, name: string) => variableValue(whole, name, variables))) as T;
}

/** The names of the secrets a value mentions, each once. */
export function secretsIn(value: unknown): readonly string[] {
  return mentions(value, /\$\{secret:([^{}]*)\}/g);
}

/** The names of the environment variables a value mentions, each once. */
export function environmentIn(value: unknown): readonly string[] {
  return mentions(value, /\$\{(?:env:([^{}]*)|([A-Z_][A-Z0-9_]*)(?::-[^{}]*)?)\}/g);
}

function variableValue(whole: string, name: string, variables: Variables): string {
  if (name === 'userHome') return variables.userHome;
  if (name === 'workspaceFolder') {
    if (variables.workspaceFolder !== undefined) return variables.workspaceFolder;
    throw unknown(whole, 'This endpoint belongs to no workspace.', 'Connect from inside a project folder, or write the folder itself.');
  }
  if (name.startsWith('secret:')) return variables.secret(name.slice('secret:'.length));
  const [, key, fallback] = /^(?:env:)?([A-Za-z_]\w*)(?::-(.*))?$/s.exec(name) ?? [];
  if (key !== undefined && (name.startsWith('env:') || key === key.toUpperCase())) {
    const found = variables.env[key] ?? fallback;
    if (found !== undefined) return found;
    throw unknown(
      whole,
      `The environment variable ${key} is not set where the daemon runs.`,
      `Set ${key} in your login shell and run \`signalbox restart\`, or store a secret and write \${secret:…}.`,
    );
  }
  if (name.startsWith('input:')) {
    const secret = name.slice('input:'.length);
    throw unknown(
      whole,
      'Signalbox asks no questions when a server starts.',
      `Run \`signalbox secret set ${secret}\` and write \${secret:${secret}} instead.`,
    );
  }
  throw unknown(whole, 'There is no such variable.', 'Use ${workspaceFolder}, ${userHome}, ${env:NAME} or ${secret:name}.');
}

function unknown(whole: string, why: string, fix: string): SignalboxError {
  return new SignalboxError('SBX_VARIABLE_UNKNOWN', `The variable ${whole} has no value.`, { why, fix });
}

function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, change)]));
}

function mentions(value: unknown, pattern: RegExp): readonly string[] {
  const names = new Set<string>();
  mapStrings(value, (text) => {
    for (const [, first, second] of text.matchAll(pattern)) names.add(first ?? second ?? '');
    return text;
  });
  return [...names];
}
