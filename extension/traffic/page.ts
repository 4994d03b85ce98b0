/** The document of the traffic webview. */

import { randomBytes } from 'node:crypto';
import type * as VSCode from 'vscode';

/**
 * The page: nothing but our own script and style may run or load, and what servers say is only ever put in as text.
 *
 * @param extension folder of the extension
 */
export function trafficPage(vscode: typeof VSCode, webview: VSCode.Webview, extension: VSCode.Uri): string {
  const nonce = randomBytes(16).toString('base64');
  const file = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(extension, 'dist', name)).toString();
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="${vscode.env.language}">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${policy}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Signalbox Traffic</title>
  <link rel="stylesheet" href="${file('traffic.css')}">
</head>
<body>
  <main id="traffic"></main>
  <script nonce="${nonce}" src="${file('traffic.js')}"></script>
</body>
</html>`;
}
