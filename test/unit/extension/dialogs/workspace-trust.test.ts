/** VS Code's trust prompt feeds the daemon's record, for the file as it is at that moment and no other. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TrustState } from '../../../../daemon/api/config.ts';
import type { DaemonConnection } from '../../../../extension/daemon/connection.ts';
import { watchWorkspaces } from '../../../../extension/dialogs/workspace-trust.ts';
import { editorDouble } from '../editor-double.ts';

function window(trust: TrustState, { trusted, running = true }: { trusted: boolean; running?: boolean }) {
  const double = editorDouble([], ['/project']);
  const asked: string[] = [];
  let now = trust;
  let grant: () => void = () => undefined;
  let change: (what: readonly string[]) => void = () => undefined;
  const vscode = {
    ...double.vscode,
    workspace: {
      ...double.vscode.workspace,
      isTrusted: trusted,
      onDidGrantWorkspaceTrust: (listener: () => void) => {
        grant = listener;
        return { dispose: () => undefined };
      },
    },
  } as unknown as typeof double.vscode;
  const daemon = {
    state: running ? 'running' : 'stopped',
    onChange: (listener: (what: readonly string[]) => void) => {
      change = listener;
      return () => undefined;
    },
    call: async (method: string, params: { trusted?: boolean }) => {
      asked.push(params.trusted === undefined ? method : `${method} ${params.trusted}`);
      if (method === 'workspace/trust') now = 'trusted';
      return { folder: '/project', id: 'p', trust: now, preview: [] };
    },
  } as unknown as DaemonConnection;
  const errors: unknown[] = [];
  watchWorkspaces(vscode, daemon, (error) => errors.push(error));
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    assert.deepEqual(errors, []);
  };
  return {
    asked,
    messages: double.messages,
    grant: async () => {
      (vscode.workspace as { isTrusted: boolean }).isTrusted = true;
      grant();
      await settle();
    },
    change: async (...what: string[]) => {
      change(what);
      await settle();
    },
  };
}

describe('trust', () => {
  it('given in VS Code is given to the daemon, and said', async () => {
    const seen = window('untrusted', { trusted: false });
    await seen.change('workspaces');
    assert.deepEqual(seen.asked, [], 'before that the file is not even looked at');
    await seen.grant();
    assert.deepEqual(seen.asked.slice(0, 2), ['workspace/open', 'workspace/trust true']);
    assert.match(seen.messages.join(), /active now/);
  });

  it('does not cover a file that changed since it was trusted: that is asked', async () => {
    const seen = window('changed', { trusted: false });
    await seen.grant();
    assert.equal(seen.asked.includes('workspace/trust true'), false);
    assert.match(seen.messages.join(), /has changed and is suspended/);
  });

  it('asks for a new configuration of a folder VS Code trusts already, once', async () => {
    const seen = window('untrusted', { trusted: true });
    await seen.change('workspaces');
    await seen.change('workspaces');
    assert.deepEqual(seen.messages, ['This folder has a Signalbox configuration. It is inactive until you trust it.']);
    assert.equal(seen.asked.includes('workspace/trust true'), false);
  });

  it('has nothing to tell where no daemon runs: none is started for it', async () => {
    const seen = window('untrusted', { trusted: false, running: false });
    await seen.grant();
    assert.deepEqual(seen.asked, []);
  });
});
