// Run by VS Code after the extension was uninstalled (`vscode:uninstall`), and given about five seconds: takes Signalbox out of every client's configuration and stops
// the daemon. Configuration, recordings and secrets are the person's own and stay.
'use strict';

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const cli = path.join(__dirname, 'cli.mjs');
// In the desktop program process.execPath is Electron; this variable makes it a plain Node.
const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
delete env.NODE_OPTIONS;
for (const words of [['unwire', '--all'], ['stop']]) spawnSync(process.execPath, [cli, ...words], { env, stdio: 'inherit', timeout: 4000 });
