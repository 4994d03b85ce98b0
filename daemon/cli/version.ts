/** `signalbox version`. */
import { CONTROL_PROTOCOL } from '../api/control.ts';
import { installation } from '../lifecycle/installation.ts';
import { positionals } from './arguments.ts';
import type { Command } from './command.ts';

/** `signalbox version`. */
export const versionCommand: Command = {
  name: 'version',
  summary: 'Show the version of this command',
  usage: ['signalbox version'],
  options: {},
  async run(context) {
    positionals('version', context.args, []);
    const { version, build, root } = installation();
    const about = { version, build, node: process.versions.node, protocol: CONTROL_PROTOCOL, root };
    context.result(about, `signalbox ${version} (build ${build}, Node ${process.versions.node})`);
    return 0;
  },
};
