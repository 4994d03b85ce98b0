/** The official suite as a program: one run against a URL, its checks collected per scenario. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finish, REPOSITORY } from '../fixtures/daemon.ts';

/** The suite's own words. `INFO` says nothing about right or wrong. */
export type Status = 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';

/** One run of the suite: a version of it and the revision it speaks. */
export interface Leg {
  readonly name: 'stable' | 'legacy' | 'modern';
  /** Alias of the package in package.json. */
  readonly suite: 'mcp-conformance' | 'mcp-conformance-alpha';
  readonly revision: string | undefined;
}

/** The newest stable (which knows only the legacy era), and the newest alpha in both eras. */
export const LEGS: readonly Leg[] = [
  { name: 'stable', suite: 'mcp-conformance', revision: undefined },
  { name: 'legacy', suite: 'mcp-conformance-alpha', revision: '2025-11-25' },
  { name: 'modern', suite: 'mcp-conformance-alpha', revision: '2026-07-28' },
];

/** One statement of the suite; where it is made several times in a scenario, the worst of them. */
export interface Check {
  readonly scenario: string;
  readonly id: string;
  readonly status: Status;
  readonly message: string;
}

const ORDER: readonly Status[] = ['INFO', 'SUCCESS', 'SKIPPED', 'WARNING', 'FAILURE'];
const RUN_MS = 180_000;
/** `server-<scenario>-2026-11-21T16-06-32-108Z` */
const FOLDER = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/;

/**
 * Runs every server scenario of a leg (or one) against an MCP endpoint.
 * @throws when the suite itself fails, with what it printed
 */
export async function runSuite(leg: Leg, url: string, scenario?: string): Promise<readonly Check[]> {
  const out = mkdtempSync(join(tmpdir(), 'sbx-conformance-'));
  const program = join(REPOSITORY, 'node_modules', leg.suite, 'dist', 'index.js');
  const what = scenario === undefined ? ['--suite', 'all'] : ['--scenario', scenario];
  const revision = leg.revision === undefined ? [] : ['--spec-version', leg.revision];
  try {
    const ended = await finish(process.execPath, [program, 'server', '--url', url, ...what, ...revision, '--output-dir', out], {
      cwd: REPOSITORY,
      env: { PATH: process.env['PATH'] ?? '', HOME: out },
      timeoutMs: RUN_MS,
    });
    const checks = readdirSync(out).flatMap((folder) => readScenario(join(out, folder), FOLDER.exec(folder)?.[1]));
    if (checks.length === 0 || ended.code > 1)
      throw new Error(`The suite ended with ${ended.code}:\n${ended.stdout.slice(-4000)}${ended.stderr}`);
    return checks;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function readScenario(folder: string, scenario: string | undefined): readonly Check[] {
  if (scenario === undefined) return [];
  const worst = new Map<string, Check>();
  const raw = JSON.parse(readFileSync(join(folder, 'checks.json'), 'utf8')) as { id: string; status: Status; errorMessage?: string }[];
  for (const { id, status, errorMessage: message = '' } of raw) {
    const before = worst.get(id);
    if (before === undefined || ORDER.indexOf(status) > ORDER.indexOf(before.status)) worst.set(id, { scenario, id, status, message });
  }
  return [...worst.values()];
}

/** How many scenarios a run had, and how many of them had no failure and no warning. */
export function scenarioCounts(checks: readonly Check[]): { readonly total: number; readonly passed: number } {
  const all = new Set(checks.map(({ scenario }) => scenario));
  const bad = new Set(checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING').map(({ scenario }) => scenario));
  return { total: all.size, passed: all.size - bad.size };
}
