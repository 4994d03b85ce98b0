/** The row of controls over the list. */
import type { SessionInfo } from '../../../daemon/api/sessions.ts';
import { formatTrafficQuery, parseTrafficQuery } from '../../../daemon/api/traffic-query.ts';
import type { PageState } from '../messages.ts';
import { make } from './grid.ts';
import type { Mode } from './store.ts';
import { translate as t } from './strings.ts';

/** How long after the last key a query is asked for, in milliseconds: a word is not asked for letter by letter. */
const TYPING_MS = 250;

/** What the controls do. */
export interface ToolbarParts {
  readonly onQuery: (text: string) => void;
  readonly onMode: (mode: Mode) => void;
  readonly onFollow: (follow: boolean) => void;
  readonly onPause: (paused: boolean) => void;
  readonly onRecord: (on: boolean) => void;
  readonly onReveal: (on: boolean) => void;
  readonly onMore: () => void;
}

/** The controls. */
export class Toolbar {
  readonly element: HTMLElement;
  readonly #filter: HTMLInputElement;
  readonly #session: HTMLSelectElement;
  readonly #mode: HTMLSelectElement;
  readonly #follow: HTMLButtonElement;
  readonly #pause: HTMLButtonElement;
  readonly #record: HTMLButtonElement;
  readonly #reveal: HTMLButtonElement;
  readonly #more: HTMLButtonElement;
  readonly #problems: HTMLElement;
  readonly #parts: ToolbarParts;
  #typing: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: ToolbarParts) {
    this.#parts = parts;
    this.element = make('div', 'toolbar');
    this.element.setAttribute('role', 'toolbar');
    this.element.setAttribute('aria-label', t('Traffic'));
    this.#filter = make('input', 'filter');
    this.#filter.type = 'search';
    this.#filter.placeholder = t('Filter: client:claude-code server:files is:error words');
    this.#filter.setAttribute('aria-label', t('Filter'));
    this.#filter.setAttribute('aria-describedby', 'problems');
    this.#filter.spellcheck = false;
    this.#filter.addEventListener('input', () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => parts.onQuery(this.#filter.value), TYPING_MS);
    });
    this.#session = select(t('Session'), (value) => this.#chooseSession(value));
    this.#mode = select(t('Lines'), (value) => parts.onMode(value === 'frames' ? 'frames' : 'calls'));
    this.#mode.append(option('calls', t('Calls')), option('frames', t('Frames')));
    this.#follow = toggle(t('Follow'), parts.onFollow);
    this.#pause = toggle(t('Pause'), parts.onPause);
    this.#record = toggle(t('Record'), parts.onRecord);
    this.#reveal = toggle(t('Show Secrets'), parts.onReveal);
    this.#more = make('button', '', t('Load More'));
    this.#more.type = 'button';
    this.#more.addEventListener('click', () => parts.onMore());
    this.#problems = make('span', 'problems');
    this.#problems.id = 'problems';
    this.element.append(
      this.#filter,
      this.#problems,
      this.#session,
      this.#mode,
      this.#follow,
      this.#pause,
      this.#record,
      this.#reveal,
      this.#more,
    );
  }

  /** Puts the cursor into the filter. */
  focusFilter(): void {
    this.#filter.focus();
    this.#filter.select();
  }

  /** Shows what is. */
  show(state: PageState, view: { readonly mode: Mode; readonly follow: boolean }): void {
    if (document.activeElement !== this.#filter) this.#filter.value = state.query;
    this.#problems.textContent = state.problems.join('; ');
    for (const button of [this.#pause, this.#record, this.#reveal, this.#follow]) button.hidden = !state.live;
    this.#session.hidden = !state.live;
    this.#more.hidden = !state.more;
    press(this.#pause, state.paused);
    press(this.#record, state.recording !== undefined);
    this.#record.textContent = state.recording === undefined ? t('Record') : t('Stop Recording {0}', state.recording);
    press(this.#reveal, state.revealed);
    this.#mode.value = view.mode;
    this.setFollow(view.follow);
    this.#listSessions(state.sessions, state.query);
  }

  setFollow(follow: boolean): void {
    press(this.#follow, follow);
  }

  #listSessions(sessions: readonly SessionInfo[], query: string): void {
    const chosen = parseTrafficQuery(query).query.session ?? '';
    const options = [option('', t('All sessions'))];
    for (const { id, client, endpoint, clientInfo, calls, endedAt } of sessions) {
      const who = clientInfo?.name === undefined || clientInfo.name === client ? client : `${client} (${clientInfo.name})`;
      const words = [who, endpoint, t('{0} calls', calls), endedAt === undefined ? '' : t('ended')];
      options.push(option(id, words.filter((word) => word !== '').join(' · ')));
    }
    if (chosen !== '' && !sessions.some(({ id }) => id === chosen)) options.push(option(chosen, chosen));
    const same =
      options.length === this.#session.options.length && options.every((each, index) => each.text === this.#session.options[index]?.text);
    if (!same) this.#session.replaceChildren(...options);
    this.#session.value = chosen;
  }

  #chooseSession(id: string): void {
    const { session: _, ...query } = parseTrafficQuery(this.#filter.value).query;
    this.#filter.value = formatTrafficQuery(id === '' ? query : { ...query, session: id });
    this.#parts.onQuery(this.#filter.value);
  }
}

function select(label: string, onChange: (value: string) => void): HTMLSelectElement {
  const element = make('select');
  element.setAttribute('aria-label', label);
  element.addEventListener('change', () => onChange(element.value));
  return element;
}

function option(value: string, text: string): HTMLOptionElement {
  const element = make('option', '', text);
  element.value = value;
  return element;
}

function toggle(text: string, onPress: (on: boolean) => void): HTMLButtonElement {
  const button = make('button', 'toggle', text);
  button.type = 'button';
  press(button, false);
  button.addEventListener('click', () => onPress(button.getAttribute('aria-pressed') !== 'true'));
  return button;
}

function press(button: HTMLButtonElement, on: boolean): void {
  button.setAttribute('aria-pressed', String(on));
}
