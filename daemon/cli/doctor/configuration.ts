/** The doctor's checks of a configuration: what is wrong in the file, and whether its commands exist and keep standard output clean. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { ConfigProblem } from '../../api/config.ts';
import { errorShape } from '../../api/errors.ts';
import { parseDocument } from '../../config/document.ts';
import { validate } from '../../config/validation.ts';
import { resolveCommand } from '../../lifecycle/command.ts';
import type { ChildEnvironments } from '../../lifecycle/environment.ts';
import { type Finding, ok, trouble } from './finding.ts';
import { probeServer } from './probe.ts';

interface CommandEntry {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Findings about a configuration file; a missing one is fine, for there are defaults. */
export async function configurationFindings(
  file: string,
  known: readonly ConfigProblem[],
  environments: ChildEnvironments,
): Promise<Finding[]> {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return [ok('config', `${file} does not exist; the defaults are used`)];
    const why = error instanceof Error ? error.message : String(error);
    return [trouble('fail', 'config', 'SBX_CONFIG_READ', `${file} could not be read.`, why, 'Make it readable for you.')];
  }
  const { value, problems } = validate(parseDocument(file, source));
  // the daemon also knows the problems of workspaces and of substitution
  const all = [...problems, ...known.filter((problem) => !problems.some((own) => samePlace(own, problem)))];
  const findings = all.map(({ file: where, line, column, path, code, message, fix }) =>
    trouble('fail', 'config', code, `${where}:${line}:${column} ${message}`, `It stands at ${path === '' ? 'the top' : path}.`, fix),
  );
  if (findings.length === 0) findings.push(ok('config', `${file} is sound`));
  return [...findings, ...(await Promise.all(commandEntries(value).map((entry) => commandFinding(entry, environments))))];
}

function samePlace(a: ConfigProblem, b: ConfigProblem): boolean {
  return a.file === b.file && a.line === b.line && a.column === b.column && a.code === b.code;
}

/** The enabled stdio servers of a validated configuration. */
function commandEntries(value: Readonly<Record<string, unknown>>): CommandEntry[] {
  const servers = (value['servers'] ?? {}) as Readonly<Record<string, Record<string, unknown>>>;
  return Object.entries(servers).flatMap(([name, entry]) => {
    const { command, args = [], env = {}, cwd, enabled } = entry;
    if (typeof command !== 'string' || enabled === false) return [];
    return [
      {
        name,
        command,
        args: args as string[],
        env: env as Record<string, string>,
        cwd: typeof cwd === 'string' ? resolve(homedir(), cwd) : homedir(),
      },
    ];
  });
}

async function commandFinding(entry: CommandEntry, environments: ChildEnvironments): Promise<Finding> {
  const check = `server ${entry.name}`;
  // a secret or a workspace variable is the daemon's to fill in; its own finding says how that server does
  if (JSON.stringify(entry).includes('${')) return ok(check, 'uses variables of the configuration; only the daemon can start it');
  const env = await environments.of(entry.env);
  try {
    const file = resolveCommand(entry.command, env, entry.cwd);
    return await probeServer({ ...entry, file, env });
  } catch (error) {
    const { code, message, cause, fix } = errorShape(error);
    return trouble('fail', check, code, message, cause, fix);
  }
}
