/** Read-only documents a preview is shown in. */
import type * as VSCode from 'vscode';

const SCHEME = 'signalbox-preview';
const MOST = 20;

/** Serves the text of previews. */
export class PreviewDocuments implements VSCode.TextDocumentContentProvider {
  readonly #texts = new Map<string, string>();
  #next = 1;

  /** Registers this provider with VS Code. */
  register(vscode: typeof VSCode): VSCode.Disposable {
    return vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  provideTextDocumentContent(uri: VSCode.Uri): string {
    return this.#texts.get(uri.toString()) ?? '';
  }

  /** Makes a read-only document named `name` with `text` in it; the name's ending is its language. */
  create(vscode: typeof VSCode, name: string, text: string): VSCode.Uri {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}`, query: String(this.#next++) });
    this.#texts.set(uri.toString(), text);
    for (const old of this.#texts.keys()) {
      if (this.#texts.size <= MOST) break;
      this.#texts.delete(old);
    }
    return uri;
  }
}
