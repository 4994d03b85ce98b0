/** The `redaction` key: rules of one file, and of all files together. */
import { RE2JS } from 're2js';
import type { ConfigProblem, RedactionRules } from '../api/config.ts';
import type { ConfigDocument } from './document.ts';

/** The rules of a file that can be used; patterns that are none become problems. */
export function redactionRules(
  value: Readonly<Record<string, unknown>>,
  document: ConfigDocument,
  problems: ConfigProblem[],
): RedactionRules {
  const { pointers = [], fields = [], patterns = [] } = (value['redaction'] ?? {}) as RedactionRules;
  const sound = patterns.filter((pattern, index) => {
    const why = mistake(pattern);
    if (why === undefined) return true;
    const path = ['redaction', 'patterns', index];
    const fix = 'Write it in RE2 syntax: no look-around, no back-references. Until then nothing is taken out by it.';
    problems.push(document.problemAt(path, 'SBX_CONFIG_INVALID', `The pattern cannot be used: ${why}.`, fix));
    return false;
  });
  return { pointers, fields, patterns: sound };
}

/** Rules add up: a workspace's file takes out more, never less. */
export function allRules(files: Iterable<RedactionRules>): RedactionRules {
  const of = (key: keyof RedactionRules): readonly string[] => [...new Set([...rules].flatMap((each) => each[key] ?? []))];
  const rules = [...files];
  return { pointers: of('pointers'), fields: of('fields'), patterns: of('patterns') };
}

function mistake(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
  }
}
