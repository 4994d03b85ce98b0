/** One tab with traffic: live, or of a recording. Joins the page, the feed and what the buttons do. */
import type * as VSCode from 'vscode';
import { errorShape } from '../../daemon/api/errors.ts';
import type { RecordingInfo } from '../../daemon/api/recordings.ts';
import type { SessionInfo, TrafficQuery, TrafficRow } from '../../daemon/api/sessions.ts';
import { parseTrafficQuery } from '../../daemon/api/traffic-query.ts';
import { localFolders } from '../views/folders.ts';
import { TrafficFeed } from './feed.ts';
import type { FromPage, PageState, ToPage } from './messages.ts';
import { trafficPage } from './page.ts';
import type { TrafficParts } from './parts.ts';
import { resend } from './resend.ts';
import { liveSource, recordingSource, type TrafficSource } from './source.ts';

/** What a tab shows; kept over a reload of the window. */
export interface TabContent {
  readonly recording?: Pick<RecordingInfo, 'id' | 'name'>;
  readonly query: string;
}

/** `workspace:all` shows what other windows' folders do as well. */
const EVERY_WORKSPACE = 'all';

/** A tab and what feeds it. */
export class TrafficPanel {
  readonly #parts: TrafficParts;
  readonly #panel: VSCode.WebviewPanel;
  readonly #source: TrafficSource;
  readonly #feed: TrafficFeed;
  readonly #content: TabContent;
  readonly #subscriptions: VSCode.Disposable[] = [];
  #query: string;
  #everyWorkspace = false;
  #paused = false;
  #revealed = false;
  #ready = false;
  #sessions: readonly SessionInfo[] = [];

