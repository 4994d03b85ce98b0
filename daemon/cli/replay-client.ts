/** `signalbox replay R --as client`: what was said is said again to a live server, and its answers are compared. */
import type { CommandContext, Option } from './command.ts';

/** Its flags, beside `--server`. */
export const REPLAY_CLIENT_OPTIONS: Readonly<Record<string, Option>> = {
  against: {
    type: 'string',
    value: 'TARGET',
    summary:
      'client: a URL, `endpoint:NAME` or `server:NAME` of the daemon; a command stands behind `--`; default: the endpoint it was recorded at, else `default`',
  },
  workspace: { type: 'string', short: 'w', value: 'DIR', summary: 'client: the workspace of --against' },
  header: { type: 'string', value: 'NAME: VALUE', multiple: true, summary: 'client: an HTTP header of every request to a URL' },
  'allow-writes': { type: 'boolean', summary: 'client: send also what may change something' },
  allow: {
    type: 'string',
    value: 'TOOL',
    multiple: true,
    summary: 'client: call this tool too, though it does not say that it only reads',
  },
  rules: { type: 'string', value: 'FILE', summary: 'client: what counts; default: .signalbox/replay.jsonc of the nearest folder above' },
  volatile: { type: 'string', value: 'POINTER', multiple: true, summary: 'client: a place of the answers whose value does not count' },
  exact: { type: 'string', value: 'POINTER', multiple: true, summary: 'client: a place that counts though it looks like an id or a time' },
  notifications: { type: 'string', value: 'WHICH', summary: 'client: which count: requests (default), all, none' },
  slower: { type: 'string', value: 'FACTOR', summary: 'client: how many times as long an answer may take; default: 3' },
  'slower-floor': { type: 'string', value: 'MS', summary: 'client: how much longer it may always take; default: 200' },
  'fail-on-slower': { type: 'boolean', summary: 'client: exit code 1 also when something became slower' },
  'fail-on-skipped': { type: 'boolean', summary: 'client: exit code 1 also when something was not sent' },
  timeout: { type: 'string', value: 'MS', summary: 'client: longest wait for an answer; default: 30000' },
  update: { type: 'boolean', summary: 'client: accept the answers as a new version of the recording; the old one is kept' },
  reporter: { type: 'string', value: 'KIND', summary: 'client: pretty (default), json or junit' },
  output: { type: 'string', value: 'FILE', summary: 'client: write the report there' },
};

/**
 * Plays the client.
 * @param target what stands behind the recording: words of a command line, or the name that belongs to `--against server`
 * @returns 1 when something differs
 */
export async function replayAsClientCommand(context: CommandContext, recording: string, target: readonly string[]): Promise<number> {
  // Whoever plays the server need not have the comparison in memory.
  const { runReplayClient } = await import('./replay-client/run.ts');
  return runReplayClient(context, recording, target);
}
