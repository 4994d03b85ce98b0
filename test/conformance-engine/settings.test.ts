/** What settings do, each shown on a server on which it would fail without them: permission, roles, dry runs, the reset hook, the question. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ConformanceSettings, Verdict } from '../../daemon/api/conformance.ts';
import { SignalboxError } from '../../daemon/api/errors.ts';
import { readConformanceFile } from '../../daemon/config/conformance-file.ts';
import { type ConformReport, conform } from '../../daemon/conformance/conform.ts';

const WORLD = fileURLToPath(new URL('./reference/world.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'signalbox-settings-'));
let count = 0;
after(() => rmSync(folder, { recursive: true }));

interface Call {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Tests the server with these settings; says what it was called with. */
async function run(
  { reset, ...safety }: ConformanceSettings,
  only: readonly string[],
  agree?: (called: readonly string[]) => Promise<boolean>,
): Promise<{ report: ConformReport; calls: readonly Call[]; verdict(id: string): Verdict | undefined }> {
  const log = join(folder, `log-${count++}`);
  const report = await conform({
    target: { kind: 'stdio', command: process.execPath, args: ['--disable-warning=ExperimentalWarning', WORLD, log] },
    eras: ['legacy'],
    seed: 1,
    runs: 5,
    limitMs: 3000,
    safety,
    ...(reset === undefined ? {} : { reset }),
    ...(agree === undefined ? {} : { agree }),
    only,
    signal: AbortSignal.timeout(50_000),
    emit: () => {},
  });
  const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
  return {
    report,
    calls: lines.map((line) => JSON.parse(line) as Call),
    verdict: (id) => report.summary.outcomes.find(({ requirement }) => requirement === id)?.verdict,
  };
}

describe('permission', { concurrency: 4 }, () => {
  const only = ['tools/valid-arguments', 'tools/invalid-arguments', 'tools/arguments-omitted'];
  it('nothing is called without it', async () => {
    const { calls, verdict } = await run({}, only);
    assert.deepEqual(calls, []);
    assert.equal(verdict('L-TOOL-INPUT-ACCEPT'), 'not-applicable');
  });
  it('is given by name, and then with generated arguments', async () => {
    const { calls } = await run({ allow: ['deploy'] }, only);
    assert.deepEqual([...new Set(calls.map(({ name }) => name))], ['deploy']);
    assert.ok(new Set(calls.map(({ args }) => JSON.stringify(args))).size > 3);
  });
  it('is given by arguments for a dry run, and for these alone', async () => {
    const dry = { to: 'production', dryRun: true };
    const { calls } = await run({ arguments: { deploy: dry } }, [...only, 'streams/progress', 'tools/effects', 'jsonrpc/concurrent']);
    assert.ok(calls.length > 0);
    assert.deepEqual([...new Set(calls.map(({ name, args }) => JSON.stringify([name, args])))], [JSON.stringify(['deploy', dry])]);
  });
  it('is taken back by a no to the list', async () => {
    const asked: (readonly string[])[] = [];
    const refused = await run({ allow: ['*'] }, only, async (called) => {
      asked.push(called);
      return false;
    });
    assert.ok(asked[0]?.includes('deploy'));
    assert.deepEqual(refused.calls, []);
    const agreed = await run({ allow: ['deploy'] }, only, async () => true);
    assert.ok(agreed.calls.length > 0);
  });
});

describe('roles', { concurrency: 7 }, () => {
  /** Role, tool, arguments under which it does it, the property that needs it, and a requirement that is then looked at. */
  const ROLES = [
    ['slow', 'nap', { ms: 600 }, 'streams/cancel', 'L-CAN-NO-RESPONSE'],
    ['logs', 'chat', { loud: true }, 'streams/log-levels', 'L-LOG-FILTER'],
    ['progress', 'march', { steps: 3 }, 'streams/progress', 'L-PROG-INCREASE'],
    ['changes', 'grow', { really: true }, 'changes/announced', 'L-TOOL-LISTCHANGED'],
    ['mutates', 'edit', { text: 'other' }, 'changes/announced', 'L-RES-UPDATED-SENT'],
    ['asks', 'ask', { question: 'Who?' }, 'asking/replies', 'L-ELI-DECLINE'],
  ] as const;
  const untouched = (verdict: Verdict | undefined): boolean => verdict === 'not-applicable' || verdict === 'not-exercised';
  let without: ReturnType<typeof run>;
  before(() => {
    without = run({}, [...new Set(ROLES.map(([, , , property]) => property))]);
  });
  for (const [role, tool, args, property, requirement] of ROLES)
    it(`${role}: ${requirement} is looked at with ${tool}, and not without`, async () => {
      const bare = (await without).verdict(requirement);
      assert.ok(untouched(bare), bare);
      const { verdict, report, calls } = await run({ roles: { [role]: tool }, arguments: { [tool]: args } }, [property]);
      const { reason } = report.summary.outcomes.find((outcome) => outcome.requirement === requirement) ?? {};
      assert.ok(!untouched(verdict(requirement)), reason);
      assert.ok(calls.length > 0 && calls.every(({ name }) => name === tool));
    });
  it('are kept in a finding, so that its replay needs no file', async () => {
    const { report } = await run({ roles: { changes: ['grow'] }, arguments: { grow: { really: true } } }, ['changes/announced']);
    const [finding] = report.findings.filter(({ requirement }) => requirement === 'L-TOOL-LISTCHANGED');
    assert.deepEqual(finding?.settings, { roles: { changes: ['grow'] }, arguments: { grow: { really: true } } });
  });
});

