/** JSON and JSON with comments. */
import { findNodeAtLocation, getNodeValue, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { editedJson, eolOf } from './json-edit.ts';
import type { KeyPath, TextFormat } from './text-format.ts';
import { unreadable } from './unreadable.ts';

function format(comments: boolean): TextFormat {
  const rootOf = (file: string, text: string): Node => {
    const errors: ParseError[] = [];
    const blank = isBlank(text, comments);
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
      const blank = isBlank(text, comments);
      const before = blank ? `${text}${text === '' || text.endsWith('\n') ? '' : eolOf(text)}{}${eolOf(text)}` : text;
      const root = rootOf(file, before);
      if (value === undefined && findNodeAtLocation(root, [...path]) === undefined) return text;
      return editedJson(before, path, value);
    },
  };
}

/** Plain JSON; a file with comments is refused, because the client itself could not read it. */
export const jsonFormat: TextFormat = format(false);
/** JSON with comments and trailing commas. */
export const jsoncFormat: TextFormat = format(true);

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

/** An empty file is what installers leave; one of comments alone is what editors make of "open settings": an empty object to the client. */
function isBlank(text: string, comments: boolean): boolean {
  return (comments ? text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '') : text).trim() === '';
}
