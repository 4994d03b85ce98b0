/** Sends a request a client sent once more, as it was or changed. */
import { SignalboxError } from '../../daemon/api/errors.ts';
import type { TrafficParts } from './parts.ts';

interface Request {
  readonly method: string;
  readonly params?: Record<string, unknown>;
}

/**
 * @param seq any event of the call
 * @param edit ask for the params first
 * @throws SignalboxError `SBX_SESSION_NOT_A_REQUEST` when the event belongs to no request of a client
 */
export async function resend({ vscode, daemon, documents }: TrafficParts, seq: number, edit: boolean): Promise<void> {
  // With secrets: a placeholder is not what the client sent. It stays in this process and the daemon.
  const { event, related } = await daemon.call('sessions/event', { seq, reveal: true });
  const row = [event, ...related].find((each) => each.edge === 'client' && each.type === 'request' && each.direction === 'in');
  const sent =
    row === undefined || row.message !== undefined ? row : (await daemon.call('sessions/event', { seq: row.seq, reveal: true })).event;
  const request = sent?.message as Request | undefined;
  if (request === undefined || sent === undefined)
    throw new SignalboxError('SBX_SESSION_NOT_A_REQUEST', 'This event belongs to no request of a client.', {
      why: 'Only what a client asked can be sent again.',
      fix: 'Select a request, or an answer to one.',
    });
  let params = withoutMeta(request.params ?? {});
  if (edit) {
    const typed = await vscode.window.showInputBox({
      title: vscode.l10n.t('Edit and resend {0}', request.method),
      prompt: vscode.l10n.t('Params as one JSON object'),
      value: JSON.stringify(params),
      ignoreFocusOut: true,
      validateInput: (text) => (parseObject(text) === undefined ? vscode.l10n.t('This is not a JSON object.') : undefined),
    });
    const changed = typed === undefined ? undefined : parseObject(typed);
    if (changed === undefined) return;
    params = changed;
  }
  const endpoint = daemon.status?.endpoints.find(({ url }) => new URL(url).pathname === sent.endpoint);
  const { response } = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Resending {0}', request.method) },
    () =>
      daemon.call('sessions/send', {
        ...(endpoint === undefined ? {} : { endpoint: endpoint.name }),
        ...(endpoint?.workspace === undefined ? {} : { workspace: endpoint.workspace }),
        method: request.method,
        params,
      }),
  );
  await documents.show(`${request.method}-again.json`, JSON.stringify(response, null, 2));
}

/** `_meta` speaks of the client's own connection: its progress token, its version, its name. The one that resends has its own. */
function withoutMeta({ _meta: _, ...params }: Record<string, unknown>): Record<string, unknown> {
  return params;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
