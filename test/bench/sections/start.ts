/** From the start of the daemon to the first list with every tool: cold, and from what it remembers. */
import { spawn } from 'node:child_process';
import { descendants } from '../../fixtures/process-tree.ts';
import { openSession } from '../daemon.ts';
import { median } from '../measure.ts';
import { figure, type Goal, type Section } from '../report.ts';
import { everyTool, manyServers, startDirectly } from '../servers.ts';
import type { Context } from './context.ts';

/** The section. */
export async function start(context: Context): Promise<Section> {
  const rows: string[][] = [];
  const goals: Goal[] = [];
  for (const servers of [10, 50]) {
    const node: number[] = [];
    const direct: number[] = [];
    const cold: number[] = [];
    const warm: number[] = [];
    const served: number[] = [];
    let coldAsked = 0;
    let warmFirst = 0;
    let running = 0;
    for (let round = 0; round < (context.quick ? 2 : context.rounds); round++) {
      context.say(`start: ${servers} servers, round ${round + 1}`);
      node.push(await emptyNode());
      direct.push(await startDirectly(servers));
      const daemon = context.daemon({});
      try {
        // once without servers, for the port and the token
        await daemon.start();
        const target = await daemon.target();
        await daemon.stop();
        daemon.configure(manyServers(servers));
        let begun = performance.now();
        await daemon.start();
        coldAsked = (await everyTool(await openSession(target), servers)).asked;
        cold.push(performance.now() - begun);
        await daemon.stop();
        begun = performance.now();
        await daemon.start();
        served.push(performance.now() - begun);
        const session = await openSession(target);
        const { first } = await everyTool(session, servers);
        warm.push(performance.now() - begun);
        warmFirst = first;
        running = descendants(daemon.pid).filter(({ command }) => command.includes('echo.ts')).length;
      } finally {
        await daemon.remove();
      }
    }
    rows.push([
      String(servers),
      figure(median(node)),
      figure(median(direct)),
      figure(median(cold)),
      String(coldAsked),
      figure(median(served)),
      figure(median(warm)),
      `${warmFirst} of ${servers * 24}`,
      String(running),
    ]);
    goals.push({
      what: `tools in the first list after a restart with ${servers} servers`,
      goal: `${servers * 24}, before a server has started`,
      measured: `${warmFirst}, ${running} started by then`,
      met: warmFirst === servers * 24 && running === 0,
    });
  }
  return {
    title: 'Start',
    text: [
      'Milliseconds from the start of the daemon’s process to the answer of a `tools/list` with all tools (24 per server, stdio): **cold** with',
      'nothing remembered, **restarted** on the same state. Beside it: an empty Node program, and the same servers started all at once without',
      'anything between them and the reader.',
    ].join('\n'),
    head: [
      'servers',
      'empty Node',
      'servers alone',
      'cold',
      'lists asked',
      'restarted: serving',
      'restarted: all tools',
      'tools in first list',
      'servers running then',
    ],
    rows,
    goals,
  };
}

/** Milliseconds an empty program takes. */
async function emptyNode(): Promise<number> {
  const begun = performance.now();
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  return performance.now() - begun;
}
