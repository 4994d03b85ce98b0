/** The end of a replay or of a comparison, shown in VS Code's own diff editor. */
import type * as VSCode from 'vscode';
import type { ReplayDifference, ReplayReport } from '../../daemon/api/recordings.ts';
import type { TrafficDocuments } from '../traffic/documents.ts';

/** What is shown at once; a thousand differences have one cause. */
const MOST_DIFFERENCES = 200;

/**
 * Shows the differences, all in one editor. A single one opens as an ordinary diff.
 *
 * @returns whether there was something to show
 */
export async function showReport(
  vscode: typeof VSCode,
  documents: TrafficDocuments,
  report: ReplayReport,
  title: string,
): Promise<boolean> {
  const shown = report.differences.filter(isDifferent).slice(0, MOST_DIFFERENCES);
  const pairs = shown.map((difference, index) => {
    const name = `${String(index + 1).padStart(2, '0')} ${difference.kind} ${difference.target ?? difference.method}.json`;
    return {
      name,
      before: documents.make(name, sideText(difference.before, difference)),
      after: documents.make(name, sideText(difference.after, difference)),
    };
  });
  const [first] = pairs;
  if (first === undefined) return false;
  if (pairs.length === 1) await vscode.commands.executeCommand('vscode.diff', first.before, first.after, `${title}: ${first.name}`);
  else
    await vscode.commands.executeCommand(
      'vscode.changes',
      title,
      pairs.map(({ before, after }) => [after, before, after]),
    );
  return true;
}

/** Whether the answers differ: one that took longer on a busy machine is the same answer. */
function isDifferent({ kind }: ReplayDifference): boolean {
  return kind !== 'skipped' && kind !== 'slower';
}

/** One side: the message, or why there is none. */
function sideText(message: object | undefined, { kind, why, changes }: ReplayDifference): string {
  if (message !== undefined) return `${JSON.stringify(message, null, 2)}\n`;
  const places = changes.map(({ pointer }) => pointer);
  return `// ${kind}${why === undefined ? '' : `: ${why}`}${places.length > 0 ? `\n// ${places.join('\n// ')}` : ''}\n`;
}

/** The report in one sentence. */
export function reportWords(report: ReplayReport, t: typeof VSCode.l10n.t): string {
  const differences = report.differences.filter(isDifferent).length;
  const slow = report.differences.filter(({ kind }) => kind === 'slower').length;
  const slower = slow > 0 ? ` ${t('Much slower: {0}.', slow)}` : '';
  const skipped = report.skipped > 0 ? ` ${t('{0} were not sent because they may change something.', report.skipped)}` : '';
  return differences === 0
    ? `${t('{0} answers are the same.', report.equal)}${slower}${skipped}`
    : `${t('Same answers: {0}. Different: {1}.', report.equal, differences)}${slower}${skipped}`;
}
