/** The tabs that are open: one of live traffic, one per recording; they come back after a reload of the window. */
import type * as VSCode from 'vscode';
import type { RecordingInfo } from '../../daemon/api/recordings.ts';
import { type TabContent, TrafficPanel } from './panel.ts';
import type { TrafficParts } from './parts.ts';

const VIEW_TYPE = 'signalbox.traffic';

/** Opens and finds tabs. */
export class TrafficTabs {
  readonly #parts: TrafficParts;
  /** By id of the recording; `live` is the live one. */
  readonly #open = new Map<string, TrafficPanel>();
  readonly #serializer: VSCode.Disposable;

  constructor(parts: TrafficParts) {
    this.#parts = parts;
    this.#serializer = parts.vscode.window.registerWebviewPanelSerializer(VIEW_TYPE, {
      deserializeWebviewPanel: async (panel, state: unknown) => {
        this.#adopt(panel, isContent(state) ? state : { query: '' });
      },
    });
  }

  dispose(): void {
    this.#serializer.dispose();
    for (const panel of this.#open.values()) panel.dispose();
    this.#open.clear();
  }

  /** Shows live traffic. @param query in the language of `daemon/api/traffic-query.ts`; absent: as it was */
  async live(query?: string): Promise<void> {
    await this.#show(query === undefined ? { query: '' } : { query }, query);
  }

  /** Shows a recording in a tab of its own. */
  async recording({ id, name }: Pick<RecordingInfo, 'id' | 'name'>): Promise<void> {
    await this.#show({ recording: name === undefined ? { id } : { id, name }, query: '' }, undefined);
  }

  async #show(content: TabContent, query: string | undefined): Promise<void> {
    const open = this.#open.get(key(content));
    if (open !== undefined) return open.reveal(query);
    const { vscode } = this.#parts;
    const panel = vscode.window.createWebviewPanel(VIEW_TYPE, vscode.l10n.t('MCP Traffic'), vscode.ViewColumn.Active, {
      enableScripts: true,
      retainContextWhenHidden: true, // a hundred thousand rows are not fetched again because another tab was looked at
      enableFindWidget: false, // it would search the few rows that are drawn
    });
    this.#adopt(panel, content);
  }

  #adopt(panel: VSCode.WebviewPanel, content: TabContent): void {
    const tab = new TrafficPanel(this.#parts, panel, content);
    this.#open.set(key(content), tab);
    tab.onClosed(() => {
      if (this.#open.get(key(content)) === tab) this.#open.delete(key(content));
    });
  }
}

function key({ recording }: TabContent): string {
  return recording?.id ?? 'live';
}

/** What the page kept with `setState`; it may be of an older version. */
function isContent(state: unknown): state is TabContent {
  return typeof state === 'object' && state !== null && 'query' in state && typeof state.query === 'string';
}
