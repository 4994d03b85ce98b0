/**
 * The guardian: one small `sh` that outlives a killed daemon just long enough to end its children (ARCHITECTURE section 2).
 * It reads `+pgid` and `-pgid` lines; the end of the pipe means the daemon is gone. POSIX only: on Windows the reaper has to do.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { SYSTEM_PATH } from './command.ts';

const SCRIPT = `
trap '' HUP INT TERM
groups=" $* "
while read -r line; do
  case $line in
    +*) groups="$groups\${line#+} " ;;
    -*) rest=' '
        for group in $groups; do [ "$group" = "\${line#-}" ] || rest="$rest$group "; done
        groups=$rest ;;
  esac
done
for group in $groups; do kill -TERM -"$group" 2>/dev/null; done
tries=0
while [ $tries -lt 10 ]; do
  alive=
  for group in $groups; do kill -0 -"$group" 2>/dev/null && alive=yes; done
  [ -z "$alive" ] && exit 0
  sleep 0.1 2>/dev/null || sleep 1
  tries=$((tries + 1))
done
for group in $groups; do kill -KILL -"$group" 2>/dev/null; done
`;

/** Keeps the guardian told; starts it with the first group and again if somebody killed it. */
export class Guardian {
  readonly #groups = new Set<number>();
  #shell: ChildProcess | undefined;

  /** From now on the group ends when this process does. */
  guard(pgid: number): void {
    if (process.platform === 'win32') return;
    this.#groups.add(pgid);
    if (this.#shell === undefined) this.#start();
    else this.#tell(`+${pgid}\n`);
  }

  /** The group has ended; its number may be somebody else's soon. */
  forget(pgid: number): void {
    if (this.#groups.delete(pgid)) this.#tell(`-${pgid}\n`);
  }

  /** Lets the guardian end; whatever it still guards ends with it. */
  async close(): Promise<void> {
    const shell = this.#shell;
    this.#shell = undefined;
    if (shell === undefined || shell.exitCode !== null || shell.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => shell.once('exit', () => resolve()));
    shell.ref(); // only now is it something to wait for
    shell.stdin?.end();
    await exited;
  }

  #start(): void {
    // the groups it begins with are arguments: it knows them even if this process dies before it can write a line
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'signalbox-guardian', ...[...this.#groups].map(String)], {
      stdio: ['pipe', 'ignore', 'ignore'],
      // a session of its own: Ctrl-C in the daemon's terminal must not reach it
      detached: true,
      cwd: '/',
      env: { PATH: SYSTEM_PATH },
    });
    this.#shell = shell;
    const gone = (): void => {
      if (this.#shell !== shell) return;
      this.#shell = undefined;
      if (shell.pid !== undefined && this.#groups.size > 0) this.#start();
    };
    shell.once('exit', gone);
    shell.once('error', gone);
    shell.stdin.on('error', () => {}); // it died; `exit` starts another
    shell.unref();
  }

  #tell(line: string): void {
    if (this.#shell?.stdin?.writable === true) this.#shell.stdin.write(line);
  }
}
