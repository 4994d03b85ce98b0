/** Activation: only what is on the list is loaded, nothing is read, opened or started, and everything made is disposed again. */
import assert from 'node:assert/strict';
import childProcess from 'node:child_process';
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import http from 'node:http';
import { registerHooks, syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { SignalboxExtension } from '../../../extension/main.ts';
import { editorDouble, memory } from './editor-double.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const BASE = `${pathToFileURL(ROOT).href}/`;

/** Folders and files activation may load. No package but Node's own modules: `ws`, `jsonc-parser` and the rest come with the first use. */
const ALLOWED: readonly RegExp[] = [
  /^daemon\/api\/[\w-]+\.ts$/,
  /^extension\/(main|commands|log|plain-messages|sessions|short)\.ts$/,
  /^extension\/call\/documents\.ts$/,
  /^extension\/clients\/(connect|plan|previews|tree)\.ts$/,
  /^extension\/daemon\/connection\.ts$/,
  /^extension\/dialogs\/workspace-trust\.ts$/,
  /^extension\/endpoints\/(definitions|visible)\.ts$/,
  /^extension\/servers\/problems\.ts$/,
  /^extension\/views\/(folders|server-node|server-rows|servers|status)\.ts$/,
  // Views and providers of sessions, recordings and tests register themselves.
  /^extension\/(recordings|testing|traffic)\/[\w-]+\.ts$/,
];
const ALLOWED_BUILTINS = ['node:buffer', 'node:crypto', 'node:fs/promises', 'node:os', 'node:path', 'node:url', 'node:util'];

describe('activation', () => {
  const double = editorDouble([], ['/project']);
  const loaded: string[] = [];
  const touched: string[] = [];
  const subscriptions: { dispose(): void }[] = [];
  let returned: SignalboxExtension;
  let watching = false;
  const undo: (() => void)[] = [];

  before(async () => {
    (globalThis as { signalboxVscode?: unknown }).signalboxVscode = double.vscode;
    const names = Object.keys(double.vscode);
    const hooks = registerHooks({
      resolve(specifier, context, next) {
        if (specifier === 'vscode') return { url: 'double:vscode', format: 'module', shortCircuit: true };
        const found = next(specifier, context);
        if (context.parentURL?.startsWith(`${BASE}extension/`) === true || context.parentURL?.startsWith(`${BASE}daemon/`) === true)
          loaded.push(found.url.startsWith(BASE) ? found.url.slice(BASE.length) : found.url);
        return found;
      },
      load(url, context, next) {
        if (url !== 'double:vscode') return next(url, context);
        const source = names.map((name) => `export const ${name} = globalThis.signalboxVscode[${JSON.stringify(name)}];`).join('\n');
        return { format: 'module', source, shortCircuit: true };
      },
    });
    undo.push(() => hooks.deregister());
    for (const [name, module] of Object.entries({ fs, fsPromises, http, net, childProcess }))
      for (const [key, value] of Object.entries(module)) {
        if (typeof value !== 'function' || /^[A-Z]/.test(key)) continue;
        const record = function (this: unknown, ...args: unknown[]): unknown {
          if (watching) touched.push(`${name}.${key}`);
          return Reflect.apply(value as (...all: unknown[]) => unknown, this, args);
        };
        Object.assign(module, { [key]: record });
        undo.push(() => Object.assign(module, { [key]: value }));
      }
    syncBuiltinESMExports();
    const { activate } = await import('../../../extension/main.ts');
    watching = true;
    returned = activate({
      extension: { packageJSON: { version: '0.0.0' } },
      extensionPath: ROOT,
      extensionUri: double.vscode.Uri.file(ROOT),
      workspaceState: memory(),
      globalState: memory(),
      subscriptions,
    } as never);
    watching = false;
  });
  after(() => {
    for (const step of undo.reverse()) step();
    syncBuiltinESMExports();
  });

  it('loads only what is on the list', () => {
    const own = [...new Set(loaded)].filter((url) => !url.startsWith('node:') && url !== 'double:vscode').sort();
    assert.ok(own.includes('extension/views/servers.ts'), 'the hook sees what is loaded');
    assert.deepEqual(
      own.filter((file) => !ALLOWED.some((pattern) => pattern.test(file))),
      [],
    );
    assert.deepEqual(
      [...new Set(loaded)].filter((url) => url.startsWith('node:') && !ALLOWED_BUILTINS.includes(url)),
      [],
    );
  });

  it('reads nothing, opens nothing and starts nothing', () => {
    assert.deepEqual(touched, []);
    assert.equal(returned.daemon.state, 'unknown');
    assert.deepEqual(double.messages, []);
  });

  it('has everything disposed afterwards', () => {
    assert.ok(double.live.size > 20, 'things were made');
    for (const subscription of subscriptions) subscription.dispose();
    assert.deepEqual(
      [...double.live].map((left) => Object.keys(left)),
      [],
    );
  });
});
