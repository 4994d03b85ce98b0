/** "Connect Claude Code…": shows what would be written before anything is, then writes it when the person says so. */
import type * as VSCode from 'vscode';
import type { Cli } from '../daemon/start.ts';

/** Scheme of the read-only documents a preview is shown in. */
const SCHEME = 'signalbox-preview';

/** The fields of `wire claude-code --preview --json` that a preview needs. */
interface WiringPreview {
  readonly file?: string;
  readonly before?: string | null;
  readonly after?: string;
}

/** Serves the two sides of a preview; register it once. */
export class PreviewDocuments implements VSCode.TextDocumentContentProvider {
  readonly #texts = new Map<string, string>();

  /** Registers this provider with VS Code. */
  register(vscode: typeof VSCode): VSCode.Disposable {
    return vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  provideTextDocumentContent(uri: VSCode.Uri): string {
    return this.#texts.get(uri.toString()) ?? '';
  }

  /** Makes a document named `path` with `text` in it. */
  show(vscode: typeof VSCode, path: string, side: 'before' | 'after', text: string): VSCode.Uri {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: path.startsWith('/') ? path : `/${path}`, query: `${side}-${this.#texts.size}` });
    this.#texts.set(uri.toString(), text);
    return uri;
  }
}

/**
 * @param documents where the preview is shown
 * @returns whether it was written
 */
export async function connectClaudeCode(vscode: typeof VSCode, cli: Cli, documents: PreviewDocuments): Promise<boolean> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const options = folder?.scheme === 'file' ? { cwd: folder.fsPath } : {};
  const preview = (await cli(['wire', 'claude-code', '--preview'], options)) as WiringPreview;
  await showPreview(vscode, documents, preview);
  const action = await vscode.window.showInformationMessage(
    'Connect Claude Code to Signalbox as shown? The present file is backed up and `signalbox wire claude-code --undo` restores it.',
    'Write',
  );
  if (action === undefined) return false;
  await cli(['wire', 'claude-code'], options);
  void vscode.window.showInformationMessage('Claude Code is connected to Signalbox. Start a new Claude Code session to see its tools.');
  return true;
}

async function showPreview(vscode: typeof VSCode, documents: PreviewDocuments, preview: WiringPreview): Promise<void> {
  if (preview.file !== undefined && preview.after !== undefined) {
    const before = documents.show(vscode, preview.file, 'before', preview.before ?? '');
    const after = documents.show(vscode, preview.file, 'after', preview.after);
    await vscode.commands.executeCommand('vscode.diff', before, after, `Connect Claude Code: ${preview.file}`, { preview: true });
    return;
  }
  // Claude Code's own command line will do the writing: there is no file of ours to compare.
  const uri = documents.show(vscode, 'connect-claude-code.json', 'after', JSON.stringify(preview, null, 2));
  await vscode.window.showTextDocument(uri, { preview: true });
}
