/** A stored case as a regression test for `node --test` that stands alone: the checker is copied beside it. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Finding } from '../api/conformance.ts';
import { storeFinding } from './cases.ts';

/**
 * Writes the test, the case and the checker into the folder of the cases.
 * @param folder the project
 * @param checker the runner as one self-contained ES module
 * @returns the file of the test
 */
export function saveAsTest(folder: string, finding: Finding, checker: Uint8Array): string {
  const stored = storeFinding(folder, finding);
  const name = `checker-${createHash('sha256').update(checker).digest('hex').slice(0, 10)}.mjs`;
  const beside = join(dirname(stored), name);
  // named by its content: the tests of one version share it, and those of another keep theirs
  if (!existsSync(beside) || !readFileSync(beside).equals(checker)) writeFileSync(beside, checker);
  const file = join(dirname(stored), `${finding.id}.test.mjs`);
  writeFileSync(file, testText(finding, basename(stored), name));
  return file;
}

function testText({ id, requirement, statement, specification }: Finding, stored: string, checker: string): string {
  return `// Written by \`signalbox conform --save-as-test ${id}\`. Run it with \`node --test\`: it needs Node 22 or newer and nothing else.
// ${requirement}: ${specification}
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const project = join(here, '..', '..');
const { finding } = JSON.parse(readFileSync(join(here, ${JSON.stringify(stored)}), 'utf8'));
// SIGNALBOX_TARGET (a URL, or a JSON array with a command) names another server; SIGNALBOX_TOKEN is the token of a protected one.
const { SIGNALBOX_TARGET: other, SIGNALBOX_TOKEN: token } = process.env;
const named = other === undefined ? finding.target : other.startsWith('[') ? commandOf(JSON.parse(other)) : { kind: 'http', url: other };
const target = named.kind === 'http' ? { ...named, ...(token === undefined ? {} : { tokens: { valid: token } }) } : { ...named, cwd: resolve(project, named.cwd ?? '.') };

function commandOf([command, ...args]) {
  return { kind: 'stdio', command, args };
}

test(${JSON.stringify(`${requirement}: ${statement}`)}, async () => {
  const child = spawn(process.execPath, [join(here, ${JSON.stringify(checker)})], { cwd: project, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.write(JSON.stringify({ kind: 'replay', finding, target, settings: {}, limitMs: 5000 }) + '\\n');
  let output = '';
  for await (const text of child.stdout.setEncoding('utf8')) output += text;
  const last = JSON.parse(output.trimEnd().split('\\n').at(-1) || '{"type": "nothing"}');
  assert.equal(last.type, 'replayed', JSON.stringify(last));
  const { broken, violations, trace } = last.replay;
  const seen = violations.find((one) => one.id === finding.requirement);
  const lines = trace.map(({ direction, text }) => direction + ' ' + text).join('\\n');
  assert.equal(broken, false, 'expected ' + seen?.expected + ', got ' + seen?.got + '\\n' + lines);
});
`;
}
