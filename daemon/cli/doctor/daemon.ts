/** The doctor's checks of the daemon: its runtime file, its port, whether it proves itself, its version, its servers. */
import { connect } from 'node:net';
import type { DaemonStatus } from '../../api/control.ts';
import { type ErrorCode, errorShape } from '../../api/errors.ts';
import type { Paths } from '../../api/paths.ts';
import { installation } from '../../lifecycle/installation.ts';
import { locate } from '../../lifecycle/locate.ts';
import { rememberedPort } from '../../lifecycle/port.ts';
import { openControl } from '../connection.ts';
import { type Finding, ok, trouble } from './finding.ts';

/** What was found, and the daemon's status when it could be asked. */
export interface DaemonCheck {
  readonly findings: readonly Finding[];
  readonly status?: DaemonStatus;
}

/** Looks for the daemon and asks it. */
export async function checkDaemon(paths: Paths): Promise<DaemonCheck> {
  const location = await locate(paths);
  switch (location.state) {
    case 'none':
      return { findings: [ok('daemon', 'does not run; `signalbox up` starts it'), ...(await portFindings(paths))] };
    case 'stale': {
      const { pid, port } = location.runtime;
      const stale = trouble(
        'warn',
        'daemon',
        'SBX_RUNTIME_STALE',
        `The runtime file ${paths.runtimeFile} is stale.`,
        `It names process ${pid} on port ${port}, where nothing listens: that daemon was killed.`,
        'Run `signalbox up`; it cleans up what the last one left.',
      );
      return { findings: [stale] };
    }
    case 'stranger': {
      const { port } = location.runtime;
      const stranger = trouble(
        'fail',
        'daemon',
        'SBX_IDENTITY',
        `What listens on port ${port} is not your daemon, or hangs.`,
        'It did not prove that it knows the control token; nothing was sent to it.',
        `Run \`signalbox up\`, which takes another port. To see who has this one: \`lsof -i :${port}\`.`,
      );
      return { findings: [stranger] };
    }
    case 'running':
      break;
  }
  try {
    const client = await openControl(location.runtime);
    const status = await client.call('status', {});
    client.close();
    return {
      findings: [ok('daemon', `runs and proved itself (pid ${status.pid}, port ${status.port})`), ...statusFindings(status)],
      status,
    };
  } catch (error) {
    const { code, message, cause, fix } = errorShape(error);
    return { findings: [trouble('fail', 'daemon', code, message, cause, fix)] };
  }
}

/** The port of the last run, when no daemon has it. */
async function portFindings(paths: Paths): Promise<Finding[]> {
  const port = rememberedPort(paths);
  if (port === undefined || !(await isTaken(port))) return [];
  return [
    trouble(
      'fail',
      'port',
      'SBX_PORT_TAKEN',
      `Port ${port}, which your clients know, is taken by another program.`,
      'It listens on 127.0.0.1 while the daemon does not run.',
      `End it (\`lsof -i :${port}\` names it), or start the daemon anyway: it takes another port, and only clients that hold the URL must be wired again.`,
    ),
  ];
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const settle = (taken: boolean): void => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

function statusFindings(status: DaemonStatus): Finding[] {
  const findings: Finding[] = [];
  if (status.portNote !== undefined)
    findings.push(
      trouble(
        'warn',
        'port',
        'SBX_PORT_TAKEN',
        status.portNote,
        'A stranger had the remembered port at the start.',
        'Free it and run `signalbox restart`.',
      ),
    );
  const { version, build } = installation();
  if (status.version !== version || status.build !== build)
    findings.push(
      trouble(
        'warn',
        'version',
        'SBX_DAEMON_VERSION',
        `The daemon is ${status.version} (build ${status.build}), this command ${version} (build ${build}).`,
        'One of them was updated while the daemon ran.',
        'Run `signalbox restart` with the newer one.',
      ),
    );
  for (const { name, workspace, state, reason, problems = [] } of status.servers) {
    const where = workspace === undefined ? name : `${name} (${workspace})`;
    for (const { code, message, cause, fix } of problems)
      findings.push(trouble('warn', `server ${where}`, code as ErrorCode, message, cause, fix));
    if (reason === undefined || state === 'disabled') continue;
    findings.push(
      trouble('fail', `server ${where}`, reason.code as ErrorCode, `It is ${state}: ${reason.message}`, reason.cause, reason.fix),
    );
  }
  return findings;
}
