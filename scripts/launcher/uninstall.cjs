// Run by VS Code after the extension was uninstalled (`vscode:uninstall`): takes Signalbox out of every client's configuration and stops the daemon.
// Configuration, recordings and secrets are the person's own and stay.
'use strict';

const { spawn } = require('node:child_process');
const path = require('node:path');

const cli = path.join(__dirname, 'cli.mjs');
// In the desktop program process.execPath is Electron; this variable makes it a plain Node.
const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
delete env.NODE_OPTIONS;
// Both at once and in groups of their own: VS Code ends this script after about five seconds, and they finish all the same.
for (const words of [['unwire', '--all'], ['stop']])
  spawn(process.execPath, [cli, ...words], { env, stdio: 'ignore', detached: true, windowsHide: true });
