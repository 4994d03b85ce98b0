/** What a tool asks in the middle of a call (MCP, "Elicitation"), answered in VS Code's own inputs. */
import type * as VSCode from 'vscode';
import type { CallAnswer } from '../../daemon/api/calls.ts';
import { type FormNode, formOf, type Schema } from '../../daemon/api/form.ts';
import { fillObject } from './form.ts';

/**
 * @param params of the `elicitation/create` request
 * @param over aborted when the question is taken back or the call ends
 */
export async function askPerson(
  vscode: typeof VSCode,
  tool: string,
  params: Readonly<Record<string, unknown>>,
  over: AbortSignal,
): Promise<CallAnswer> {
  const { l10n } = vscode;
  const { message, requestedSchema, url } = params;
  const text = typeof message === 'string' ? message : l10n.t('The tool asks for something.');
  if (typeof url === 'string') return askPage(vscode, tool, text, url);
  const schema: Schema = { type: 'object', ...(typeof requestedSchema === 'object' ? requestedSchema : {}) };
  const values = defaultsOf(formOf(schema, schema), schema);
  const decline: VSCode.QuickInputButton = { iconPath: new vscode.ThemeIcon('circle-slash'), tooltip: l10n.t('Decline') };
  const end = await fillObject({ vscode, root: schema, signal: over }, schema, values, {
    title: l10n.t('{0} asks', tool),
    placeholder: text,
    submit: `$(check) ${l10n.t('Send Answer')}`,
    buttons: [decline],
  });
  if (end === 'submit') return { action: 'accept', content: values };
  return { action: end === 'left' ? 'cancel' : 'decline' };
}

/** The person does it on a web page; what they type there is between them and the page (URL mode). */
async function askPage(vscode: typeof VSCode, tool: string, text: string, url: string): Promise<CallAnswer> {
  const { l10n, window, env, Uri } = vscode;
  const open = l10n.t('Open Page');
  // The whole address is shown: who asks is not who serves the page.
  const first = await window.showInformationMessage(l10n.t('{0} asks: {1} Page: {2}', tool, text, url), open, l10n.t('Decline'));
  if (first === undefined) return { action: 'cancel' };
  if (first !== open || !/^https?:/i.test(url)) return { action: 'decline' };
  const opened = await env.openExternal(Uri.parse(url, true));
  return { action: opened ? 'accept' : 'cancel' };
}

function defaultsOf(form: FormNode, root: Schema): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  if (form.kind !== 'object') return values;
  for (const { name, schema } of form.fields) {
    const fallback = schema['default'];
    if (fallback !== undefined) values[name] = fallback;
    else if (formOf(schema, root).kind === 'boolean' && (root['required'] as unknown[] | undefined)?.includes(name) === true)
      values[name] = false;
  }
  return values;
}
