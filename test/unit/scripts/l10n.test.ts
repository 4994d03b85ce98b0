/** No string a person sees in VS Code is missing in English or in German. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bundle, manifestKeys, sourceStrings } from '../../../scripts/l10n.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const places = (text: string): string[] => [...text.matchAll(/\{\d+\}/g)].map(([place]) => place).sort();
const commands = (text: string): string[] => [...text.matchAll(/\(command:[^)]+\)/g)].map(([link]) => link).sort();

describe('the strings of the source', () => {
  const strings = sourceStrings(ROOT);
  const texts = [...new Set(strings.flatMap(({ text }) => text ?? []))].sort();
  it('are literals: nothing else can be collected', () => {
    assert.ok(texts.length > 100, 'they were found at all');
    assert.deepEqual(
      strings.filter(({ text }) => text === undefined),
      [],
    );
  });
  for (const file of ['l10n/bundle.l10n.json', 'l10n/bundle.l10n.de.json'])
    it(`are all in ${file}, and nothing else is (\`node scripts/run.cjs scripts/l10n.ts\` says which)`, () => {
      const known = bundle(file, ROOT);
      assert.deepEqual(Object.keys(known).sort(), texts);
      for (const [text, translated] of Object.entries(known)) assert.deepEqual(places(translated), places(text), text);
    });
});

describe('the strings of the manifest', () => {
  const keys = [...new Set(manifestKeys(ROOT))].sort();
  const english = bundle('package.nls.json', ROOT);
  for (const file of ['package.nls.json', 'package.nls.de.json'])
    it(`are all in ${file}, and nothing else is`, () => {
      const known = bundle(file, ROOT);
      assert.deepEqual(Object.keys(known).sort(), keys);
      for (const [key, text] of Object.entries(known)) assert.deepEqual(commands(text), commands(english[key] ?? ''), key);
    });
  it('are no literals where people read them', async () => {
    const { default: manifest } = (await import('../../../package.json', { with: { type: 'json' } })) as {
      default: {
        contributes: { commands: { title: string }[]; views: { signalbox: { name: string }[] }; viewsWelcome: { contents: string }[] };
      };
    };
    const { commands: all, views, viewsWelcome } = manifest.contributes;
    const shown = [
      ...all.map(({ title }) => title),
      ...views.signalbox.map(({ name }) => name),
      ...viewsWelcome.map(({ contents }) => contents),
    ];
    assert.deepEqual(
      shown.filter((text) => !/^%[\w.-]+%$/.test(text)),
      [],
    );
  });
});
