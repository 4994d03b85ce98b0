import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { ConfigProblem } from '../api/config.ts';

/** A path into a JSON document. */
export type JsonPath = readonly (string | number)[];

/** One JSONC text, parsed, that can say where a path stands. */
export interface ConfigDocument {
  readonly file: string;
  /** The value; `undefined` when the text has a syntax error. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** Makes a problem at a path; `key` points at the property's name rather than its value. */
  problemAt(path: JsonPath, code: ConfigProblem['code'], message: string, fix: string): ConfigProblem;
}

const SYNTAX: Readonly<Record<string, string>> = {
  InvalidSymbol: 'this is not a JSON value',
  InvalidNumberFormat: 'this number is malformed',
  PropertyNameExpected: 'a property name in double quotes is expected',
  ValueExpected: 'a value is expected',
  ColonExpected: 'a colon is expected',
  CommaExpected: 'a comma is missing',
  CloseBraceExpected: 'a closing } is missing',
  CloseBracketExpected: 'a closing ] is missing',
  EndOfFileExpected: 'the file should end here',
  UnexpectedEndOfComment: 'a comment is not closed',
  UnexpectedEndOfString: 'a string is not closed',
  InvalidEscapeCharacter: 'this escape does not exist',
  InvalidCharacter: 'this character is not allowed here',
};

/** Parses JSON with comments and trailing commas. Never throws: what is wrong is in `problems`. */
export function parseDocument(file: string, source: string): ConfigDocument {
  const text = source.replace(/^\uFEFF/, ' ');
  const place = placesOf(text);
  let root: Node | undefined;
  const errors: ParseError[] = [];
  const at = (offset: number, path: JsonPath, code: ConfigProblem['code'], message: string, fix: string): ConfigProblem => ({
    file,
    ...place(offset),
    path: pathText(path),
    code,
    message,
    fix,
  });
  const problemAt: ConfigDocument['problemAt'] = (path, code, message, fix) => at(offsetOf(root, path), path, code, message, fix);
  try {
    root = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true });
    const [first] = errors;
    if (first !== undefined) {
      const what = SYNTAX[printParseErrorCode(first.error)] ?? 'the JSON is malformed';
      return {
        file,
        value: undefined,
        problemAt,
        problems: [
          at(
            first.offset,
            [],
            'SBX_CONFIG_SYNTAX',
            `The file is not valid JSON with comments: ${what}.`,
            'Correct this place; the configuration that last worked stays in force meanwhile.',
          ),
        ],
      };
    }
    const problems: ConfigProblem[] = [];
    const value =
      root === undefined
        ? {}
        : nodeValue(root, [], (path, offset) =>
            problems.push(
              at(
                offset,
                path,
                'SBX_CONFIG_INVALID',
                `The key \`${String(path.at(-1))}\` stands here twice; the last one counts.`,
                'Remove one of the two.',
              ),
            ),
          );
    return { file, value, problems, problemAt };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // the parser recurses: a file of a million brackets must be a problem, not a crash
    return {
      file,
      value: undefined,
      problemAt,
      problems: [
        at(0, [], 'SBX_CONFIG_SYNTAX', 'The file is nested too deeply.', 'A configuration needs a handful of levels; take out the rest.'),
      ],
    };
  }
}

/** `servers.db.args[0]`; a key that is not a plain word is quoted. */
export function pathText(path: JsonPath): string {
  let out = '';
  for (const part of path) {
    if (typeof part === 'number') out += `[${part}]`;
    else if (/^[\w$-]+$/.test(part)) out += out === '' ? part : `.${part}`;
    else out += `[${JSON.stringify(part)}]`;
  }
  return out;
}

/** Own properties only: `__proto__` in a file stays an ordinary key. */
function nodeValue(node: Node, path: JsonPath, twice: (path: JsonPath, offset: number) => void): unknown {
  const children = node.children ?? [];
  if (node.type === 'array') return children.map((child, index) => nodeValue(child, [...path, index], twice));
  if (node.type !== 'object') return node.value as unknown;
  const seen = new Map<string, unknown>();
  for (const { children: pair, offset } of children) {
    const [key, value] = pair ?? [];
    if (key === undefined || value === undefined) continue;
    const name = String(key.value);
    const inner = [...path, name];
    if (seen.has(name)) twice(inner, offset);
    seen.set(name, nodeValue(value, inner, twice));
  }
  return Object.fromEntries(seen);
}

/** Offset of the key (or element) at a path, or of its nearest ancestor that is there. */
function offsetOf(root: Node | undefined, path: JsonPath): number {
  if (root === undefined) return 0;
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(root, path.slice(0, length));
    if (node !== undefined) return node.parent?.type === 'property' ? node.parent.offset : node.offset;
  }
  return root.offset;
}

function placesOf(text: string): (offset: number) => { line: number; column: number } {
  return (offset) => {
    const before = text.slice(0, offset).split('\n');
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  };
}
