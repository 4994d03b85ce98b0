/** Findings on disk: self-contained cases under `.signalbox/conformance/`, replayed without their seed. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Finding, Target, TraceLine } from '../api/conformance.ts';
import { SignalboxError } from '../api/errors.ts';
import type { Violation } from './engine/judge.ts';
import { runCase } from './engine/runner.ts';
import { discover, type Safety } from './engine/subject.ts';
import { propertyNamed } from './properties/properties.ts';

/** Where cases are kept, relative to a project. */
export const CASES = join('.signalbox', 'conformance');

/** What a file holds. Secrets of the target's headers and environment are not in it. */
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
  const stored: StoredCase = { format: 1, finding };
  writeFileSync(file, `${JSON.stringify(stored, null, 2)}\n`);
  return file;
}

/**
 * Reads a case by its id, the beginning of its id, or its file.
 * @throws SBX_USAGE when there is none
 */
export function loadFinding(folder: string, id: string): Finding {
  const files = id.endsWith('.json') ? [id] : listed(join(folder, CASES)).filter((name) => basename(name).startsWith(id));
  const [file] = files;
  if (file === undefined || files.length > 1)
    throw new SignalboxError('SBX_USAGE', `There is ${files.length === 0 ? 'no' : 'more than one'} stored case \`${id}\`.`, {
      why: `Cases are the files of ${join(folder, CASES)}.`,
      fix: 'Give the id that the report shows, or the path of the file.',
    });
  try {
    const { finding } = JSON.parse(readFileSync(file, 'utf8')) as StoredCase;
    if (typeof finding.property === 'string') return finding;
  } catch (error) {
    throw new SignalboxError('SBX_USAGE', `The stored case ${file} cannot be read.`, {
      why: error instanceof Error ? error.message : String(error),
      fix: 'Give a file that `signalbox conform` wrote.',
      cause: error,
    });
  }
  throw new SignalboxError('SBX_USAGE', `${file} is no stored case.`, {
    why: 'It names no property.',
    fix: 'Give a file that `signalbox conform` wrote.',
  });
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(folder, name));
  } catch {
    return []; // no folder, no cases
  }
}

/** What a replay saw. */
export interface Replay {
  readonly finding: Finding;
  /** The requirement is still broken. */
  readonly broken: boolean;
  readonly violations: readonly Violation[];
  readonly trace: readonly TraceLine[];
}

/**
 * Runs a stored case again on a fresh connection: its own input, not its seed.
 * @throws SBX_USAGE when its property no longer exists
 * @throws SBX_SERVER_UNREACHABLE when the server does not answer
 */
export async function replayFinding(finding: Finding, target: Target, safety: Safety, limitMs: number): Promise<Replay> {
  const property = propertyNamed(finding.property);
  if (property === undefined)
    throw new SignalboxError('SBX_USAGE', `There is no property ${finding.property}.`, {
      why: 'The case comes from another version of Signalbox.',
      fix: 'Run the tests again.',
    });
  const subject = await discover({ target, era: finding.era, limitMs, safety });
  if (subject === undefined)
    throw new SignalboxError('SBX_SERVER_UNREACHABLE', 'The server did not answer.', {
      why: `It was asked in the ${finding.era} era.`,
      fix: 'Start it, or correct the command of the case.',
    });
  const { violations, trace } = await runCase(subject, property, finding.input, finding.history ?? []);
  return { finding, broken: violations.some(({ id }) => id === finding.requirement), violations, trace };
}

/**
 * A regression test for `node --test` that replays a case; it needs the file of the case and the command line, no daemon.
 * @returns the file
 */
export function saveAsTest(folder: string, finding: Finding): string {
  const stored = storeFinding(folder, finding);
  const file = join(folder, CASES, `${finding.id}.test.mjs`);
  const name = JSON.stringify(`${finding.requirement}: ${finding.statement}`);
  writeFileSync(
    file,
    `// Written by \`signalbox conform --save-as-test ${finding.id}\`. Run it with \`node --test\`. No daemon is needed.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
// SIGNALBOX names another command line, as a JSON array: ["node", "/path/to/cli.mjs"]
const [command, ...words] = JSON.parse(process.env.SIGNALBOX ?? '["npx", "mcp-signalbox"]');

test(${name}, async () => {
  const args = [...words, 'conform', '--replay', join(here, ${JSON.stringify(basename(stored))}), '--json'];
  const { code, output } = await new Promise((done) => {
    execFile(command, args, { cwd: join(here, '..', '..') }, (error, stdout, stderr) => done({ code: error === null ? 0 : error.code, output: stdout + stderr }));
  });
  assert.equal(code, 0, output);
});
`,
  );
  return file;
}
