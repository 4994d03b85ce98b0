/** "Call a Tool…": pick a tool, fill in its form, watch the call, read the result; then edit and send again. */
import type * as VSCode from 'vscode';
import type { EndpointStatus, ToolInfo } from '../../daemon/api/control.ts';
import { draftOf, type Schema } from '../../daemon/api/form.ts';
import type { DaemonConnection } from '../daemon/connection.ts';
import { visibleEndpoints } from '../endpoints/visible.ts';
import type { Log } from '../log.ts';
import { short } from '../short.ts';
import { endpointRef, localFolders } from '../views/folders.ts';
import { ArgumentsDocuments } from './arguments-document.ts';
import type { MemoryFiles } from './documents.ts';
import { fillObject } from './form.ts';
import { CallHistory, type PastCall } from './history.ts';
import { describeResult, type ShownResult, storeResult } from './result.ts';
import { chooseRow, type Row } from './rows.ts';
import { runCall, type ToolCall } from './run.ts';

/** What calls work with. */
export interface CallParts {
  readonly vscode: typeof VSCode;
  readonly daemon: DaemonConnection;
  readonly log: Log;
  readonly memory: VSCode.Memento;
  readonly files: MemoryFiles;
}
/** Where a call may start from: a row of the tree, or a complete request (a keybinding, a task, a test). */
export type CallStart = { readonly info: ToolInfo; readonly endpoint: Pick<EndpointStatus, 'name' | 'workspace'> } | ToolCall;

type Choice = VSCode.QuickPickItem & { readonly info: ToolInfo; readonly endpoint: Pick<EndpointStatus, 'name' | 'workspace'> };

/** Everything about calls of one window; made at the first call. */
export class Calls {
  readonly #parts: CallParts;
  readonly #files: MemoryFiles;
  readonly #documents: ArgumentsDocuments;
  readonly #history: CallHistory;
  readonly #results = new Map<string, { shown: ShownResult; media: readonly VSCode.Uri[] }>();
  readonly #subscriptions: VSCode.Disposable;

  constructor(parts: CallParts) {
    this.#parts = parts;
    this.#files = parts.files;
    this.#documents = new ArgumentsDocuments(parts.vscode, this.#files);
    this.#history = new CallHistory(parts.memory);
    this.#subscriptions = this.#documents.register({ provideCodeLenses: (document) => this.#lenses(document) });
  }

  dispose(): void {
    this.#subscriptions.dispose();
  }

  /** @returns the tool's result, or undefined when the person went away */
  async call(from: CallStart | undefined): Promise<Record<string, unknown> | undefined> {
    if (from !== undefined && 'tool' in from) return this.#send(from);
    const choice = from ?? (await this.#pickTool());
    if (choice === undefined) return undefined;
    return this.#form(choice.info, { ...endpointRef(choice.endpoint), tool: choice.info.tool.name });
  }

  /** Past calls, to look at, change and send again. */
  async history(): Promise<Record<string, unknown> | undefined> {
    const { vscode } = this.#parts;
    const { l10n } = vscode;
    const clear: VSCode.QuickInputButton = { iconPath: new vscode.ThemeIcon('clear-all'), tooltip: l10n.t('Clear') };
    const again: VSCode.QuickInputButton = { iconPath: new vscode.ThemeIcon('debug-restart'), tooltip: l10n.t('Send again as it was') };
    const rows = this.#history.calls.map(
      (call): Row<PastCall> => ({
        label: `$(${call.ok ? 'pass' : 'error'}) ${call.tool}`,
        description: JSON.stringify(call.arguments),
        detail: new Date(call.at).toLocaleString(),
        buttons: [again],
        value: call,
      }),
    );
    if (rows.length === 0) {
      void vscode.window.showInformationMessage(l10n.t('No tool was called from this workspace yet.'));
      return undefined;
    }
    const chosen = await chooseRow(vscode, {
      title: l10n.t('Calls'),
      placeholder: l10n.t('Choose a call to edit it and send it again'),
      rows,
      buttons: [clear],
    });
    if (chosen.did === 'left') return undefined;
    if (chosen.value === undefined) {
      await this.#history.clear();
      return undefined;
    }
    const { at: _at, ok: _ok, ...call } = chosen.value;
    return chosen.did === 'pressed' ? this.#send(call) : this.edit(call);
  }

  /** Opens a call's form with the arguments it had. */
  async edit(call: ToolCall): Promise<Record<string, unknown> | undefined> {
    const info = await this.#infoOf(call);
    return info === undefined ? this.#send(call) : this.#form(info, call, call.arguments);
  }

  /** What the line above a document of arguments does. */
  async send(uri: VSCode.Uri | undefined): Promise<Record<string, unknown> | undefined> {
    const { window } = this.#parts.vscode;
    const document = uri === undefined ? window.activeTextEditor?.document : await this.#parts.vscode.workspace.openTextDocument(uri);
    const call = document === undefined ? undefined : await this.#documents.callOf(document);
    return call === undefined ? undefined : this.#send(call);
  }

