/** Read-only documents: frames, answers, transcripts, what a replay got. They are kept until the window closes the tab. */
import type * as VSCode from 'vscode';

const SCHEME = 'signalbox-traffic';

/** Serves texts made here. Register it once. */
export class TrafficDocuments {
  readonly #vscode: typeof VSCode;
  readonly #texts = new Map<string, string>();
  readonly #registration: VSCode.Disposable;
  #made = 0;

  constructor(vscode: typeof VSCode) {
    this.#vscode = vscode;
    this.#registration = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
        provideTextDocumentContent: (uri) => this.#texts.get(uri.toString()) ?? '',
      }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.#texts.delete(uri.toString())),
    );
  }

  dispose(): void {
    this.#registration.dispose();
    this.#texts.clear();
  }

  /** A document named `name`; its ending chooses the language. */
  make(name: string, text: string): VSCode.Uri {
    const path = `/${name.replaceAll(/[^\w.@ ()-]+/g, '_')}`;
    const uri = this.#vscode.Uri.from({ scheme: SCHEME, path, query: String(++this.#made) });
    this.#texts.set(uri.toString(), text);
    return uri;
  }

  /** Makes it and shows it. */
  async show(name: string, text: string): Promise<void> {
    await this.#vscode.window.showTextDocument(this.make(name, text), { preview: true });
  }

  /** Shows two texts in VS Code's diff editor. */
  async compare(title: string, before: { name: string; text: string }, after: { name: string; text: string }): Promise<void> {
    await this.#vscode.commands.executeCommand(
      'vscode.diff',
      this.make(before.name, before.text),
      this.make(after.name, after.text),
      title,
      {
        preview: true,
      },
    );
  }
}
