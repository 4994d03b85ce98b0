/** Tasks and protected servers: the correct server has no errors, and each fault is found under its id. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Finding, Target } from '../../daemon/api/conformance.ts';
import { conform } from '../../daemon/conformance/conform.ts';
import type { Era } from '../../daemon/protocol/eras.ts';
import { serveProtected } from './reference/protected.ts';

const FULL = process.env['SIGNALBOX_TEST_TIER'] === 'full';
const TASKED = fileURLToPath(new URL('./reference/tasked.ts', import.meta.url));

async function findings(target: Target, era: Era, only: readonly string[]): Promise<readonly Finding[]> {
  const { findings, summary } = await conform({
    target,
    eras: [era],
    seed: 1,
    runs: 4,
    limitMs: 4000,
    safety: { allow: [] },
    only,
    signal: AbortSignal.timeout(50_000),
    emit: () => {},
  });
  assert.deepEqual(summary.eras, [era]);
  return findings.filter(({ flaky }) => !flaky);
}

const tasked = (faults: readonly string[]): Target => ({
  kind: 'stdio',
  command: process.execPath,
  args: ['--disable-warning=ExperimentalWarning', TASKED, ...faults],
});

/** Faults of tasks; the property that finds each is named where another would do so too late. */
const TASK_FAULTS: Readonly<Record<string, string>> = {
  'TASK-CAP': 'tasks/undeclared',
  'TASK-IGNORED': 'tasks/undeclared',
  'TASK-FORBIDDEN': 'tasks/support',
  'TASK-REQUIRED': 'tasks/support',
  'TASK-CREATE': 'tasks/life',
  'TASK-CREATE-PROMPT': 'tasks/life',
  'TASK-ID': 'tasks/identity',
  'TASK-ID-ENTROPY': 'tasks/identity',
  'TASK-WORKING': 'tasks/life',
  'TASK-TRANSITIONS': 'tasks/life',
  'TASK-TERMINAL': 'tasks/life',
  'TASK-TIMESTAMPS': 'tasks/life',
  'TASK-TTL': 'tasks/life',
  'TASK-RESULT-BLOCK': 'tasks/result-waits',
  'TASK-RESULT-SAME': 'tasks/life',
  'TASK-RESULT-META': 'tasks/life',
  'TASK-META-SHOULDNOT': 'tasks/life',
  'TASK-PARAM-WINS': 'tasks/identity',
  'TASK-CANCEL': 'tasks/cancel',
  'TASK-CANCEL-TERMINAL': 'tasks/cancel',
  'TASK-UNKNOWN': 'tasks/unknown',
  'TASK-LIST-COMPLETE': 'tasks/identity',
  'TASK-LIST-CURSOR': 'tasks/declared',
  'TASK-PROGRESS': 'tasks/life',
  'TASK-STATUS-NOTIF': 'tasks/life',
  'TASK-FAILED': 'tasks/life',
};

describe('tasks', { concurrency: 6 }, () => {
  it('of the correct server break nothing', async () => {
    const found = await findings(tasked([]), 'legacy', ['tasks/']);
    assert.deepEqual(
      found.map(({ requirement, property, got }) => `${requirement} ${property} ${got}`),
      [],
    );
  });
  // every second one; all of them belong to the full tier
  for (const [stem, property] of Object.entries(TASK_FAULTS).filter((_one, index) => FULL || index % 2 === 0))
    it(`L-${stem} is found`, async () => {
      const found = (await findings(tasked([stem]), 'legacy', [property])).map(({ requirement }) => requirement);
      assert.ok(found.includes(`L-${stem}`), found.join(' '));
    });
});

