/** Runs the real command line as a process of its own, on temporary state and configuration folders. */
import { spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { type Paths, signalboxPaths } from '../../../daemon/api/paths.ts';

const ENTRY = join(import.meta.dirname, '../../../daemon/cli/main.ts');

/** What a finished process left. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
/** Folders of one test, and how to run a command line in them. */
export interface Sandbox {
  /** An empty working directory. */
  readonly folder: string;
  readonly paths: Paths;
  /** Runs `signalbox …words` to its end, with `input` on standard input. */
  run(words: readonly string[], input?: string): Promise<Finished>;
  /** As `run` with `--json`: the exit code and the document. */
  json(words: readonly string[], input?: string): Promise<{ code: number | null; document: Record<string, unknown> }>;
}

/** Makes the folders, which go away with the test. */
export function sandbox(t: Pick<TestContext, 'after'>): Sandbox {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'sbx-cli-')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const folders = { SIGNALBOX_STATE_DIR: join(root, 'state'), SIGNALBOX_CONFIG_DIR: join(root, 'config') };
  const run = async (words: readonly string[], input = ''): Promise<Finished> => {
    const env = { PATH: process.env['PATH'], HOME: root, SHELL: '/bin/sh', ...folders };
    const child = spawn(process.execPath, [ENTRY, ...words], { cwd: root, env, stdio: 'pipe' });
    child.stdin.on('error', () => undefined); // a command that reads nothing may end before it is written
    child.stdin.end(input);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { code, stdout, stderr };
  };
  return {
    folder: root,
    paths: signalboxPaths({ platform: process.platform, home: root, env: folders }),
    run,
    json: async (words, input) => {
      const { code, stdout } = await run([...words, '--json'], input);
      return { code, document: JSON.parse(stdout) as Record<string, unknown> };
    },
  };
}
