/** The smallest change to a JSON text: one property in, out or replaced. No other character moves, so nobody's layout or comment is touched. */
import { createScanner, findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import type { KeyPath } from './text-format.ts';

interface Edit {
  readonly offset: number;
  readonly length: number;
  readonly content: string;
}
/** How the text is laid out: one step of indentation, and its line end. */
interface Layout {
  readonly unit: string;
  readonly eol: string;
}

/**
 * The text with a value set at a path, or without the key when `value` is `undefined`. Objects missing on the way are made.
 * @param text parses to an object, and what is on the way of `path` are objects
 */
export function editedJson(text: string, path: KeyPath, value: unknown): string {
  const root = parseTree(text, [], { allowTrailingComma: true });
  if (root === undefined) return text;
  const layout = { unit: /^\s*\{\r?\n([ \t]+)/.exec(text)?.[1] ?? '  ', eol: eolOf(text) };
  const existing = findNodeAtLocation(root, [...path]);
  let edits: readonly Edit[];
  if (value === undefined) edits = existing?.parent === undefined ? [] : removal(text, existing.parent);
  else if (existing === undefined) edits = insertion(text, root, path, value, layout);
  else {
    const indent = indentAt(text, existing.parent?.offset ?? 0) ?? layout.unit.repeat(path.length);
    edits = [{ offset: existing.offset, length: existing.length, content: printed(value, indent, layout) }];
  }
  // From the last one, so that the offsets of the earlier ones stay right.
  return edits.reduceRight((all, { offset, length, content }) => all.slice(0, offset) + content + all.slice(offset + length), text);
}

/** The line end a text uses. */
export function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

/** At the end of the deepest object there is, behind whatever comment stands last in it. */
function insertion(text: string, root: Node, path: KeyPath, value: unknown, layout: Layout): readonly Edit[] {
  let object = root;
  let depth = 0;
  for (let next: Node | undefined = root; next !== undefined; next = findNodeAtLocation(root, path.slice(0, depth + 1))) {
    if (next !== root) depth += 1;
    object = next;
  }
  const nested = path.slice(depth + 1).reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  const last = object.children?.at(-1);
  const indent = (last === undefined ? undefined : indentAt(text, last.offset)) ?? layout.unit.repeat(depth + 1);
  const close = object.offset + object.length - 1;
  const offset = text.slice(0, close).trimEnd().length;
  const property = `${layout.eol}${indent}${JSON.stringify(path[depth])}: ${printed(nested, indent, layout)}`;
  // A brace on a line of its own stays as it is.
  const edit = /\n/.test(text.slice(offset, close))
    ? { offset, length: 0, content: property }
    : { offset, length: close - offset, content: `${property}${layout.eol}${layout.unit.repeat(depth)}` };
  const end = last === undefined ? undefined : last.offset + last.length;
  return end === undefined || commaAfter(text, end) !== undefined ? [edit] : [{ offset: end, length: 0, content: ',' }, edit];
}

/** A property with the one comma that goes with it; with its lines, when nothing else stands on them. */
function removal(text: string, property: Node): readonly Edit[] {
  const end = property.offset + property.length;
  const after = commaAfter(text, end);
  const siblings = property.parent?.children ?? [];
  const previous = siblings[siblings.indexOf(property) - 1];
  const before = after === undefined && previous !== undefined ? commaAfter(text, previous.offset + previous.length) : undefined;
  let [from, to] = [property.offset, after === undefined ? end : after + 1];
  const head = /[ \t]*$/.exec(text.slice(0, from))?.[0].length ?? 0;
  const tail = /^[ \t]*\r?\n/.exec(text.slice(to))?.[0].length;
  if (tail !== undefined && /(^|\n)$/.test(text.slice(0, from - head))) [from, to] = [from - head, to + tail];
  const edit = { offset: from, length: to - from, content: '' };
  return before === undefined ? [edit] : [{ offset: before, length: 1, content: '' }, edit];
}

/** Where the comma behind a value is, if the next thing but comments is one. */
function commaAfter(text: string, offset: number): number | undefined {
  const scanner = createScanner(text, true);
  scanner.setPosition(offset);
  scanner.scan();
  return text[scanner.getTokenOffset()] === ',' ? scanner.getTokenOffset() : undefined;
}

/** The indentation of what stands first on its line. */
function indentAt(text: string, offset: number): string | undefined {
  return /(?:^|\n)([ \t]*)$/.exec(text.slice(0, offset))?.[1];
}

function printed(value: unknown, indent: string, { unit, eol }: Layout): string {
  return JSON.stringify(value, null, unit).split('\n').join(`${eol}${indent}`);
}