/** Faults of a protected server and the requirement each breaks, in the eras that have it. */
const AUTH_FAULTS: readonly (readonly [fault: string, stem: string, property: string, eras: readonly Era[]])[] = [
  ['AUTH-401', 'AUTH-401', 'auth/credentials', ['legacy', 'modern']],
  ['AUTH-401-UNSIGNED', 'AUTH-401', 'auth/credentials', ['legacy']],
  ['AUTH-401-EXPIRED', 'AUTH-401', 'auth/credentials', ['modern']],
  ['AUTH-STATUS', 'AUTH-STATUS', 'auth/credentials', ['legacy', 'modern']],
  ['AUTH-AUDIENCE', 'AUTH-AUDIENCE', 'auth/credentials', ['legacy', 'modern']],
  ['AUTH-EVERY-REQ', 'AUTH-EVERY-REQ', 'auth/every-request', ['legacy', 'modern']],
  ['AUTH-SESSION-NOT-AUTH', 'AUTH-SESSION-NOT-AUTH', 'auth/every-request', ['legacy']],
  ['AUTH-QUERY', 'AUTH-QUERY', 'auth/query-string', ['legacy', 'modern']],
  ['AUTH-PRM', 'AUTH-PRM', 'auth/discovery', ['legacy', 'modern']],
  ['AUTH-PRM-AS', 'AUTH-PRM-AS', 'auth/discovery', ['legacy', 'modern']],
  ['AUTH-PRM-DISCOVERY', 'AUTH-PRM-DISCOVERY', 'auth/discovery', ['legacy', 'modern']],
  ['AUTH-PRM-RESOURCE', 'AUTH-PRM-RESOURCE', 'auth/discovery', ['legacy', 'modern']],
  ['AUTH-SCOPE-HINT', 'AUTH-SCOPE-HINT', 'auth/discovery', ['legacy', 'modern']],
  ['AUTH-NO-OFFLINE', 'AUTH-NO-OFFLINE', 'auth/discovery', ['modern']],
  ['AUTH-403-SCOPE', 'AUTH-403-SCOPE', 'auth/scopes', ['legacy', 'modern']],
  ['TOOL-ACCESS', 'TOOL-ACCESS', 'auth/scopes', ['legacy', 'modern']],
  ['TOOL-ACCESS', 'TOOL-ACCESS', 'auth/hidden-items', ['legacy']],
  ['RES-PERMISSION', 'RES-PERMISSION', 'auth/hidden-items', ['legacy', 'modern']],
  ['CCH-PUBLIC-NEUTRAL', 'CCH-PUBLIC-NEUTRAL', 'auth/public-results', ['modern']],
  ['ELI-BIND', 'ELI-BIND', 'auth/question-state', ['modern']],
  ['TASK-ISOLATION', 'TASK-ISOLATION', 'auth/tasks', ['legacy']],
];

describe('a protected server', { concurrency: 6 }, () => {
  const run = async (faults: readonly string[], era: Era, only: readonly string[]): Promise<readonly Finding[]> => {
    const server = await serveProtected(faults);
    try {
      return await findings({ kind: 'http', url: server.url, tokens: server.tokens }, era, only);
    } finally {
      server.close();
    }
  };
  for (const era of ['legacy', 'modern'] as const)
    it(`that is correct breaks nothing in the ${era} era`, async () => {
      const found = (await run([], era, ['auth/'])).filter(({ severity }) => severity !== 'note');
      assert.deepEqual(
        found.map(({ requirement, property, got }) => `${requirement} ${property} ${got}`),
        [],
      );
    });
  for (const [fault, stem, property, eras] of AUTH_FAULTS)
    for (const era of FULL ? eras : eras.slice(0, 1)) {
      const id = `${era === 'legacy' ? 'L' : 'M'}-${stem}`;
      it(`${id} is found by ${property} (${fault})`, async () => {
        const found = await run([fault], era, [property]);
        assert.ok(
          found.some(({ requirement }) => requirement === id),
          found.map(({ requirement }) => requirement).join(' '),
        );
        // a token is a secret: it is in no finding, with everything that was seen
        assert.doesNotMatch(JSON.stringify(found), /eyJ[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}/);
      });
    }
});