  /** What the lines above a result do. */
  async result(uri: VSCode.Uri, act: 'again' | 'edit' | 'json' | 'preview'): Promise<unknown> {
    const { commands, window, workspace } = this.#parts.vscode;
    const found = this.#results.get(uri.toString());
    if (found === undefined) return undefined;
    const { call, result } = found.shown;
    if (act === 'again') return this.#send(call);
    if (act === 'edit') return this.edit(call);
    if (act === 'preview') return commands.executeCommand('markdown.showPreview', uri);
    const document = this.#files.put(`${this.#files.folder()}/${call.tool}.json`, JSON.stringify(result, null, 2));
    return window.showTextDocument(await workspace.openTextDocument(document), { preview: true });
  }

  async #form(
    info: ToolInfo,
    call: Omit<ToolCall, 'arguments'>,
    given?: Record<string, unknown>,
  ): Promise<Record<string, unknown> | undefined> {
    const { vscode, daemon } = this.#parts;
    const { l10n } = vscode;
    const schema = info.tool.inputSchema as Schema;
    const json: VSCode.QuickInputButton = { iconPath: new vscode.ThemeIcon('json'), tooltip: l10n.t('Edit as JSON') };
    const last: VSCode.QuickInputButton = { iconPath: new vscode.ThemeIcon('history'), tooltip: l10n.t('Arguments of the last call') };
    const before = this.#history.last(call.tool);
    const values = structuredClone(given ?? {});
    let problems: readonly string[] = [];
    for (;;) {
      const end = await fillObject({ vscode, root: schema }, schema, values, {
        title: l10n.t('Call {0}', short(info.tool.title ?? info.tool.name)),
        placeholder: short(info.tool.description?.split('\n', 1)[0] ?? '') || l10n.t('Choose a field to fill it in'),
        submit: problems.length === 0 ? `$(play) ${l10n.t('Call')}` : `$(play) ${l10n.t('Call all the same')}`,
        problems,
        buttons: before === undefined ? [json] : [last, json],
      });
      if (end === 'left') return undefined;
      if (end === 'submit') {
        // Wrong arguments can be sent, but not by accident: trying them is what some people are here for.
        if (problems.length > 0) return this.#send({ ...call, arguments: values });
        const answer = await daemon.call('schema/check', { schema, value: values });
        if (answer.problems.length === 0) return this.#send({ ...call, arguments: values });
        problems = answer.problems;
      } else if (end.pressed === last) {
        for (const key of Object.keys(values)) delete values[key];
        Object.assign(values, structuredClone(before?.arguments ?? {}));
      } else {
        const drafted = { ...(draftOf(schema, schema) as Record<string, unknown>), ...values };
        await this.#documents.open({ ...call, arguments: drafted }, schema);
        return undefined;
      }
    }
  }

  async #send(call: ToolCall): Promise<Record<string, unknown>> {
    const { vscode, daemon, log } = this.#parts;
    const began = performance.now();
    let ok = false;
    try {
      const result = await runCall(vscode, daemon, call, (line) => log.line(line));
      ok = result['isError'] !== true;
      await this.#show(call, result, performance.now() - began);
      return result;
    } finally {
      await this.#history.add({ ...call, at: Date.now(), ok });
    }
  }

  async #show(call: ToolCall, result: Record<string, unknown>, ms: number): Promise<void> {
    const { vscode, daemon } = this.#parts;
    const schema = (await this.#infoOf(call))?.tool['outputSchema'];
    const promised = typeof schema === 'object' && schema !== null ? schema : undefined;
    const structured = result['structuredContent'];
    const problems =
      promised === undefined || structured === undefined
        ? promised && []
        : (await daemon.call('schema/check', { schema: promised, value: structured })).problems;
    const shown = describeResult(vscode, call, result, problems, ms);
    const { document, media } = storeResult(this.#files, shown);
    this.#results.set(document.toString(), { shown, media });
    const text = await vscode.workspace.openTextDocument(document);
    await vscode.window.showTextDocument(text, { preview: true });
    if (shown.media.some(({ name }) => name.startsWith('image')))
      await vscode.commands.executeCommand('markdown.showPreviewToSide', document);
  }

  #lenses(document: VSCode.TextDocument): VSCode.CodeLens[] {
    const { vscode } = this.#parts;
    const { l10n } = vscode;
    const top = new vscode.Range(0, 0, 0, 0);
    const lens = (title: string, command: string, ...args: unknown[]): VSCode.CodeLens =>
      new vscode.CodeLens(top, { title, command, arguments: args });
    if (this.#documents.has(document.uri)) return [lens(`$(play) ${l10n.t('Call')}`, 'signalbox.sendArguments', document.uri)];
    const found = this.#results.get(document.uri.toString());
    if (found === undefined) return [];
    return [
      lens(`$(debug-restart) ${l10n.t('Call again')}`, 'signalbox.callResult', document.uri, 'again'),
      lens(`$(edit) ${l10n.t('Edit and send again')}`, 'signalbox.callResult', document.uri, 'edit'),
      lens(`$(json) JSON`, 'signalbox.callResult', document.uri, 'json'),
      lens(`$(open-preview) ${l10n.t('Preview')}`, 'signalbox.callResult', document.uri, 'preview'),
      ...found.media.map((uri, index) => lens(`$(file-media) ${found.shown.media[index]?.name ?? ''}`, 'vscode.open', uri)),
      ...found.shown.links.map(({ uri, name }) => lens(`$(link) ${short(name)}`, 'signalbox.readResource', { ...found.shown.call, uri })),
    ];
  }

  async #infoOf({ tool, endpoint, workspace }: Omit<ToolCall, 'arguments'>): Promise<ToolInfo | undefined> {
    const ref = { ...(endpoint === undefined ? {} : { endpoint }), ...(workspace === undefined ? {} : { workspace }) };
    const { tools } = await this.#parts.daemon.call('tools/list', ref);
    return tools.find((info) => info.tool.name === tool);
  }

  /** Shows a resource: text as a document, anything else in VS Code's own preview of its kind. */
  async read(uri: string, ref: { endpoint?: string; workspace?: string }): Promise<void> {
    const { vscode, daemon } = this.#parts;
    const { contents } = (await daemon.call('resources/read', { uri, ...ref })) as {
      contents?: { text?: string; blob?: string; uri?: string }[];
    };
    const folder = this.#files.folder();
    for (const [index, content] of (contents ?? []).entries()) {
      const name = (content.uri ?? uri).split(/[/?#]/).filter(Boolean).at(-1) ?? 'resource';
      const file = this.#files.put(`${folder}/${index}/${name}`, content.text ?? Buffer.from(content.blob ?? '', 'base64'));
      await vscode.commands.executeCommand('vscode.open', file, { preview: index === 0 });
    }
  }

  /** Asks for a prompt's arguments and shows its messages. */
  async prompt(prompt: Readonly<Record<string, unknown>>, ref: { endpoint?: string; workspace?: string }): Promise<void> {
    const { vscode, daemon } = this.#parts;
    const { l10n } = vscode;
    const given = (Array.isArray(prompt['arguments']) ? prompt['arguments'] : []) as {
      name: string;
      title?: string;
      description?: string;
      required?: boolean;
    }[];
    const schema: Schema = {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        given.map(({ name, title, description }) => [
          name,
          { type: 'string', ...(title === undefined ? {} : { title }), ...(description === undefined ? {} : { description }) },
        ]),
      ),
      required: given.filter(({ required }) => required === true).map(({ name }) => name),
    };
    const values: Record<string, unknown> = {};
    const name = String(prompt['name']);
    if (given.length > 0) {
      const end = await fillObject({ vscode, root: schema }, schema, values, {
        title: l10n.t('Prompt {0}', name),
        submit: `$(play) ${l10n.t('Get')}`,
      });
      if (end !== 'submit') return;
    }
    const result = await daemon.call('prompts/get', { name, arguments: values as Record<string, string>, ...ref });
    const messages = Array.isArray(result['messages']) ? (result['messages'] as { role?: string; content?: unknown }[]) : [];
    const texts = messages.map(({ role, content }) => {
      const { text } = (content ?? {}) as { text?: unknown };
      return `# ${role ?? ''}\n\n${typeof text === 'string' ? text : JSON.stringify(content, null, 2)}`;
    });
    const document = this.#files.put(`${this.#files.folder()}/${name}.md`, `${texts.join('\n\n')}\n`);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(document), { preview: true });
  }

  async #pickTool(): Promise<Choice | undefined> {
    const { vscode, daemon } = this.#parts;
    const choices = async (): Promise<Choice[]> => {
      await daemon.start();
      const endpoints = visibleEndpoints(daemon.status, localFolders(vscode));
      const lists = await Promise.all(
        endpoints.map(async (endpoint) => {
          const { tools } = await daemon.call('tools/list', endpointRef(endpoint));
          return tools.map(
            (info): Choice => ({
              label: info.tool.name,
              description: endpoints.length > 1 ? endpoint.name : info.server,
              detail: short(info.tool.description?.split('\n', 1)[0] ?? ''),
              info,
              endpoint,
            }),
          );
        }),
      );
      return lists.flat();
    };
    return vscode.window.showQuickPick(choices(), {
      title: vscode.l10n.t('Call a Tool'),
      placeHolder: vscode.l10n.t('Tool'),
      matchOnDetail: true,
    });
  }
}
