/** One call as a person sees it: progress with a cancel button, questions, log lines in the output channel. */
import { randomUUID } from 'node:crypto';
import type * as VSCode from 'vscode';
import type { CallAnswer, CallEvent } from '../../daemon/api/calls.ts';
import type { DaemonConnection } from '../daemon/connection.ts';
import { askPerson } from './questions.ts';

/** A call to make. */
export interface ToolCall {
  readonly tool: string;
  readonly arguments: Record<string, unknown>;
  readonly endpoint?: string;
  readonly workspace?: string;
}

/**
 * @returns the tool's result as MCP defines it
 * @throws SBX_CALL_CANCELLED when the person cancelled it, and what else the daemon answers
 */
export async function runCall(
  vscode: typeof VSCode,
  daemon: DaemonConnection,
  { tool, ...request }: ToolCall,
  onLog: (line: string) => void,
): Promise<Record<string, unknown>> {
  const client = await daemon.start();
  const call = randomUUID();
  const questions = new Map<string, AbortController>();
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Calling {0}', tool), cancellable: true },
    async (progress, token) => {
      let done = 0;
      const heard = (event: CallEvent): void => {
        if (event.call !== call) return;
        if (event.kind === 'progress') {
          const percent = event.total === undefined || event.total <= 0 ? undefined : (event.progress / event.total) * 100;
          const message = event.message ?? (event.total === undefined ? String(event.progress) : `${event.progress}/${event.total}`);
          progress.report(percent === undefined ? { message } : { message, increment: Math.max(0, percent - done) });
          done = percent ?? done;
        } else if (event.kind === 'log') {
          onLog(`${tool}: ${event.level}: ${typeof event.data === 'string' ? event.data : JSON.stringify(event.data)}`);
        } else if (event.kind === 'withdrawn') questions.get(event.question)?.abort();
        else {
          const over = new AbortController();
          questions.set(event.question, over);
          void askPerson(vscode, tool, event.params, over.signal)
            .catch((): CallAnswer => ({ action: 'cancel' }))
            .then((answer) => (over.signal.aborted ? undefined : client.call('call/answer', { call, question: event.question, answer })))
            .catch(() => undefined); // the call ended meanwhile
        }
      };
      const stop = client.onEvent((name, params) => {
        if (name === 'call') heard(params as CallEvent);
      });
      token.onCancellationRequested(() => void client.call('call/cancel', { call }).catch(() => undefined));
      try {
        return await client.call('call/run', { call, name: tool, ...request });
      } finally {
        stop();
        for (const over of questions.values()) over.abort();
      }
    },
  );
}
