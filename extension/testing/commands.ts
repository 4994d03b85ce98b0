/** Commands about conformance; spread into the table of `extension/commands.ts`. */
import { dirname, join } from 'node:path';
import type * as VSCode from 'vscode';
import type { ConformanceTests } from './controller.ts';
import type { KnownFinding, TestingParts } from './items.ts';
import { findingId, sentence, sides } from './words.ts';

/** What the table of commands hands over. */
interface CommandContext {
  readonly vscode: typeof VSCode;
  readonly sessions: TestingParts;
  readonly tests: ConformanceTests;
}

type Command = (context: CommandContext, from: unknown) => Promise<unknown>;

const REPORTS = [
  { reporter: 'html', ending: 'html', detail: 'One page, with transcripts' },
  { reporter: 'junit', ending: 'xml', detail: 'For CI' },
  { reporter: 'sarif', ending: 'sarif', detail: 'For code scanning' },
  { reporter: 'json', ending: 'json', detail: 'Everything' },
] as const;

/** Every command; the names are those of `contributes.commands`. */
export const TESTING_COMMANDS: Readonly<Record<string, Command>> = {
  'signalbox.runConformance': ({ sessions, tests }, from) => runConformanceTests(sessions, tests, from),
  'signalbox.replayCounterexample': (context, from) =>
    withFinding(context, from, (known) => replay(context.sessions, context.tests, known)),
  'signalbox.copySeed': (context, from) =>
    withFinding(context, from, async ({ finding }) => {
      await context.vscode.env.clipboard.writeText(String(finding.seed));
      return finding.seed;
    }),
  'signalbox.saveCounterexample': (context, from) =>
    withFinding(context, from, async ({ finding, folder }) => {
      const { file } = await context.sessions.daemon.call('conform/save', { id: finding.id, folder });
      await context.vscode.window.showTextDocument(context.vscode.Uri.file(file));
      return file;
    }),
  'signalbox.exportConformanceReport': ({ sessions, tests }, from) => exportReport(sessions, tests, from),
};

/** Runs one server that the person picks, or that `from` names, and says how it ended. */
async function runConformanceTests(parts: TestingParts, tests: ConformanceTests, from: unknown): Promise<boolean | undefined> {
  const { vscode, daemon } = parts;
  const { l10n, window } = vscode;
  await daemon.start();
  const items = await tests.list();
  const wanted = nameOf(from);
  if (items.length === 0) {
    void window.showInformationMessage(l10n.t('There is no server to choose.'));
    return undefined;
  }
  const item =
    wanted === undefined
      ? (
          await window.showQuickPick(
            items.map((each) => ({ label: each.label, description: each.description ?? '', item: each })),
            { title: l10n.t('Run Conformance Tests'), placeHolder: l10n.t('Server') },
          )
        )?.item
      : items.find(({ label }) => label === wanted);
  if (item === undefined) return undefined;
  tests.last = undefined;
  const failures = await window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: l10n.t('Conformance of {0}', item.label), cancellable: true },
    async (progress, token) => {
      const stop = daemon.onEvent((event, params) => {
        if (event !== 'conform' || !('event' in params) || params.event.type !== 'progress') return;
        const { done, total, property } = params.event;
        progress.report({ message: `${done}/${total} ${property}` });
      });
      try {
        await tests.runServer(item, token);
      } finally {
        stop();
      }
      return (await tests.propertiesOf(item)).filter(([, { name }]) => tests.isFailing(item, name)).length;
    },
  );
  const html = l10n.t('Export Report…');
  const show = l10n.t('Show in Test Explorer');
  const text =
    failures === 0 ? l10n.t('{0}: every property holds.', item.label) : l10n.t('{0}: {1} properties are broken.', item.label, failures);
  // Not awaited: the command has ended.
  void (failures === 0 ? window.showInformationMessage(text, html) : window.showWarningMessage(text, show, html)).then(async (action) => {
    if (action === show) await vscode.commands.executeCommand('workbench.view.testing.focus');
    if (action === html) await vscode.commands.executeCommand('signalbox.exportConformanceReport');
  });
  return failures === 0;
}

