import type { ConfigProblem } from '../api/config.ts';
import type { JsonPath } from './document.ts';
import type { LoadedConfig } from './file.ts';
import { nearest } from './suggestion.ts';

/** The problem of a name nobody has, with the nearest that somebody has. */
export function unknownName(from: LoadedConfig, path: JsonPath, kind: string, name: string, known: Iterable<string>): ConfigProblem {
  const names = [...known];
  const meant = nearest(name, names);
  const fix =
    meant === undefined ? `There ${names.length === 0 ? `is no ${kind} yet` : `are: ${names.join(', ')}`}.` : `Did you mean \`${meant}\`?`;
  return from.problemAt(path, 'SBX_CONFIG_INVALID', `There is no ${kind} \`${name}\`.`, fix);
}
