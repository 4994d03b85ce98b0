/** `signalbox doctor`: looks for the usual trouble and says the fix. */
import { ChildEnvironments } from '../lifecycle/environment.ts';
import { installation } from '../lifecycle/installation.ts';
import { positionals } from './arguments.ts';
import type { Command } from './command.ts';
import { configurationFindings } from './doctor/configuration.ts';
import { checkDaemon } from './doctor/daemon.ts';
import type { Finding } from './doctor/finding.ts';
import { claudeFinding, environmentFinding, launcherFinding, nodeFinding, stateFinding } from './doctor/machine.ts';

const MARKS = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const;

/** `signalbox doctor`. */
export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Look for the usual trouble and say how to fix it',
  usage: ['signalbox doctor'],
  options: {},
  details: ['Exit code 1 when something fails. It starts each stdio server of your configuration for a moment, apart from the daemon.'],
  async run(context) {
    positionals('doctor', context.args, []);
    const environments = new ChildEnvironments();
    const daemon = await checkDaemon(context.paths);
    const findings = onceEach([
      nodeFinding(),
      stateFinding(context.paths),
      ...daemon.findings,
      ...(await configurationFindings(daemon.status?.configFile ?? context.paths.configFile, daemon.status?.problems ?? [], environments)),
      await environmentFinding(environments),
      launcherFinding(context.paths),
      claudeFinding(context.env),
    ]);
    const failed = findings.filter(({ status }) => status === 'fail').length;
    const { version, build } = installation();
    context.result({ version, build, platform: `${process.platform} ${process.arch}`, ok: failed === 0, findings }, () =>
      findingsText(findings),
    );
    return failed === 0 ? 0 : 1;
  },
};

/** A server that is down in the daemon usually fails its private start for the same reason: said once. */
function onceEach(findings: readonly Finding[]): Finding[] {
  const said = new Set<string>();
  return findings.filter(({ check, code, status }) => {
    const key = `${check} ${code}`;
    if (status === 'ok' || check === 'config' || !said.has(key)) {
      said.add(key);
      return true;
    }
    return false;
  });
}

function findingsText(findings: readonly Finding[]): string {
  const lines = findings.map(({ status, check, what, code, why, fix }) => {
    const head = `${MARKS[status]} ${check}: ${code === undefined ? '' : `${code}: `}${what}`;
    return [head, ...(why === undefined ? [] : [`       why: ${why}`]), ...(fix === undefined ? [] : [`       fix: ${fix}`])].join('\n');
  });
  const count = (status: Finding['status']): number => findings.filter((finding) => finding.status === status).length;
  const verdict = count('fail') + count('warn') === 0 ? 'All is well.' : `${count('fail')} failed, ${count('warn')} to look at.`;
  return [...lines, '', verdict].join('\n');
}