describe('the reset hook', { concurrency: 3 }, () => {
  const only = ['tools/valid-arguments', 'tools/arguments-omitted'];
  const mark = (file: string): readonly string[] => [process.execPath, '-e', `require('fs').appendFileSync(${JSON.stringify(file)}, 'x')`];
  it('runs a command before the run, each property or each case', async () => {
    const times: number[] = [];
    for (const before of ['run', 'property', 'case'] as const) {
      const file = join(folder, `reset-${before}`);
      const few = before === 'case' ? ['tools/arguments-omitted'] : only;
      await run({ allow: ['deploy'], reset: { command: mark(file), before } }, few);
      times.push(readFileSync(file, 'utf8').length);
    }
    const [runs = 0, properties = 0, cases = 0] = times;
    assert.equal(runs, 1);
    // the run's own, and one for each of the two properties
    assert.equal(properties, 3);
    assert.ok(cases >= 3, String(cases));
  });
  it('calls a tool on a connection of its own', async () => {
    const { calls } = await run({ allow: ['deploy'], reset: { tool: 'reset', before: 'property' } }, ['tools/arguments-omitted']);
    assert.deepEqual(calls[0], { name: 'reset', args: {} });
    assert.ok(calls.filter(({ name }) => name === 'reset').length >= 2);
  });
  it('ends the run when it fails, and says what it said', async () => {
    const failing = [process.execPath, '-e', 'console.error("no database"); process.exit(3)'];
    for (const reset of [{ command: failing }, { command: ['no-such-program-at-all'] }, { tool: 'no-such-tool' }])
      await assert.rejects(run({ reset }, only), (error: unknown) => {
        assert.ok(error instanceof SignalboxError && error.code === 'SBX_CONFORM_RESET');
        if ('command' in reset && reset.command === failing) assert.match(error.why, /exit code 3.*no database/);
        return true;
      });
  });
});

describe('the settings file', () => {
  const file = join(folder, 'conformance.jsonc');
  const read = (text: string, env: Record<string, string> = {}): ConformanceSettings => {
    writeFileSync(file, text);
    return readConformanceFile(file, env);
  };
  it('has comments, and the environment for tokens', () => {
    const text = '{ // which\n "allow": ["a"], "roles": { "slow": "b", "logs": ["c", "d"] }, "tokens": { "valid": "${env:TOKEN}" }, }';
    assert.deepEqual(read(text, { TOKEN: 'secret' }), {
      allow: ['a'],
      roles: { slow: 'b', logs: ['c', 'd'] },
      tokens: { valid: 'secret' },
    });
    assert.deepEqual(readConformanceFile(join(folder, 'none.jsonc'), {}), {});
  });
  for (const [what, text, where] of [
    ['an unknown key', '{\n "alow": [] }', /:2:2.*/],
    ['an unknown role', '{ "roles": { "fast": "x" } }', /fast/],
    ['a reset of both kinds', '{ "reset": { "command": ["x"], "tool": "y" } }', /reset/],
    ['no JSON', '{ "allow": ', /conformance\.jsonc:1/],
    ['a secret of the configuration', '{ "tokens": { "valid": "${secret:x}" } }', /secret:x/],
  ] as const)
    it(`refuses ${what} and says where`, () => {
      assert.throws(
        () => read(text),
        (error: unknown) =>
          error instanceof SignalboxError && error.code === 'SBX_CONFORM_SETTINGS' && where.test(`${error.message} ${error.why}`),
      );
    });
  it('must be there when it is named', () => {
    assert.throws(() => readConformanceFile(join(folder, 'none.jsonc'), {}, 'error'), /cannot be used/);
  });
});
