/** The output channel "Signalbox": the extension's own lines, the daemon's log, and every error with its cause and fix. */
import type * as VSCode from 'vscode';
import type { ControlEvents } from '../daemon/api/control.ts';
import { errorShape } from '../daemon/api/errors.ts';
import type { DaemonConnection } from './daemon/connection.ts';

/** How much of the daemon's log "Show Log" fetches. */
const TAIL_LINES = 200;

/** Wraps the LogOutputChannel. */
export class Log {
  readonly #vscode: typeof VSCode;
  readonly #channel: VSCode.LogOutputChannel;
  readonly #servers = new Map<string, VSCode.OutputChannel>();

  constructor(vscode: typeof VSCode) {
    this.#vscode = vscode;
    this.#channel = vscode.window.createOutputChannel('Signalbox', { log: true });
  }

  dispose(): void {
    this.#channel.dispose();
    for (const channel of this.#servers.values()) channel.dispose();
  }

  /** A line of the daemon's log, as it happens. */
  daemon({ level, message }: ControlEvents['log']): void {
    this.#channel[level](message);
  }

  /** A line of ours. */
  line(text: string): void {
    this.#channel.info(text);
  }

  /** Shows the last lines a server wrote to standard error, in a channel of its own; returns them. */
  server(name: string, lines: readonly string[]): readonly string[] {
    const channel = this.#servers.get(name) ?? this.#vscode.window.createOutputChannel(`Signalbox: ${name}`);
    this.#servers.set(name, channel);
    channel.replace(lines.length === 0 ? this.#vscode.l10n.t('{0} has written nothing to standard error.', name) : `${lines.join('\n')}\n`);
    channel.show(true);
    return lines;
  }

  /** One more line of a server's, when its channel is there. */
  serverLine(name: string, line: string): void {
    this.#servers.get(name)?.appendLine(line);
  }

  /** Logs an error completely and shows what happened and what to do. */
  report(error: unknown): void {
    const shape = errorShape(error);
    this.note(error);
    const show = this.#vscode.l10n.t('Show Log');
    void this.#vscode.window.showErrorMessage(`${shape.message} ${shape.fix} (${shape.code})`, show).then((action) => {
      if (action !== undefined) this.#channel.show();
    });
  }

  /** Logs an error that nobody waits for. */
  note(error: unknown): void {
    const shape = errorShape(error);
    this.#channel.error(`${shape.code}: ${shape.message}\n  why: ${shape.cause}\n  fix: ${shape.fix}`);
  }

  /** Shows the channel, with the end of the daemon's own log when one runs. */
  async show(daemon: DaemonConnection): Promise<void> {
    this.#channel.show();
    const client = await daemon.find();
    if (client === undefined) {
      this.#channel.info(this.#vscode.l10n.t('The daemon is not running.'));
      return;
    }
    const { lines } = await client.call('logs/tail', { lines: TAIL_LINES });
    this.#channel.info(`${this.#vscode.l10n.t("Last {0} lines of the daemon's log:", lines.length)}\n${lines.join('\n')}`);
  }
}