/** Sends the counterexample again; the result is shown as a run of its own. */
async function replay(
  { vscode, daemon }: TestingParts,
  tests: ConformanceTests,
  { finding, folder, item }: KnownFinding,
): Promise<boolean> {
  const run = tests.begin(item);
  run.started(item);
  try {
    const { holds, finding: seen = finding } = await daemon.call('conform/replay', { id: finding.id, folder });
    if (holds) {
      run.passed(item);
      void vscode.window.showInformationMessage(vscode.l10n.t('{0} holds now.', finding.requirement));
    } else {
      const { expected, actual } = sides(seen);
      const message = vscode.TestMessage.diff(sentence(seen), expected, actual);
      message.contextValue = 'signalbox.counterexample';
      if (item.uri !== undefined && item.range !== undefined) message.location = new vscode.Location(item.uri, item.range.start);
      run.failed(item, message);
      void vscode.window.showWarningMessage(vscode.l10n.t('{0} is still broken.', finding.requirement));
    }
    return holds;
  } finally {
    run.end();
  }
}

/** @param from `{ reporter, file }` when a task or a test says which and where */
async function exportReport({ vscode, daemon }: TestingParts, tests: ConformanceTests, from: unknown): Promise<string | undefined> {
  const { window, l10n, Uri } = vscode;
  const { last } = tests;
  if (last === undefined) {
    void window.showInformationMessage(l10n.t('Run conformance tests first: the report is of the last run.'));
    return undefined;
  }
  const given = isExport(from) ? from : undefined;
  const picked =
    REPORTS.find(({ reporter }) => reporter === given?.reporter) ??
    (await window.showQuickPick(
      REPORTS.map((each) => ({ ...each, label: each.reporter, detail: l10n.t(each.detail) })),
      { title: l10n.t('Export the report of {0}', last.server) },
    ));
  if (picked === undefined) return undefined;
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? dirname(daemon.status?.configFile ?? '.');
  const uri =
    given === undefined
      ? await window.showSaveDialog({ defaultUri: Uri.file(join(folder, `conformance-${last.server}.${picked.ending}`)) })
      : Uri.file(given.file);
  if (uri === undefined) return undefined;
  const { text } = await daemon.call('conform/report', { run: last.run, reporter: picked.reporter });
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  const open = l10n.t('Open');
  if (given === undefined)
    void window.showInformationMessage(l10n.t('The report is in {0}.', uri.fsPath), open).then((action) => {
      if (action === open) void vscode.env.openExternal(uri);
    });
  return uri.fsPath;
}

/** What a menu of a test message hands over leads to the finding by the last line of its text. */
async function withFinding<T>(
  { vscode, tests }: CommandContext,
  from: unknown,
  run: (known: KnownFinding) => Promise<T>,
): Promise<T | undefined> {
  const known = tests.found(typeof from === 'string' ? from : (findingId(messageText(from)) ?? ''));
  if (known !== undefined) return run(known);
  void vscode.window.showInformationMessage(vscode.l10n.t('Choose the message of a broken requirement in the Test Explorer.'));
  return undefined;
}

function messageText(from: unknown): string {
  const message = typeof from === 'object' && from !== null && 'message' in from ? from.message : undefined;
  const text = typeof message === 'object' && message !== null && 'message' in message ? message.message : undefined;
  if (typeof text === 'string') return text;
  return typeof text === 'object' && text !== null && 'value' in text ? String(text.value) : '';
}

/** A name, or a row of the Servers view. */
function nameOf(from: unknown): string | undefined {
  if (typeof from === 'string') return from;
  const server =
    typeof from === 'object' && from !== null && 'server' in from ? (from.server as { name?: unknown } | undefined)?.name : undefined;
  return typeof server === 'string' ? server : undefined;
}

function isExport(from: unknown): from is { readonly reporter: string; readonly file: string } {
  return typeof from === 'object' && from !== null && 'reporter' in from && 'file' in from && typeof from.file === 'string';
}
