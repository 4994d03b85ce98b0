/**
 * What a server, a recording or a file says is text. VS Code makes links of `[words](target)` in notifications and below inputs, and runs the command a
 * `command:` link names: one click on a server's words must not do that. All our messages pass here, so no caller can forget it.
 */
import type * as VSCode from 'vscode';
import { short } from './short.ts';

/** Characters a message may have; VS Code shows hardly more, and a server may say megabytes. */
const MOST = 1_000;

/** A text no part of which is a link, cut where it is too long for a message. */
export function plain(text: string): string {
  return short(text, MOST).replaceAll('](', '] (');
}

type Report = VSCode.Progress<{ message?: string; increment?: number }>;
type Task = (progress: Report, token: VSCode.CancellationToken) => Thenable<unknown>;
type Problem = string | VSCode.InputBoxValidationMessage | undefined | null;

/** `vscode` with notifications, their progress, and what stands below inputs as plain text. Everything else is VS Code's own. */
export function plainMessages(vscode: typeof VSCode): typeof VSCode {
  const { window } = vscode;
  const message = (name: 'showInformationMessage' | 'showWarningMessage' | 'showErrorMessage'): PropertyDescriptor => ({
    value: (text: string, ...rest: never[]): unknown => window[name](plain(text), ...rest),
  });
  const own = Object.create(window, {
    showInformationMessage: message('showInformationMessage'),
    showWarningMessage: message('showWarningMessage'),
    showErrorMessage: message('showErrorMessage'),
    withProgress: {
      value: (options: VSCode.ProgressOptions, task: Task): unknown =>
        window.withProgress(options.title === undefined ? options : { ...options, title: plain(options.title) }, (progress, token) =>
          task({ report: (step) => progress.report(step.message === undefined ? step : { ...step, message: plain(step.message) }) }, token),
        ),
    },
    showInputBox: {
      value: (options: VSCode.InputBoxOptions = {}, token?: VSCode.CancellationToken): unknown => {
        const { prompt, validateInput } = options;
        return window.showInputBox(
          {
            ...options,
            ...(prompt === undefined ? {} : { prompt: plain(prompt) }),
            ...(validateInput === undefined ? {} : { validateInput: (value) => plainProblem(validateInput(value)) }),
          },
          token,
        );
      },
    },
  }) as typeof VSCode.window;
  return Object.create(vscode, { window: { value: own } }) as typeof VSCode;
}

function plainProblem(problem: Problem | Thenable<Problem>): Problem | Thenable<Problem> {
  if (typeof problem === 'string') return plain(problem);
  if (typeof problem !== 'object' || problem === null) return problem;
  return 'then' in problem ? problem.then((later) => plainProblem(later) as Problem) : { ...problem, message: plain(problem.message) };
}
