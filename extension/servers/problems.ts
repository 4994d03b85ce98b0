/** What is wrong in a configuration file, at its line, as the daemon sees it: what no schema can know. */
import type * as VSCode from 'vscode';
import type { DaemonConnection } from '../daemon/connection.ts';

/** Keeps VS Code's problems equal to the daemon's. */
export function showProblems(vscode: typeof VSCode, daemon: DaemonConnection): VSCode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection('Signalbox');
  const update = (): void => {
    collection.clear();
    const byFile = Map.groupBy(daemon.status?.problems ?? [], ({ file }) => file);
    for (const [file, problems] of byFile) {
      collection.set(
        vscode.Uri.file(file),
        problems.map(({ line, column, message, fix, code }) => {
          const at = new vscode.Position(Math.max(0, line - 1), Math.max(0, column - 1));
          const diagnostic = new vscode.Diagnostic(
            new vscode.Range(at, at.translate(0, 1)),
            `${message} ${fix}`,
            vscode.DiagnosticSeverity.Error,
          );
          diagnostic.source = 'Signalbox';
          diagnostic.code = code;
          return diagnostic;
        }),
      );
    }
  };
  return vscode.Disposable.from(collection, { dispose: daemon.onChange(update) });
}
