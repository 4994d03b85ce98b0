/** The runner as a child of the command line: no daemon is needed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job, JobEvent } from '../../conformance/process/job.ts';
import { direct, type Runner } from '../../conformance/process/runner.ts';
import { ChildRegistry } from '../../lifecycle/children.ts';
import { installation } from '../../lifecycle/installation.ts';
import type { CommandContext } from '../command.ts';

/**
 * Does one job in a runner process of its own and ends it and what it started. Ctrl-C cancels the run.
 * @param hear called for each event, in order
 * @param begun gets the runner, to tell it more
 * @throws SBX_CONFORM_RUNNER when it ended without its last event
 */
export async function runJob(
  { env, cwd, signal }: Pick<CommandContext, 'env' | 'cwd' | 'signal'>,
  job: Job,
  hear: (event: JobEvent, runner: Runner) => void,
): Promise<void> {
  // not the daemon's folder of children: a daemon that starts ends what it finds recorded there
  const records = mkdtempSync(join(tmpdir(), 'signalbox-conform-'));
  // the servers end at the end of their input; what does not is not given the whole patience of a daemon's server
  const children = new ChildRegistry(records, { stdinMs: 4000, termMs: 1000 });
  try {
    const own = Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
    const child = children.spawn({
      command: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', installation().conformRunner],
      env: { ...own, ...(process.versions['electron'] === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' }) },
      cwd,
    });
    const runner = direct(child, job, (event) => hear(event, runner));
    const cancel = (): void => runner.cancel();
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel);
    try {
      await runner.done;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  } finally {
    await children.close();
    rmSync(records, { recursive: true, force: true });
  }
}
