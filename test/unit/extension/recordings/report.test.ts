import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReplayDifference, ReplayReport } from '../../../../daemon/api/recordings.ts';
import { reportWords, showReport } from '../../../../extension/recordings/report.ts';

const difference = (kind: ReplayDifference['kind'], facts: Partial<ReplayDifference> = {}): ReplayDifference => ({
  kind,
  method: 'tools/call',
  target: 'read',
  changes: [],
  ...facts,
});
const report = (...differences: ReplayDifference[]): ReplayReport => ({
  recording: 'r',
  against: 'files',
  equal: 4,
  differences,
  skipped: differences.filter(({ kind }) => kind === 'skipped').length,
  same: [],
  ignored: [],
  ms: 1,
});
const t = ((text: string, ...values: unknown[]) => text.replaceAll(/\{(\d)\}/g, (_, index) => String(values[Number(index)]))) as never;

/** Shows a report and returns the commands and the texts of the documents. */
async function show(given: ReplayReport): Promise<{ shown: boolean; commands: unknown[][]; texts: string[] }> {
  const commands: unknown[][] = [];
  const texts: string[] = [];
  const vscode = { commands: { executeCommand: async (...words: unknown[]) => void commands.push(words) } };
  const documents = { make: (name: string, text: string) => `${texts.push(text)} ${name}` };
  return { shown: await showReport(vscode as never, documents as never, given, 'title'), commands, texts };
}

describe('the end of a replay', () => {
  it('opens one difference as a diff and several in one editor', async () => {
    const changed = difference('changed', { before: { a: 1 }, after: { a: 2 } });
    const one = await show(report(changed));
    assert.deepEqual(
      one.commands.map(([command]) => command),
      ['vscode.diff'],
    );
    assert.deepEqual(one.texts, ['{\n  "a": 1\n}\n', '{\n  "a": 2\n}\n']);
    const two = await show(report(changed, difference('missing', { before: { a: 1 }, why: 'No answer came.' })));
    assert.deepEqual(
      two.commands.map(([command]) => command),
      ['vscode.changes'],
    );
    assert.equal((two.commands[0]?.[2] as unknown[]).length, 2);
    assert.match(two.texts[3] ?? '', /^\/\/ missing: No answer came\./);
  });

  it('shows nothing when the answers are the same, however slow, and says what was not sent', async () => {
    const same = report(difference('slower'), difference('skipped'));
    assert.deepEqual(await show(same), { shown: false, commands: [], texts: [] });
    assert.equal(reportWords(same, t), '4 answers are the same. Much slower: 1. 1 were not sent because they may change something.');
    assert.equal(reportWords(report(difference('extra')), t), 'Same answers: 4. Different: 1.');
  });
});
