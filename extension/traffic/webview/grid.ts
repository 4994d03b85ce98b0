/** The list: an ARIA grid that draws only the rows in sight, whatever there are. */
import { type Entry, firstFrom, isFailure, type Mode } from './store.ts';
import { translate as t } from './strings.ts';
import { type Cells, COLUMNS, cells, wayInWords } from './words.ts';

/** Height of a row in pixels; the style sheet has the same. */
const ROW = 22;
/** Height of the heads, which stay over the rows. */
const HEAD = 23;
/** Rows drawn beyond the visible ones, on each side. */
const BEYOND = 6;

/** What the grid shows and whom it tells. */
export interface GridParts {
  readonly lines: () => readonly Entry[];
  readonly mode: () => Mode;
  /** Another row was chosen; `open` when with Enter or a click. */
  readonly onSelect: (entry: Entry, open: boolean) => void;
  /** The person scrolled away from the end, or back to it. */
  readonly onFollow: (follow: boolean) => void;
}

/** Draws lines. */
export class Grid {
  readonly element: HTMLElement;
  readonly #parts: GridParts;
  readonly #body: HTMLElement;
  readonly #pool: HTMLElement[] = [];
  #selected: number | undefined;
  #follow = true;
  #scheduled = false;

  constructor(parts: GridParts) {
    this.#parts = parts;
    this.element = make('div', 'grid');
    this.element.setAttribute('role', 'grid');
    this.element.setAttribute('aria-label', t('Traffic'));
    this.element.setAttribute('aria-colcount', String(COLUMNS.length));
    this.element.tabIndex = 0;
    this.element.append(this.#header());
    this.#body = make('div', 'body');
    this.#body.setAttribute('role', 'rowgroup');
    this.element.append(this.#body);
    this.element.addEventListener('scroll', () => this.#scrolled());
    this.element.addEventListener('keydown', (event) => this.#key(event));
    this.#body.addEventListener('click', (event) => this.#click(event));
    new ResizeObserver(() => {
      // The pane of the chosen row opened or closed: the row stays in sight.
      if (this.#selected !== undefined && !this.#follow) this.#reveal(this.#index());
      this.draw();
    }).observe(this.element);
  }

  /** The `seq` of the chosen row. */
  get selected(): number | undefined {
    return this.#selected;
  }

  /** Stays at the end as rows come. */
  set follow(follow: boolean) {
    this.#follow = follow;
    this.draw();
  }

  /** Draws at the next frame, however often it is asked. */
  draw(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  /** Chooses the row of `seq` and brings it into sight. */
  select(seq: number | undefined, open = false): void {
    this.#selected = seq;
    const index = this.#index();
    const entry = this.#parts.lines()[index];
    if (entry !== undefined) {
      this.#reveal(index);
      this.#parts.onSelect(entry, open);
    }
    this.draw();
  }

  #draw(): void {
    const lines = this.#parts.lines();
    this.#body.style.height = `${lines.length * ROW}px`;
    if (this.#follow) this.element.scrollTop = lines.length * ROW;
    const first = Math.max(0, Math.floor(this.element.scrollTop / ROW) - BEYOND);
    const count = Math.min(lines.length - first, Math.ceil(this.element.clientHeight / ROW) + 2 * BEYOND);
    const mode = this.#parts.mode();
    for (let place = 0; place < Math.max(count, this.#pool.length); place++) {
      const entry = place < count ? lines[first + place] : undefined;
      if (entry === undefined) this.#pool[place]?.remove();
      else this.#fill(this.#row(place), entry, first + place, mode);
    }
    this.#pool.length = Math.min(this.#pool.length, Math.max(count, 0));
    this.element.setAttribute('aria-rowcount', String(lines.length + 1));
    const active = this.#body.querySelector('[aria-selected="true"]');
    if (active === null) this.element.removeAttribute('aria-activedescendant');
    else this.element.setAttribute('aria-activedescendant', active.id);
  }

  #row(place: number): HTMLElement {
    let row = this.#pool[place];
    if (row === undefined) {
      row = make('div', 'row');
      row.id = `row-${place}`;
      row.setAttribute('role', 'row');
      for (const [index, column] of COLUMNS.entries()) {
        const cell = make('span', `cell ${column}`);
        cell.setAttribute('role', 'gridcell');
        cell.setAttribute('aria-colindex', String(index + 1));
        row.append(cell);
      }
      this.#pool[place] = row;
    }
    if (row.parentElement === null) this.#body.append(row);
    return row;
  }

  #fill(row: HTMLElement, entry: Entry, index: number, mode: Mode): void {
    const words = cells(entry, mode);
    for (const [place, column] of COLUMNS.entries()) {
      const cell = row.children[place];
      if (cell !== undefined && cell.textContent !== words[column]) cell.textContent = words[column];
    }
    const { row: event } = entry;
    if (event.kind === 'frame' && mode === 'frames') row.children[COLUMNS.indexOf('way')]?.setAttribute('aria-label', wayInWords(event));
    else row.children[COLUMNS.indexOf('way')]?.removeAttribute('aria-label');
    const end = mode === 'calls' ? (entry.answer ?? event) : event;
    row.className = `row ${event.kind} ${event.edge}${isFailure(end) || isFailure(event) ? ' failure' : ''}`;
    row.style.transform = `translateY(${index * ROW}px)`;
    row.dataset['seq'] = String(event.seq);
    row.setAttribute('aria-rowindex', String(index + 2));
    row.setAttribute('aria-selected', String(event.seq === this.#selected));
  }

  #header(): HTMLElement {
    const group = make('div', 'head');
    group.setAttribute('role', 'rowgroup');
    const titles = columnTitles();
    const row = make('div', 'row');
    row.setAttribute('role', 'row');
    row.setAttribute('aria-rowindex', '1');
    for (const [index, column] of COLUMNS.entries()) {
      const cell = make('span', `cell ${column}`);
      cell.setAttribute('role', 'columnheader');
      cell.setAttribute('aria-colindex', String(index + 1));
      cell.textContent = titles[column];
      row.append(cell);
    }
    group.append(row);
    return group;
  }

  #scrolled(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.element;
    const atEnd = scrollTop + clientHeight >= scrollHeight - ROW;
    // Our own scrolling to the end says nothing new; a person's does.
    if (atEnd !== this.#follow) {
      this.#follow = atEnd;
      this.#parts.onFollow(atEnd);
    }
    this.draw();
  }

  #key(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW) - 1);
    const lines = this.#parts.lines();
    const index = this.#index();
    const to = {
      ArrowDown: index + 1,
      ArrowUp: index < 0 ? lines.length - 1 : index - 1,
      PageDown: index + page,
      PageUp: index - page,
      Home: 0,
      End: lines.length - 1,
      Enter: Math.max(index, 0),
    }[event.key];
    if (to === undefined || lines.length === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const entry = lines[Math.min(lines.length - 1, Math.max(0, to))];
    const last = entry === lines.at(-1) && event.key === 'End';
    if (last !== this.#follow) {
      this.#follow = last;
      this.#parts.onFollow(last);
    }
    this.select(entry?.row.seq, event.key === 'Enter');
  }

  #click(event: Event): void {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>('.row') : null;
    const seq = row?.dataset['seq'];
    if (seq === undefined) return;
    // What is looked at stays where it is.
    if (this.#follow) {
      this.#follow = false;
      this.#parts.onFollow(false);
    }
    this.select(Number(seq), true);
  }

  #index(): number {
    const lines = this.#parts.lines();
    if (this.#selected === undefined) return -1;
    const index = firstFrom(lines, this.#selected);
    return lines[index]?.row.seq === this.#selected ? index : -1;
  }

  #reveal(index: number): void {
    if (index < 0) return;
    const { scrollTop, clientHeight } = this.element;
    const [top, bottom] = [index * ROW, (index + 1) * ROW];
    if (top < scrollTop) this.element.scrollTop = top;
    else if (bottom > scrollTop + clientHeight - HEAD) this.element.scrollTop = bottom - clientHeight + HEAD;
  }
}

/** Heads of the columns. */
function columnTitles(): Readonly<Record<keyof Cells, string>> {
  return {
    time: t('Time'),
    client: t('Client'),
    server: t('Server'),
    way: t('Way'),
    method: t('Method'),
    target: t('Tool'),
    status: t('Status'),
    duration: t('Duration'),
    bytes: t('Size'),
  };
}

/** An element with a class. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, className = '', text = ''): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  if (text !== '') element.textContent = text;
  return element;
}
