/** One activation of the bundled extension in a process of its own, with a double of the editor: prints `{load, activate, cpu}` in milliseconds. */
import Module from 'node:module';
import { editorDouble, memory } from '../unit/extension/editor-double.ts';

const [, , bundle = '', root = ''] = process.argv;
const double = editorDouble([], ['/project']);
const hidden = Module as unknown as { _load: (request: string, ...rest: unknown[]) => unknown };
const load = hidden._load;
hidden._load = (request, ...rest) => (request === 'vscode' ? double.vscode : load.call(Module, request, ...rest));
const require = Module.createRequire(import.meta.url);
// The extension host has loaded these long before any extension.
for (const builtin of ['node:crypto', 'node:fs/promises', 'node:os', 'node:path']) require(builtin);
const used = process.cpuUsage();
const begun = performance.now();
const { activate } = require(bundle) as { activate(context: object): unknown };
const loaded = performance.now();
activate({
  extension: { packageJSON: { version: '0.0.0' } },
  extensionPath: root,
  extensionUri: double.vscode.Uri.file(root),
  workspaceState: memory(),
  globalState: memory(),
  subscriptions: [],
});
const done = performance.now();
const { user, system } = process.cpuUsage(used);
process.stdout.write(JSON.stringify({ load: loaded - begun, activate: done - loaded, cpu: (user + system) / 1000 }));
process.exit(0);
