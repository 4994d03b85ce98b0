/** "Connect Claude Code…": shows what would be written before anything is, then writes it when the person says so. */
import type * as VSCode from 'vscode';
import type { Cli } from '../daemon/start.ts';

/** Scheme of the read-only documents a preview is shown in. */
const SCHEME = 'signalbox-preview';

/** The fields of `wire claude-code --preview --json` that a preview needs. */
export interface WiringPlan {
  /** Claude Code's file, absolute. */
  readonly file: string;
  /** `command`: Claude Code's own command line does it; `file`: Signalbox changes the file; `none`: it is there already. */
  readonly method: 'command' | 'file' | 'none';
  readonly command?: string;
  /** Unified diff. */
  readonly diff?: string;
}

/** Serves the text of previews; register it once. */
export class PreviewDocuments implements VSCode.TextDocumentContentProvider {
  readonly #texts = new Map<string, string>();

  /** Registers this provider with VS Code. */
  register(vscode: typeof VSCode): VSCode.Disposable {
    return vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  provideTextDocumentContent(uri: VSCode.Uri): string {
    return this.#texts.get(uri.toString()) ?? '';
  }

  /** Makes a read-only document named `name` with `text` in it. */
  create(vscode: typeof VSCode, name: string, text: string): VSCode.Uri {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}`, query: String(this.#texts.size) });
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
  const plan = (await cli(['wire', 'claude-code', '--preview'], options)) as WiringPlan;
  if (plan.method === 'none') {
    void vscode.window.showInformationMessage(`Claude Code is already connected to Signalbox (${plan.file}).`);
    return false;
  }
  await vscode.window.showTextDocument(documents.create(vscode, 'Connect Claude Code.diff', previewText(plan)), { preview: true });
  const action = await vscode.window.showInformationMessage(
    'Connect Claude Code to Signalbox as shown? The present file is backed up and `signalbox wire claude-code --undo` restores it.',
    'Write',
  );
  if (action === undefined) return false;
  await cli(['wire', 'claude-code'], options);
  void vscode.window.showInformationMessage('Claude Code is connected to Signalbox. Start a new Claude Code session to see its tools.');
  return true;
}

/** What will happen, as a document a person can read: the command line, or the change of the file as a unified diff. */
export function previewText(plan: WiringPlan): string {
  return plan.command === undefined
    ? `# This would be changed in ${plan.file}\n\n${plan.diff ?? ''}`
    : `# This command would be run; it writes to ${plan.file}\n\n${plan.command}\n`;
}