  /** @param panel a new webview panel, or one VS Code restores */
  constructor(parts: TrafficParts, panel: VSCode.WebviewPanel, content: TabContent) {
    this.#parts = parts;
    this.#panel = panel;
    this.#content = content;
    this.#query = content.query;
    const { vscode, daemon, recordings } = parts;
    this.#source = content.recording === undefined ? liveSource(daemon) : recordingSource(daemon, content.recording);
    this.#feed = new TrafficFeed(
      daemon,
      this.#source,
      {
        clear: () => this.#post({ type: 'clear' }),
        rows: (batch, rows, dropped) => this.#post({ type: 'rows', batch, rows, dropped }),
        changed: () => this.#showState(),
      },
      (row) => this.#isOwn(row),
    );
    panel.iconPath = new vscode.ThemeIcon('pulse');
    panel.webview.options = { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(parts.extension, 'dist')] };
    this.#subscriptions.push(
      panel.webview.onDidReceiveMessage((message: FromPage) => void this.#receive(message).catch((error) => parts.log.report(error))),
      { dispose: recordings.onChange(() => this.#showState()) },
      {
        dispose: daemon.onChange((changes) => {
          if (changes.includes('connection') && daemon.state === 'running' && this.#ready && !this.#paused) void this.#open();
          else if (changes.includes('connection') && this.#ready) this.#showState();
          if (changes.includes('sessions') && this.#ready) void this.#listSessions();
        }),
      },
    );
    panel.webview.html = trafficPage(vscode, panel.webview, parts.extension);
  }

  /** Called once when the tab is closed. */
  onClosed(listener: () => void): void {
    this.#panel.onDidDispose(() => {
      this.dispose();
      listener();
    });
  }

  /** Brings the tab to the front, with another query if one is given. */
  async reveal(query: string | undefined): Promise<void> {
    this.#panel.reveal();
    if (query === undefined || query === this.#query) return;
    this.#query = query;
    if (this.#ready) await this.#open();
  }

  dispose(): void {
    this.#feed.dispose();
    for (const subscription of this.#subscriptions.splice(0)) subscription.dispose();
  }

  async #receive(message: FromPage): Promise<void> {
    const { vscode, recordings, documents } = this.#parts;
    switch (message.type) {
      case 'ready':
        this.#ready = true;
        this.#post({ type: 'state', state: this.#state(), strings: (vscode.l10n.bundle ?? {}) as Record<string, string> });
        await this.#parts.daemon.start().catch(() => undefined); // `trouble` says why
        await this.#open();
        await this.#listSessions();
        return;
      case 'ack':
        this.#feed.acknowledge(message.batch);
        return;
      case 'query':
        this.#query = message.text;
        await this.#open();
        return;
      case 'select':
        await this.#showCall(message.seq);
        return;
      case 'pause':
        this.#paused = message.paused;
        this.#showState();
        if (message.paused) this.#feed.pause();
        else await this.#feed.catchUp();
        return;
      case 'more':
        await this.#feed.catchUp();
        return;
      case 'reveal':
        this.#revealed = message.on;
        this.#showState();
        return;
      case 'record':
        if (message.on) await recordings.start(this.#filters());
        else await recordings.stop();
        return;
      case 'open': {
        const rows = await this.#source.call(message.seq, this.#revealed);
        const title = rows.find((row) => row.seq === message.seq);
        await documents.show(`${title?.target ?? title?.method ?? 'frame'}-${message.seq}.json`, documentOf(rows));
        return;
      }
      case 'resend':
        await resend(this.#parts, message.seq, message.edit);
        return;
      default:
        message satisfies never;
    }
  }

  async #open(): Promise<void> {
    this.#everyWorkspace = parseTrafficQuery(this.#query).query.workspace === EVERY_WORKSPACE;
    this.#paused = false;
    this.#showState();
    await this.#feed.open(this.#filters());
  }

  /** The query for the daemon, which knows no word for every workspace: no filter is every one. */
  #filters(): TrafficQuery {
    const { workspace, ...query } = parseTrafficQuery(this.#query).query;
    return workspace === undefined || workspace === EVERY_WORKSPACE ? query : { ...query, workspace };
  }

  /** The event may have fallen out of the ring since its row was sent: then the pane says so. */
  async #showCall(seq: number): Promise<void> {
    const answer = await this.#source.call(seq, this.#revealed).then(
      (rows) => ({ rows }),
      (error: unknown) => ({ rows: [], why: sentence(error) }),
    );
    this.#post({ type: 'call', seq, ...answer });
  }

  async #listSessions(): Promise<void> {
    const { daemon } = this.#parts;
    if (!this.#source.live || daemon.state !== 'running') return;
    const { sessions } = await daemon.call('sessions/list', { ended: true }).catch(() => ({ sessions: [] }));
    this.#sessions = sessions.filter((session) => this.#isOwn(session));
    this.#showState();
  }

  /** Workspaces share the daemon and do not see each other, unless the person asks. */
  #isOwn(row: Pick<TrafficRow, 'workspace'>): boolean {
    if (row.workspace === undefined || this.#everyWorkspace || !this.#source.live) return true;
    const { vscode, daemon } = this.#parts;
    const asked = parseTrafficQuery(this.#query).query.workspace;
    const folders = localFolders(vscode);
    const own = daemon.status?.workspaces.find(({ id }) => id === row.workspace);
    return asked === row.workspace || own === undefined || folders.includes(own.folder);
  }

  #showState(): void {
    this.#panel.title = this.#title();
    if (this.#ready) this.#post({ type: 'state', state: this.#state() });
  }

  #title(): string {
    const { recording } = this.#content;
    const { l10n } = this.#parts.vscode;
    return recording === undefined ? l10n.t('MCP Traffic') : l10n.t('Recording {0}', recording.name ?? recording.id);
  }

  #state(): PageState {
    const { daemon, recordings, vscode } = this.#parts;
    const active = this.#source.live ? recordings.live[0] : undefined;
    const trouble =
      this.#feed.trouble ?? (daemon.state === 'stopped' ? vscode.l10n.t('The daemon is not running.') : undefined) ?? daemon.error;
    return {
      title: this.#title(),
      live: this.#source.live,
      query: this.#query,
      problems: parseTrafficQuery(this.#query).problems,
      paused: this.#paused,
      revealed: this.#revealed,
      ...(active === undefined ? {} : { recording: active.name ?? active.id }),
      sessions: this.#sessions,
      ...(trouble === undefined ? {} : { trouble: typeof trouble === 'string' ? trouble : sentence(trouble) }),
      more: this.#feed.more,
      content: { ...this.#content, query: this.#query } satisfies TabContent,
    };
  }

  #post(message: ToPage): void {
    void this.#panel.webview.postMessage(message);
  }
}

function sentence(error: unknown): string {
  const { message, fix, code } = errorShape(error);
  return `${message} ${fix} (${code})`;
}

/** The frames of one call as a document: where each passed, and the message. */
export function documentOf(rows: readonly TrafficRow[]): string {
  const frames = rows.map(({ message, seq, time, ...facts }) => ({
    seq,
    time: new Date(time).toISOString(),
    ...facts,
    ...(message === undefined ? {} : { message }),
  }));
  return JSON.stringify(frames.length === 1 ? frames[0] : frames, null, 2);
}
