/** The calls made from this workspace, the last one first. */
import type * as VSCode from 'vscode';
import type { ToolCall } from './run.ts';

/** A call that was made. */
export interface PastCall extends ToolCall {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ok: boolean;
}

const KEY = 'signalbox.calls';
const MOST = 50;
/** Characters of arguments that are worth keeping. */
const LARGEST = 16_384;

/** Kept in the workspace's own state, so that one project's arguments do not show in another. */
export class CallHistory {
  readonly #memory: VSCode.Memento;

  constructor(memory: VSCode.Memento) {
    this.#memory = memory;
  }

  get calls(): readonly PastCall[] {
    return this.#memory.get<readonly PastCall[]>(KEY, []);
  }

  /** The arguments a tool was last called with. */
  last(tool: string): ToolCall | undefined {
    return this.calls.find((call) => call.tool === tool);
  }

  /** Remembers a call; the same call again moves to the front. */
  async add(call: PastCall): Promise<void> {
    const text = JSON.stringify(call.arguments);
    if (text.length > LARGEST) return;
    const others = this.calls.filter((known) => known.tool !== call.tool || JSON.stringify(known.arguments) !== text);
    await this.#memory.update(KEY, [call, ...others].slice(0, MOST));
  }

  async clear(): Promise<void> {
    await this.#memory.update(KEY, undefined);
  }
}
