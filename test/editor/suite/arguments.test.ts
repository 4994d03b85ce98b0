/** Arguments as a document: VS Code's own JSON support knows the tool's schema, and the line above it makes the call. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import { ArgumentsDocuments } from '../../../extension/call/arguments-document.ts';
import { MemoryFiles } from '../../../extension/call/documents.ts';

// A scheme of its own: the extension's is taken by the extension.
const SCHEMA = {
  type: 'object',
  required: ['mode'],
  additionalProperties: false,
  properties: { mode: { enum: ['fast', 'slow'] }, where: { $ref: '#/$defs/place' } },
  $defs: { place: { type: 'object', required: ['x'], properties: { x: { type: 'number', description: 'metres' } } } },
};

describe('arguments as a document', () => {
  const subscriptions: vscode.Disposable[] = [];
  let documents: ArgumentsDocuments;
  before(() => {
    const files = new MemoryFiles(vscode, 'signalbox-test');
    documents = new ArgumentsDocuments(vscode, files);
    subscriptions.push(files.register());
  });
  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    for (const subscription of subscriptions) subscription.dispose();
  });

  it('are validated and completed from the schema of the tool', async () => {
    const editor = await documents.open({ tool: 'demo__go', arguments: { mode: 'sideways', where: {} } }, SCHEMA);
    const { document } = editor;
    assert.equal(document.languageId, 'jsonc');
    const problems = await eventually(() => {
      const found = vscode.languages.getDiagnostics(document.uri).map(({ message }) => message);
      return found.length >= 2 ? found : undefined;
    });
    assert.match(problems.join('\n'), /fast|not accepted/);
    assert.match(problems.join('\n'), /Missing property "x"/);
    assert.doesNotMatch(problems.join('\n'), /\$schema/, 'our own line is no mistake');
    const at = document.positionAt(document.getText().indexOf('sideways'));
    const { items } = await vscode.commands.executeCommand<vscode.CompletionList>('vscode.executeCompletionItemProvider', document.uri, at);
    assert.ok(items.some(({ label }) => String(typeof label === 'string' ? label : label.label).includes('slow')));
  });

  it('become the call they stand for, without our own line, and are saved so that closing asks nothing', async () => {
    const editor = await documents.open({ tool: 'demo__go', arguments: { mode: 'fast' } }, SCHEMA);
    const { document } = editor;
    const place = document.positionAt(document.getText().lastIndexOf('}'));
    await editor.edit((edit) => edit.insert(place, ' , "where": { "x": 4 } // there\n'));
    assert.equal(document.isDirty, true);
    assert.deepEqual(await documents.callOf(document), { tool: 'demo__go', arguments: { mode: 'fast', where: { x: 4 } } });
    assert.equal(document.isDirty, false);
    await editor.edit((edit) => edit.insert(document.positionAt(0), 'x'));
    await assert.rejects(documents.callOf(document), /not a JSON object/);
  });
});

async function eventually<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    // Mocha's limit ends a wait in vain.
    await new Promise<void>((resolve) => {
      const subscription = vscode.languages.onDidChangeDiagnostics(() => {
        subscription.dispose();
        resolve();
      });
      setTimeout(() => {
        subscription.dispose();
        resolve();
      }, 250);
    });
  }
}
