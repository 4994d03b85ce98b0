import type { ServerEntry } from '../api/config.ts';
import type { LoadedConfig } from './file.ts';
import { isPattern, needsOf } from './patterns.ts';
import { environmentIn, secretsIn } from './substitution.ts';

/** Lines for a person who is asked whether to trust a workspace's file: what it would run, reach, read and ask for. */
export function previewOf(config: LoadedConfig): readonly string[] {
  const lines: string[] = [];
  for (const [name, entry] of config.servers) {
    lines.push(`${shown(name)}${entry.enabled === false ? ' (disabled)' : ''}: ${action(entry)}`);
    if (entry.env !== undefined && Object.keys(entry.env).length > 0)
      lines.push(
        `  sets ${Object.entries(entry.env)
          .map(([key, value]) => shown(`${key}=${value}`))
          .join(' ')}`,
      );
    if (!('url' in entry) && entry.cwd !== undefined) lines.push(`  in the folder ${shown(entry.cwd)}`);
    if (entry.fallback !== undefined) lines.push(`  is answered for by ${shown(entry.fallback)} when it is down`);
    if ((entry.replicas ?? 1) > 1) lines.push(`  runs ${entry.replicas} times`);
    for (const secret of secretsIn(entry)) lines.push(`  asks for the secret ${shown(secret)} (not given until you grant it)`);
    for (const variable of environmentIn(entry)) lines.push(`  reads the environment variable ${shown(variable)}`);
  }
  for (const name of config.endpoints?.keys() ?? []) lines.push(`endpoint ${shown(name)}`);
  for (const { line, message } of config.problems) lines.push(`line ${line}: ${shown(message)}`);
  return lines.length === 0 ? ['The file runs nothing and allows nothing.'] : lines;
}

function action(entry: ServerEntry): string {
  if (isPattern(entry))
    return `has tools that call ${needsOf(entry)
      .filter(({ tool }) => tool !== undefined)
      .map(({ server, tool }) => shown(`${server}: ${tool ?? ''}`))
      .join(', ')}`;
  if ('recording' in entry) return `plays the recording ${shown(entry.recording)}`;
  if ('plugin' in entry) return `runs the plugin ${shown(entry.plugin)} with ${shown(JSON.stringify(entry.settings ?? {}))}`;
  if ('url' in entry)
    return `connects to ${shown(entry.url)}${entry.headers === undefined ? '' : ` with the headers ${shown(Object.keys(entry.headers).join(', '))}`}`;
  return `runs ${[entry.command, ...(entry.args ?? [])].map((word) => (/^[\w./:@=+-]+$/.test(word) ? word : shown(JSON.stringify(word)))).join(' ')}`;
}

/** A hostile file must not paint the terminal or turn the text round: control, format and line characters are written out. */
function shown(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`);
}
