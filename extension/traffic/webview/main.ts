/** The traffic page: holds the rows, draws them, and asks the extension for the rest. */
import type { FromPage, PageState, ToPage } from '../messages.ts';
import { Details } from './details.ts';
import { Grid, make } from './grid.ts';
import { type Mode, RowStore } from './store.ts';
import { translate as t, useStrings } from './strings.ts';
import { Toolbar } from './toolbar.ts';

/** What VS Code gives a webview. */
declare function acquireVsCodeApi(): {
  postMessage(message: FromPage): void;
  setState(state: unknown): void;
};

/** How often the counts are read out at most, in milliseconds: a screen reader must not drown in them. */
const SPOKEN_MS = 5_000;
/** How long a selection rests before its messages are asked for, in milliseconds: holding an arrow key asks once. */
const RESTING_MS = 80;

const api = acquireVsCodeApi();
const store = new RowStore();
let state: PageState | undefined;
let mode: Mode = 'calls';
let follow = true;
let resting: ReturnType<typeof setTimeout> | undefined;
let spoken: ReturnType<typeof setTimeout> | undefined;

/** Built when the words are known. */
function build(root: HTMLElement): (message: ToPage) => void {
  const notice = make('p', 'notice');
  notice.setAttribute('role', 'alert');
  const empty = make('p', 'empty');
  const counts = make('p', 'counts');
  const voice = make('p', 'voice');
  voice.setAttribute('role', 'status');
  const grid = new Grid({
    lines: () => store.lines(mode),
    mode: () => mode,
    onSelect(entry, open) {
      clearTimeout(resting);
      if (!open && details.element.hidden) return;
      details.open(entry.row, state?.live ?? true);
      const { seq, kind } = entry.row;
      if (kind === 'frame') resting = setTimeout(() => api.postMessage({ type: 'select', seq }), open ? 0 : RESTING_MS);
    },
    onFollow: setFollow,
  });
  const details = new Details({
    onOpen: (seq) => api.postMessage({ type: 'open', seq }),
    onResend: (seq, edit) => api.postMessage({ type: 'resend', seq, edit }),
    onClose() {
      details.close();
      grid.element.focus();
    },
  });
  const toolbar = new Toolbar({
    onQuery: (text) => api.postMessage({ type: 'query', text }),
    onMode(next) {
      mode = next;
      grid.draw();
      showCounts();
    },
    onFollow(on) {
      setFollow(on);
      grid.follow = on;
    },
    onPause: (paused) => api.postMessage({ type: 'pause', paused }),
    onRecord: (on) => api.postMessage({ type: 'record', on }),
    onReveal: (on) => api.postMessage({ type: 'reveal', on }),
    onMore: () => api.postMessage({ type: 'more' }),
  });
  const list = make('div', 'list');
  list.append(grid.element, empty);
  const split = make('div', 'split');
  split.append(list, details.element);
  // For people who go by headings; the tab shows the same words.
  const heading = make('h1', 'voice');
  root.append(heading, toolbar.element, notice, split, counts, voice);
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === 'f') {
      event.preventDefault();
      toolbar.focusFilter();
    }
  });

  function setFollow(on: boolean): void {
    follow = on;
    toolbar.setFollow(on);
  }

  function showCounts(): void {
    const lines = store.lines(mode).length;
    const words = [
      mode === 'calls' ? t('{0} lines', lines) : t('{0} frames', lines),
      store.errors === 1 ? t('1 error') : t('{0} errors', store.errors),
      store.dropped > 0 ? t('{0} events were lost before they could be shown', store.dropped) : '',
      store.released > 0 ? t('{0} older rows are not kept', store.released) : '',
    ];
    counts.textContent = words.filter((word) => word !== '').join(' · ');
    counts.dataset['rows'] = String(store.size);
    counts.dataset['dropped'] = String(store.dropped);
    empty.textContent = lines > 0 ? '' : emptyWords();
    if (spoken !== undefined) return;
    spoken = setTimeout(() => {
      spoken = undefined;
      if (voice.textContent !== counts.textContent) voice.textContent = counts.textContent;
    }, SPOKEN_MS);
  }

  function emptyWords(): string {
    if (state === undefined || !state.live) return t('Nothing fits.');
    return state.query === ''
      ? t('Nothing has passed yet. What clients say to servers shows here as it happens.')
      : t('Nothing fits the filter.');
  }

  function showState(next: PageState): void {
    const revealed = state?.revealed ?? false;
    state = next;
    document.title = next.title;
    heading.textContent = next.title;
    toolbar.show(next, { mode, follow });
    const notices = [
      next.trouble ?? '',
      next.revealed ? t('Secrets are shown.') : '',
      next.paused ? t('Paused: what happens meanwhile is kept by the daemon.') : '',
    ];
    const text = notices.filter((word) => word !== '').join(' ');
    if (notice.textContent !== text) notice.textContent = text;
    notice.hidden = text === '';
    api.setState(next.content);
    if (revealed !== next.revealed && details.seq !== undefined) api.postMessage({ type: 'select', seq: details.seq });
    showCounts();
  }

  return (message) => {
    switch (message.type) {
      case 'state':
        showState(message.state);
        return;
      case 'clear':
        store.clear();
        details.close();
        grid.select(undefined);
        showCounts();
        return;
      case 'rows':
        store.add(message.rows, message.dropped);
        api.postMessage({ type: 'ack', batch: message.batch });
        grid.draw();
        showCounts();
        return;
      case 'call': {
        if (message.seq !== details.seq) return;
        const servers = [...new Set(message.rows.flatMap((row) => row.server ?? []))];
        const [first, last] = [message.rows[0]?.seq ?? 0, message.rows.at(-1)?.seq ?? 0];
        details.show(message.rows, store.stderr(servers, first, last), message.why);
        return;
      }
      default:
        message satisfies never;
    }
  };
}

let receive: ((message: ToPage) => void) | undefined;
window.addEventListener('message', ({ data }: MessageEvent<ToPage>) => {
  if (data.type === 'state' && data.strings !== undefined) useStrings(data.strings);
  const root = document.getElementById('traffic');
  if (receive === undefined && root !== null) receive = build(root);
  receive?.(data);
});
api.postMessage({ type: 'ready' });
