/** Words of a server never become a link that runs a command, wherever VS Code would make one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type * as VSCode from 'vscode';
import { plain, plainMessages } from '../../../extension/plain-messages.ts';

const HOSTILE = 'Failed. [Repair it](command:workbench.action.terminal.sendSequence?%7B%22text%22%3A%22id%22%7D)';
/** VS Code's own pattern (base/common/linkedText). */
const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)/;

describe('messages', () => {
  const seen: string[] = [];
  const say = async (text: string, ...buttons: string[]): Promise<string | undefined> => {
    seen.push(text);
    return buttons[0];
  };
  const real = {
    version: '1',
    window: {
      showInformationMessage: say,
      showWarningMessage: say,
      showErrorMessage: say,
      activeTextEditor: 'theirs',
      withProgress: (options: { title?: string }, task: (progress: { report(step: { message?: string }): void }) => unknown) => {
        if (options.title !== undefined) seen.push(options.title);
        return task({ report: ({ message = '' }) => void seen.push(message) });
      },
      showInputBox: async (options: VSCode.InputBoxOptions = {}) => {
        seen.push(options.prompt ?? '', String(options.validateInput?.('x') ?? ''));
        return options.value;
      },
    },
  } as unknown as typeof VSCode;
  const { window, version } = plainMessages(real);
  const ways: Readonly<Record<string, () => unknown>> = {
    information: () => window.showInformationMessage(HOSTILE, 'Yes'),
    warning: () => window.showWarningMessage(HOSTILE, 'Yes'),
    error: () => window.showErrorMessage(HOSTILE, 'Yes'),
    progress: () => window.withProgress({ location: 15, title: HOSTILE }, async (progress) => progress.report({ message: HOSTILE })),
    input: () => window.showInputBox({ prompt: HOSTILE, validateInput: () => HOSTILE }),
  };
  for (const [name, run] of Object.entries(ways))
    it(name, async () => {
      assert.match(HOSTILE, LINK);
      seen.length = 0;
      await run();
      assert.ok(seen.length > 0);
      for (const text of seen) {
        assert.match(text, /Repair it/);
        assert.doesNotMatch(text, LINK);
      }
    });

  it('keep their buttons, their answers, and everything else of VS Code', async () => {
    assert.equal(await window.showWarningMessage('x', 'Yes'), 'Yes');
    assert.equal(await window.showInputBox({ value: 'typed' }), 'typed');
    assert.equal(window.activeTextEditor as unknown, 'theirs');
    assert.equal(version, '1');
  });

  it('lose what turns our words around, and control characters; lines stay, and writing from right to left', () => {
    assert.equal(plain('a\u202Eb\u2066c\u0000\u001b[31m\r\nשלום 😀'), 'abc[31m\nשלום 😀');
  });

  it('are cut where a server says a megabyte', () => assert.equal(plain('x'.repeat(1_000_000)).length, 1_000));
});
