/** The entry of the command line `signalbox`. */
import { homedir } from 'node:os';
import { signalboxPaths } from '../api/paths.ts';
import { COMMANDS } from './commands.ts';
import { runProgram } from './program.ts';

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // the second one is meant: 128 + the number of SIGINT, as a shell reports it
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort(name);
  });
}
// `signalbox logs | head`: the reader has seen enough
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

void runProgram(COMMANDS, process.argv.slice(2), {
  paths: signalboxPaths({ platform: process.platform, home: homedir(), env: process.env }),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: interrupted.signal,
}).then((code) => {
  // standard input may stay open for ever; what was written must still reach a pipe
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
});
