/** Every entry of the palette is described with its twin on the command line, and every twin is a command there is. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { COMMANDS as CLI } from '../../../daemon/cli/commands.ts';
import { COMMANDS } from '../../../extension/commands.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
interface Manifest {
  contributes: {
    commands: { command: string; title: string }[];
    menus: Record<string, { command: string }[]>;
    viewsWelcome: { contents: string }[];
    walkthroughs: { steps: { media: { markdown: string } }[] }[];
  };
}

describe('the palette', () => {
  const { contributes } = JSON.parse(read('package.json')) as Manifest;
  const names = JSON.parse(read('package.nls.json')) as Record<string, string>;
  const title = (text: string): string => names[text.replaceAll('%', '')] ?? text;
  const rows = new Map(
    read('docs/vscode.md')
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
      .map((line) => line.split('|').map((cell) => cell.trim()))
      .map(([, name = '', twin = '']) => [name, twin]),
  );
  const verbs = new Set(CLI.flatMap(({ commands }) => commands.map(({ name }) => name)));

  it('has what the manifest names, and nothing else', () => {
    // A row's own button: it makes no sense without its document.
    const inside = ['signalbox.callResult'];
    assert.deepEqual(
      Object.keys(COMMANDS)
        .filter((id) => !inside.includes(id))
        .sort(),
      contributes.commands.map(({ command }) => command).sort(),
    );
  });

  for (const { command, title: key } of contributes.commands)
    it(`${title(key)} has a twin`, () => {
      const twin = rows.get(title(key));
      assert.ok(twin, `${command} is not in docs/vscode.md`);
      const named = [...twin.matchAll(/signalbox ([a-z]+)/g)].map(([, verb]) => verb ?? '');
      assert.ok(named.length > 0);
      assert.deepEqual(
        named.filter((verb) => !verbs.has(verb)),
        [],
      );
    });

  it('is what menus, welcome views and the walkthrough point to', () => {
    const known = new Set(contributes.commands.map(({ command }) => command));
    const inMenus = Object.values(contributes.menus).flatMap((entries) => entries.map(({ command }) => command));
    const inTexts = Object.values(names).flatMap((text) => [...text.matchAll(/\(command:(signalbox\.\w+)\)/g)].map(([, id]) => id ?? ''));
    assert.deepEqual(
      [...inMenus, ...inTexts].filter((id) => !known.has(id)),
      [],
    );
  });

  it('has the pages of the walkthrough, and the command lines on them are commands', () => {
    for (const { media } of contributes.walkthroughs.flatMap(({ steps }) => steps)) {
      const named = [...read(media.markdown).matchAll(/`signalbox ([a-z]+)/g)].map(([, verb]) => verb ?? '');
      assert.deepEqual(
        named.filter((verb) => !verbs.has(verb)),
        [],
        media.markdown,
      );
    }
  });
});
