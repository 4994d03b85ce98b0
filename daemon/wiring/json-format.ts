/** JSON and JSON with comments. */
import { findNodeAtLocation, getNodeValue, modify, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { KeyPath, TextFormat } from './text-format.ts';
import { unreadable } from './unreadable.ts';

function format(comments: boolean): TextFormat {
  const rootOf = (file: string, text: string): Node => {
    const errors: ParseError[] = [];
    // A file of comments alone is what editors make of "open settings": an empty object to the client.
    const blank = comments && isBlank(text);
    const root = parseTree(blank ? '{}' : text, errors, { disallowComments: !comments, allowTrailingComma: comments });
    const [first] = errors;
    if (first !== undefined) {
      const upTo = text.slice(0, first.offset).split('\n');
      throw unreadable(file, `${printParseErrorCode(first.error)} at line ${upTo.length}, column ${(upTo.at(-1)?.length ?? 0) + 1}.`);
    }
    if (root?.type !== 'object') throw unreadable(file, 'There is no JSON object at its root.');
    return root;
  };
  return {
    empty: '{}',
    check: rootOf,
    valueAt: (file, text, path) => {
      const node = nodeAt(file, rootOf(file, text), path);
      // Through text, because the library makes objects without a prototype, which equal no literal of ours.
      return node === undefined ? undefined : (JSON.parse(JSON.stringify(getNodeValue(node))) as unknown);
    },
    textWith: (file, text, path, value) => {
      const blank = comments && isBlank(text);
      const before = blank ? `${text}${text === '' || text.endsWith('\n') ? '' : eolOf(text)}{}${eolOf(text)}` : text;
      const root = rootOf(file, before);
      if (value === undefined && findNodeAtLocation(root, [...path]) === undefined) return text;
      return edited(before, path, value);
    },
  };
}

/** Plain JSON; a file with comments is refused, because the client itself could not read it. */
export const jsonFormat: TextFormat = format(false);
/** JSON with comments and trailing commas. */
export const jsoncFormat: TextFormat = format(true);

function edited(text: string, path: KeyPath, value: unknown): string {
  const indent = /^\s*\{\r?\n([ \t]+)/.exec(text)?.[1] ?? '  ';
  const formattingOptions = {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: eolOf(text),
  };
  let changed = text;
  // Edits come in ascending order; applied from the last, the offsets of the earlier ones stay right.
  for (const { offset, length, content } of modify(text, [...path], value, { formattingOptions }).reverse())
    changed = changed.slice(0, offset) + content + changed.slice(offset + length);
  return changed;
}

function nodeAt(file: string, root: Node, path: KeyPath): Node | undefined {
  let node = root;
  for (const [index, key] of path.entries()) {
    if (node.type !== 'object') throw unreadable(file, `"${path.slice(0, index).join('.')}" is not an object.`);
    const found = (node.children ?? []).filter((property) => property.children?.[0]?.value === key);
    if (found.length > 1) throw unreadable(file, `The key "${[...path.slice(0, index), key].join('.')}" stands there twice.`);
    const next = found[0]?.children?.[1];
    if (next === undefined) return undefined;
    node = next;
  }
  return node;
}

function isBlank(text: string): boolean {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '').trim() === '';
}

function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}
