/** The part of `vscode` our code uses, in memory: what a person would be shown is kept, and a script says what they answer. */
import type * as VSCode from 'vscode';

/** What a person does at one input: a label or text, a button by its tooltip, or `undefined` for Escape. */
export type Answer = string | readonly string[] | { readonly button: string; readonly on?: string } | undefined;

/** The double and what was seen of it. */
export interface EditorDouble {
  readonly vscode: typeof VSCode;
  /** What each input showed, in order. */
  readonly shown: { readonly title: string; readonly rows: readonly string[] }[];
  readonly messages: string[];
  /** `executeCommand` calls. */
  readonly commands: unknown[][];
  /** Documents that were opened: URI and text. */
  readonly opened: { readonly uri: string; readonly text: string; readonly language: string }[];
  /** What everything that has to be disposed said when it was. */
  readonly live: Set<object>;
}

class Emitter {
  readonly #listeners = new Set<(value: unknown) => void>();
  readonly event = (listener: (value: unknown) => void): { dispose(): void } => {
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  };
  fire = (value: unknown): void => {
    for (const listener of [...this.#listeners]) listener(value);
  };
  dispose = (): void => this.#listeners.clear();
}

class Place {
  readonly scheme: string;
  readonly path: string;
  readonly query: string;
  constructor(scheme: string, path: string, query = '') {
    this.scheme = scheme;
    this.path = path;
    this.query = query;
  }
  get fsPath(): string {
    return this.path;
  }
  toString(): string {
    return `${this.scheme}:${this.path}${this.query === '' ? '' : `?${this.query}`}`;
  }
  with({ scheme = this.scheme }: { scheme?: string }): Place {
    return new Place(scheme, this.path, this.query);
  }
}

/**
 * @param answers for each input or message in order: a function sees the rows' labels
 * @param folders of the window
 */
export function editorDouble(answers: Answer[] = [], folders: readonly string[] = []): EditorDouble {
  const shown: EditorDouble['shown'] = [];
  const messages: string[] = [];
  const commands: unknown[][] = [];
  const opened: { uri: string; text: string; language: string }[] = [];
  const live = new Set<object>();
  const providers = new Map<string, { readFile?(uri: Place): Uint8Array; provideTextDocumentContent?(uri: Place): string }>();
  const tracked = <T extends object>(value: T): T & { dispose(): void } => {
    const inner = (value as { dispose?: () => void }).dispose;
    const whole = Object.assign(value, {
      dispose: () => {
        live.delete(whole);
        inner?.call(value);
      },
    });
    live.add(whole);
    return whole;
  };
  const next = (): Answer => {
    if (answers.length === 0) throw new Error(`nobody answers: ${JSON.stringify(shown.at(-1) ?? messages.at(-1))}`);
    return answers.shift();
  };
  const l10n = {
    t: (text: string, ...args: unknown[]) => text.replace(/\{(\d+)\}/g, (_all, index: string) => String(args[Number(index)])),
  };
  const rowsOf = (items: readonly (string | { label: string; description?: string })[]): string[] =>
    items.map((item) => (typeof item === 'string' ? item : [item.label, item.description].filter(Boolean).join(' | ')));
  const find = <T>(items: readonly T[], wanted: string): T => {
    const found = items.find((item) => (typeof item === 'string' ? item : String((item as { label: string }).label)).includes(wanted));
    if (found === undefined) throw new Error(`there is no row "${wanted}" among ${JSON.stringify(rowsOf(items as never))}`);
    return found;
  };
  const message = (text: string, ...actions: string[]): Promise<string | undefined> => {
    messages.push(text);
    if (actions.length === 0) return Promise.resolve(undefined);
    const answer = answers.length > 0 ? answers[0] : undefined;
    if (typeof answer === 'string' && actions.includes(answer)) return Promise.resolve(answers.shift() as string);
    return Promise.resolve(undefined);
  };
  const openTextDocument = async (given: Place | { language: string; content: string }) => {
    const uri = given instanceof Place ? given : new Place('untitled', '/1');
    const provider = providers.get(uri.scheme);
    const text =
      given instanceof Place
        ? (provider?.provideTextDocumentContent?.(uri) ?? new TextDecoder().decode(provider?.readFile?.(uri) ?? new Uint8Array()))
        : given.content;
    const document = {
      uri,
      text,
      language: given instanceof Place ? '' : given.language,
      getText: () => text,
      save: async () => true,
      positionAt: () => ({ line: 0 }),
    };
    opened.push({ uri: uri.toString(), text, language: document.language });
    return document;
  };
  const vscode = {
    l10n,
    EventEmitter: Emitter,
    Disposable: Object.assign(
      class {
        readonly dispose: () => void;
        constructor(dispose: () => void) {
          this.dispose = dispose;
        }
      },
      { from: (...all: { dispose(): void }[]) => ({ dispose: () => all.map((one) => one.dispose()) }) },
    ),
    ThemeIcon: class {
      readonly id: string;
      readonly color: unknown | undefined;
      constructor(id: string, color?: unknown) {
        this.id = id;
        this.color = color;
      }
    },
    ThemeColor: class {
      readonly id: string;
      constructor(id: string) {
        this.id = id;
      }
    },
    MarkdownString: class {
      value = '';
      appendText(text: string): void {
        this.value += text;
      }
    },
    TreeItem: class {
      readonly label: string;
      readonly collapsibleState: number;
      constructor(label: string, collapsibleState: number) {
        this.label = label;
        this.collapsibleState = collapsibleState;
      }
    },
    TreeItemCollapsibleState: { None: 0, Collapsed: 1, Expanded: 2 },
    QuickPickItemKind: { Separator: -1, Default: 0 },
    ProgressLocation: { SourceControl: 1, Window: 10, Notification: 15 },
    StatusBarAlignment: { Left: 1, Right: 2 },
    FileType: { File: 1, Directory: 2 },
    FilePermission: { Readonly: 1 },
    FileChangeType: { Changed: 1 },
    FileSystemError: {
      FileNotFound: (uri: Place) => new Error(`not found: ${uri}`),
      NoPermissions: (uri: Place) => new Error(`no permission: ${uri}`),
    },
    Position: class {
      readonly line: number;
      readonly character: number;
      constructor(line: number, character: number) {
        this.line = line;
        this.character = character;
      }
      translate(): this {
        return this;
      }
    },
    Range: class {
      readonly at: unknown[];
      constructor(...at: unknown[]) {
        this.at = at;
      }
    },
    CodeLens: class {
      readonly range: unknown;
      readonly command: unknown;
      constructor(range: unknown, command: unknown) {
        this.range = range;
        this.command = command;
      }
    },
    Diagnostic: class {
      readonly range: unknown;
      readonly message: string;
      constructor(range: unknown, message: string) {
        this.range = range;
        this.message = message;
      }
    },
    DiagnosticSeverity: { Error: 0 },
    Uri: {
      file: (path: string) => new Place('file', path),
      from: ({ scheme, path, query }: { scheme: string; path: string; query?: string }) => new Place(scheme, path, query),
      parse: (text: string) => new Place(text.split(':')[0] ?? '', text.slice(text.indexOf(':') + 1)),
      joinPath: (base: Place, ...parts: string[]) => new Place(base.scheme, [base.path, ...parts].join('/')),
    },
    env: {
      openExternal: async () => true,
      asExternalUri: async (uri: Place) => uri,
      clipboard: { readText: async () => '', writeText: async () => undefined },
      language: 'en',
    },
    commands: {
      executeCommand: async (...words: unknown[]) => void commands.push(words),
      registerCommand: () => tracked({}),
    },
    languages: {
      registerCodeLensProvider: () => tracked({}),
      createDiagnosticCollection: () =>
        tracked({
          clear: () => undefined,
          set: (uri: Place, all: unknown[]) =>
            void opened.push({ uri: uri.toString(), text: JSON.stringify(all), language: 'diagnostics' }),
        }),
      setTextDocumentLanguage: async (document: { language: string }, language: string) => Object.assign(document, { language }),
      registerDocumentLinkProvider: () => tracked({}),
    },
    workspace: {
      isTrusted: true,
      workspaceFolders: folders.map((path) => ({ uri: new Place('file', path), name: path })),
      registerFileSystemProvider: (scheme: string, provider: never) => {
        providers.set(scheme, provider);
        return tracked({});
      },
      registerTextDocumentContentProvider: (scheme: string, provider: never) => {
        providers.set(scheme, provider);
        return tracked({});
      },
      onDidGrantWorkspaceTrust: () => tracked({}),
      onDidChangeWorkspaceFolders: () => tracked({}),
      onDidChangeConfiguration: () => tracked({}),
      onDidCloseTextDocument: () => tracked({}),
      onDidChangeTextDocument: () => tracked({}),
      onDidSaveTextDocument: () => tracked({}),
      createFileSystemWatcher: () =>
        tracked({ onDidChange: () => tracked({}), onDidCreate: () => tracked({}), onDidDelete: () => tracked({}) }),
      getConfiguration: () => ({ get: (_key: string, fallback: unknown) => fallback }),
      openTextDocument,
    },
    window: {
      activeTextEditor: undefined,
      createOutputChannel: () =>
        tracked({
          show: () => undefined,
          info: () => undefined,
          error: () => undefined,
          warn: () => undefined,
          debug: () => undefined,
          replace: () => undefined,
        }),
      createStatusBarItem: () => tracked({ show: () => undefined }),
      createTreeView: () => tracked({}),
      createWebviewPanel: () => tracked({}),
      registerWebviewPanelSerializer: () => tracked({}),
      registerWebviewViewProvider: () => tracked({}),
      showInformationMessage: message,
      showWarningMessage: message,
      showErrorMessage: message,
      showTextDocument: async (document: { uri?: Place } | Place) => {
        const uri = document instanceof Place ? document : document.uri;
        if (document instanceof Place) await openTextDocument(document);
        return { document: { uri } };
      },
      withProgress: async (_options: unknown, run: (progress: unknown, token: unknown) => unknown) =>
        run(
          { report: (step: { message?: string }) => void messages.push(`progress ${step.message ?? ''}`) },
          { onCancellationRequested: () => undefined },
        ),
      showInputBox: async ({
        title,
        value,
        validateInput,
      }: {
        title: string;
        value?: string;
        validateInput?: (text: string) => string | undefined;
      }) => {
        shown.push({ title, rows: [value ?? ''] });
        for (;;) {
          const answer = next();
          if (typeof answer !== 'string') return undefined;
          const problem = validateInput?.(answer);
          if (problem === undefined) return answer;
          shown.push({ title: problem, rows: [] });
        }
      },
      showQuickPick: async (given: unknown, { title, canPickMany }: { title?: string; canPickMany?: boolean } = {}) => {
        const items = (await given) as (string | { label: string })[];
        shown.push({ title: title ?? '', rows: rowsOf(items) });
        const answer = next();
        if (answer === undefined) return undefined;
        if (canPickMany === true) return (answer as readonly string[]).map((wanted) => find(items, wanted));
        return find(items, answer as string);
      },
      createQuickPick: () => {
        const [accept, button, itemButton, hide] = [new Emitter(), new Emitter(), new Emitter(), new Emitter()];
        type Item = { label: string; description?: string; buttons?: { tooltip: string }[] };
        const pick = tracked({
          title: '',
          items: [] as Item[],
          buttons: [] as { tooltip: string }[],
          selectedItems: [] as Item[],
          activeItems: [] as Item[],
          onDidAccept: accept.event,
          onDidTriggerButton: button.event,
          onDidTriggerItemButton: itemButton.event,
          onDidHide: hide.event,
          show: () => {
            shown.push({ title: pick.title, rows: rowsOf(pick.items.filter(({ label }) => label !== '')) });
            queueMicrotask(() => {
              const answer = next();
              if (answer === undefined) return hide.fire(undefined);
              if (typeof answer === 'string') {
                pick.selectedItems = [find(pick.items, answer)];
                return accept.fire(undefined);
              }
              const { button: wanted, on } = answer as { button: string; on?: string };
              const item = on === undefined ? undefined : find(pick.items, on);
              const found = (item?.buttons ?? pick.buttons).find(({ tooltip }) => tooltip === wanted);
              if (found === undefined) throw new Error(`there is no button "${wanted}"`);
              if (item === undefined) button.fire(found);
              else itemButton.fire({ button: found, item });
            });
          },
        });
        return pick;
      },
    },
    TestRunProfileKind: { Run: 1, Debug: 2, Coverage: 3 },
    tests: {
      createTestController: () =>
        tracked({
          items: { replace: () => undefined, [Symbol.iterator]: () => [][Symbol.iterator]() },
          createRunProfile: () => tracked({}),
        }),
    },
    lm: { registerMcpServerDefinitionProvider: () => tracked({}) },
  };
  return { vscode: vscode as unknown as typeof VSCode, shown, messages, commands, opened, live };
}

/** A Memento in memory. */
export function memory(): VSCode.Memento & { readonly values: Map<string, unknown> } {
  const values = new Map<string, unknown>();
  return {
    values,
    keys: () => [...values.keys()],
    get: <T>(key: string, fallback?: T) => (values.has(key) ? values.get(key) : fallback) as T,
    update: async (key: string, value: unknown) => void (value === undefined ? values.delete(key) : values.set(key, value)),
  };
}
