/** One list of rows to choose from, with buttons: VS Code's quick pick as a promise. */
import type * as VSCode from 'vscode';

/** A row; `run` says what choosing it means. */
export interface Row<T> extends VSCode.QuickPickItem {
  readonly value: T;
}
/** What the person did. */
export type Chosen<T> =
  | { readonly did: 'chose'; readonly value: T }
  | { readonly did: 'pressed'; readonly button: VSCode.QuickInputButton; readonly value?: T }
  | { readonly did: 'left' };

/** Shows rows and waits for a choice, a button, or Escape. The focus starts on `active`. */
export function chooseRow<T>(
  vscode: typeof VSCode,
  options: {
    readonly title: string;
    readonly placeholder?: string;
    readonly rows: readonly (Row<T> | VSCode.QuickPickItem)[];
    readonly buttons?: readonly VSCode.QuickInputButton[];
    readonly active?: number;
    readonly signal?: AbortSignal;
  },
): Promise<Chosen<T>> {
  const pick = vscode.window.createQuickPick<Row<T>>();
  pick.title = options.title;
  pick.placeholder = options.placeholder;
  pick.items = options.rows as readonly Row<T>[];
  pick.buttons = options.buttons ?? [];
  pick.ignoreFocusOut = true;
  pick.matchOnDescription = true;
  const active = options.active === undefined ? undefined : pick.items[options.active];
  if (active !== undefined) pick.activeItems = [active];
  return new Promise<Chosen<T>>((resolve) => {
    const end = (chosen: Chosen<T>): void => {
      options.signal?.removeEventListener('abort', leave);
      resolve(chosen);
      pick.dispose();
    };
    const leave = (): void => end({ did: 'left' });
    if (options.signal?.aborted === true) return leave();
    options.signal?.addEventListener('abort', leave, { once: true });
    pick.onDidAccept(() => {
      const [row] = pick.selectedItems;
      if (row !== undefined && 'value' in row) end({ did: 'chose', value: row.value });
    });
    pick.onDidTriggerButton((button) => end({ did: 'pressed', button }));
    pick.onDidTriggerItemButton(({ button, item }) => end({ did: 'pressed', button, value: item.value }));
    pick.onDidHide(leave);
    pick.show();
  });
}
