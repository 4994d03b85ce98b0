/** One call in full: both edges side by side, what the daemon changed, its other frames, and what the server wrote meanwhile. */
import type { TrafficRow } from '../../../daemon/api/sessions.ts';
import { type Change, changes, compareLines, type DiffLine, jsonLines, MOST_LINES } from './difference.ts';
import { make } from './grid.ts';
import { arrange, type Stage } from './stages.ts';
import { translate as t } from './strings.ts';
import { clock, duration, size, wayInWords } from './words.ts';

/** What the buttons of the pane do. */
export interface DetailsParts {
  readonly onOpen: (seq: number) => void;
  readonly onResend: (seq: number, edit: boolean) => void;
  readonly onClose: () => void;
}

/** The pane. */
export class Details {
  readonly element: HTMLElement;
  readonly #parts: DetailsParts;
  readonly #title: HTMLElement;
  readonly #content: HTMLElement;
  #seq: number | undefined;
  #live = true;

  constructor(parts: DetailsParts) {
    this.#parts = parts;
    this.element = make('section', 'details');
    this.element.hidden = true;
    this.element.setAttribute('aria-labelledby', 'details-title');
    this.#title = make('h2');
    this.#title.id = 'details-title';
    this.#content = make('div', 'content');
    this.element.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#parts.onClose();
    });
  }

  /** The event whose call is shown or awaited. */
  get seq(): number | undefined {
    return this.#seq;
  }

  /** Opens the pane; the messages come later. */
  open(row: TrafficRow, live: boolean): void {
    this.#seq = row.seq;
    this.#live = live;
    this.element.hidden = false;
    this.#title.textContent = [row.method ?? row.kind, row.target].filter((word) => word !== undefined).join(' · ');
    this.#content.replaceChildren();
    this.element.replaceChildren(this.#bar(row), this.#content);
    if (row.kind !== 'frame') this.#content.append(make('p', '', row.text ?? ''));
  }

  close(): void {
    this.#seq = undefined;
    this.element.hidden = true;
  }

  /** Moves the focus into the pane. */
  focus(): void {
    this.element.querySelector('button')?.focus();
  }

  /** @param rows every row of the call with its message @param stderr lines of the servers it went to, meanwhile */
  show(rows: readonly TrafficRow[], stderr: readonly TrafficRow[], why?: string): void {
    const { stages, others } = arrange(rows);
    const parts: Element[] = why === undefined ? [] : [make('p', '', why)];
    for (const stage of stages) parts.push(...stageElements(stage));
    if (others.length > 0) {
      parts.push(make('h3', '', t('Also in this call')));
      for (const row of others) parts.push(frameElement(row));
    }
    if (stderr.length > 0) {
      parts.push(make('h3', '', t('Standard error meanwhile')));
      parts.push(
        block(
          t('Standard error meanwhile'),
          stderr.map((row) => ({ text: `${clock(row.time)} ${row.server}: ${row.text}`, changed: false })),
        ),
      );
    }
    this.#content.replaceChildren(...parts);
  }

  #bar(row: TrafficRow): HTMLElement {
    const bar = make('div', 'bar');
    const button = (text: string, act: () => void): HTMLButtonElement => {
      const made = make('button', '', text);
      made.type = 'button';
      made.addEventListener('click', act);
      return made;
    };
    bar.append(this.#title);
    if (row.kind === 'frame') bar.append(button(t('Open as JSON'), () => this.#parts.onOpen(row.seq)));
    if (row.kind === 'frame' && this.#live) {
      bar.append(button(t('Resend'), () => this.#parts.onResend(row.seq, false)));
      bar.append(button(t('Edit and Resend…'), () => this.#parts.onResend(row.seq, true)));
    }
    bar.append(button(t('Close'), () => this.#parts.onClose()));
    return bar;
  }
}

function stageElements({ title, left, right }: Stage): Element[] {
  const sides = make('div', left.row !== undefined && right.row !== undefined ? 'sides' : 'sides one');
  const both = left.row?.message !== undefined && right.row?.message !== undefined;
  const texts = compareLines(lines(left.row), lines(right.row));
  for (const [side, marked, mark] of [
    [left, texts.before, 'left'],
    [right, texts.after, 'right'],
  ] as const) {
    if (side.row === undefined) continue;
    const figure = make('figure', mark);
    figure.append(make('figcaption', '', [side.label, facts(side.row)].join(' · ')));
    figure.append(block(side.label, both ? marked : marked.map(({ text }) => ({ text, changed: false }))));
    sides.append(figure);
  }
  const elements: Element[] = [make('h3', '', title), sides];
  if (both) elements.push(changeList(changes(left.row?.message, right.row?.message)));
  return elements;
}

function lines(row: TrafficRow | undefined): readonly string[] {
  return row?.message === undefined ? [] : jsonLines(row.message);
}

function facts(row: TrafficRow): string {
  const known = [
    row.server ?? row.client,
    row.bytes === undefined ? undefined : size(row.bytes),
    row.ms === undefined ? undefined : duration(row.ms),
  ];
  return known.filter((fact) => fact !== undefined).join(' · ');
}

/** What the daemon changed, by place: the lines show it too, but a moved brace is no change. */
function changeList(places: readonly Change[]): Element {
  if (places.length === 0) return make('p', 'unchanged', t('The daemon passed it on unchanged.'));
  const list = make('ul', 'changes');
  list.setAttribute('aria-label', t('Differences between the edges'));
  for (const { pointer, before, after } of places) {
    const item = make('li');
    item.append(make('code', '', pointer === '' ? '/' : pointer), ` ${short(before)} → ${short(after)}`);
    list.append(item);
  }
  return list;
}

function short(value: unknown): string {
  if (value === undefined) return t('absent');
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function frameElement(row: TrafficRow): Element {
  const element = make('details');
  const words = [clock(row.time), wayInWords(row), row.method ?? row.type ?? '', row.server ?? '', row.status ?? ''];
  element.append(make('summary', '', words.filter((word) => word !== '').join(' · ')));
  element.addEventListener('toggle', () => {
    // Made when it is opened: a call may have many.
    if (element.open && element.childElementCount === 1)
      element.append(
        block(
          row.method ?? t('Message'),
          lines(row)
            .slice(0, MOST_LINES)
            .map((text) => ({ text, changed: false })),
        ),
      );
  });
  return element;
}

/** Text in lines, scrollable with the keyboard. */
function block(label: string, texts: readonly DiffLine[]): HTMLElement {
  const pre = make('pre');
  pre.tabIndex = 0;
  pre.setAttribute('role', 'region');
  pre.setAttribute('aria-label', label);
  let same: string[] = [];
  const flush = (): void => {
    if (same.length > 0) pre.append(`${same.join('\n')}\n`);
    same = [];
  };
  for (const { text, changed } of texts) {
    if (!changed) {
      same.push(text);
      continue;
    }
    flush();
    pre.append(make('mark', '', text), '\n');
  }
  flush();
  if (texts.length >= MOST_LINES) pre.append(t('The rest is in "Open as JSON".'));
  return pre;
}
