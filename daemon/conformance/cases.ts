/** Findings on disk: self-contained cases under `.signalbox/conformance/`. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Finding, Target } from '../api/conformance.ts';
import { SignalboxError } from '../api/errors.ts';

/** Where cases are kept, relative to a project. */
export const CASES = join('.signalbox', 'conformance');

/** What a file holds. Secrets of the target's headers and environment are not in it; a working directory below the project is relative to it. */
interface StoredCase {
  readonly format: 1;
  readonly finding: Finding;
}

/**
 * Writes a finding as a case.
 * @param folder the project
 * @returns the file
 */
export function storeFinding(folder: string, finding: Finding): string {
  const file = join(folder, CASES, `${finding.id}.json`);
  mkdirSync(join(folder, CASES), { recursive: true });
  const stored: StoredCase = { format: 1, finding: { ...finding, target: placed(finding.target, (cwd) => portable(folder, cwd)) } };
  writeFileSync(file, `${JSON.stringify(stored, null, 2)}\n`);
  return file;
}

/**
 * Reads a case by its id, the beginning of its id, or its file.
 * @throws SBX_CONFORM_CASE when there is none, more than one, or it cannot be read
 */
export function loadFinding(folder: string, id: string): Finding {
  const files = id.endsWith('.json') ? [id] : listed(join(folder, CASES)).filter((name) => basename(name).startsWith(id));
  const [file] = files;
  if (file === undefined || files.length > 1)
    throw new SignalboxError('SBX_CONFORM_CASE', `There is ${files.length === 0 ? 'no' : 'more than one'} stored case \`${id}\`.`, {
      why: `Cases are the files of ${join(folder, CASES)}.`,
      fix: 'Give the id that the report shows, or the path of the file.',
    });
  return read(file);
}

/** Every stored case that can be read, by requirement. */
export function storedFindings(folder: string): readonly Finding[] {
  return listed(join(folder, CASES))
    .flatMap((file) => {
      try {
        return [read(file)];
      } catch {
        return []; // not one of ours: `loadFinding` says what is wrong with it when it is asked for
      }
    })
    .sort((one, other) => (one.requirement < other.requirement ? -1 : 1));
}

/** A folder below the project relative to it, so that a case that is committed works elsewhere. */
function portable(folder: string, cwd: string): string {
  const path = relative(folder, cwd);
  return path.startsWith('..') || isAbsolute(path) ? cwd : path.replaceAll('\\', '/') || '.';
}

function placed(target: Target, place: (cwd: string) => string): Target {
  return target.kind === 'stdio' && target.cwd !== undefined ? { ...target, cwd: place(target.cwd) } : target;
}

function read(file: string): Finding {
  const project = dirname(dirname(dirname(resolve(file))));
  try {
    const { finding } = JSON.parse(readFileSync(file, 'utf8')) as StoredCase;
    if (typeof finding.property === 'string' && typeof finding.requirement === 'string' && typeof finding.target === 'object')
      return { ...finding, target: placed(finding.target, (cwd) => resolve(project, cwd)) };
  } catch (error) {
    throw new SignalboxError('SBX_CONFORM_CASE', `The stored case ${file} cannot be read.`, {
      why: error instanceof Error ? error.message : String(error),
      fix: 'Give a file that `signalbox conform` wrote.',
      cause: error,
    });
  }
  throw new SignalboxError('SBX_CONFORM_CASE', `${file} is no stored case.`, {
    why: 'It names no property, requirement or target.',
    fix: 'Give a file that `signalbox conform` wrote.',
  });
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^[0-9a-f]{10}\.json$/.test(name))
      .map((name) => join(folder, name));
  } catch {
    return []; // no folder, no cases
  }
}
