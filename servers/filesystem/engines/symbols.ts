/** Finds where functions, classes and variables are defined, by the syntax tree (tree-sitter, as WASM, the grammars VS Code uses). */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Language, Node, Parser } from '@vscode/tree-sitter-wasm';
import type { Area } from '../guard/area.ts';
import { compileGlob } from '../guard/glob.ts';
import { readFound, type Share } from './content-search.ts';
import { globsOf, matchesAny } from './filters.ts';
import { LANGUAGES, languageOf, type SymbolKind, symbolOf } from './languages.ts';
import { walk } from './walk.ts';

/** What to look for: plain data. */
export interface SymbolQuery {
  readonly path: string;
  /** A name, or a glob over names. */
  readonly name: string;
  readonly kind: SymbolKind | undefined;
  readonly glob: readonly string[];
  readonly includeIgnored: boolean;
  readonly maxMatches: number;
}

/** One definition. */
export interface SymbolMatch {
  readonly file: number;
  readonly path: string;
  readonly name: string;
  readonly kind: SymbolKind;
  readonly line: number;
  readonly endLine: number;
  /** Class or function around it. */
  readonly container?: string;
  readonly text: string;
}

/** What one worker found. */
export interface SymbolResult {
  readonly matches: readonly SymbolMatch[];
  readonly files: number;
  readonly ended: boolean;
}

interface TreeSitter {
  readonly Parser: typeof Parser & { init(options: object): Promise<void> };
  readonly Language: typeof Language;
}

/** Larger files are not code that a person wrote. */
const MAX_BYTES = 2 * 1024 * 1024;
const MAX_TEXT = 200;
const require = createRequire(import.meta.url);
let engine: Promise<{ sitter: TreeSitter; parser: Parser; folder: string }> | undefined;
const grammars = new Map<string, Language>();

/** Searches this worker's share of the tree. */
export async function findSymbols(area: Area, query: SymbolQuery, share: Share): Promise<SymbolResult> {
  const glob = /[*?[{]/.test(query.name) ? compileGlob(query.name) : undefined;
  const needle = glob === undefined ? Buffer.from(query.name, 'utf8') : undefined;
  const isNamed = (name: string): boolean => (glob === undefined ? name === query.name : glob(name));
  const files = globsOf(query.glob);
  const matches: SymbolMatch[] = [];
  const counts = { skippedLarge: 0 };
  let seen = 0;
  const start = area.locate(query.path, 'read');
  try {
    // A single file is searched through its folder: the same way as all.
    const single = start.place.stat?.isDirectory() === true ? undefined : start.place.name;
    const from = single === undefined ? start : area.locate(area.shown(start.root, start.place.path.slice(0, -single.length - 1)), 'read');
    try {
      for (const found of walk(area, from, { exclude: [], includeIgnored: query.includeIgnored, share })) {
        const language = found.entry.isFile() ? languageOf(found.entry.name) : undefined;
        if (language === undefined || (single !== undefined && found.path !== start.place.path)) continue;
        if (files.length > 0 && !matchesAny(files, found.below)) continue;
        if (share.cancelled()) break;
        const data = readFound(area, from, found, MAX_BYTES, counts);
        if (data === undefined || (needle !== undefined && data.indexOf(needle) < 0)) continue;
        const text = data.toString('utf8');
        if (++seen % 50 === 0) share.progress(seen);
        for (const match of await definitions(text, language, isNamed)) {
          if (query.kind !== undefined && match.kind !== query.kind) continue;
          matches.push({ ...match, file: found.index, path: area.shown(from.root, found.path) });
          if (matches.length >= query.maxMatches) return { matches, files: seen, ended: false };
        }
      }
    } finally {
      if (from !== start) from.place.close();
    }
  } finally {
    start.place.close();
  }
  return { matches, files: seen, ended: true };
}

type Definition = Omit<SymbolMatch, 'file' | 'path'>;

async function definitions(text: string, language: string, isNamed: (name: string) => boolean): Promise<Definition[]> {
  const { parser } = await load(language);
  const tree = parser.parse(text);
  if (tree === null) return [];
  const lines = text.split('\n');
  const found: Definition[] = [];
  try {
    const open: { node: Node; container: string | undefined }[] = [{ node: tree.rootNode, container: undefined }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { node } = next;
      const symbol = symbolOf(language, node);
      let { container } = next;
      if (symbol !== undefined) {
        if (isNamed(symbol.name)) {
          found.push({
            name: symbol.name,
            kind: symbol.kind,
            line: node.startPosition.row + 1,
            endLine: node.endPosition.row + 1,
            text: (lines[node.startPosition.row] ?? '').trim().slice(0, MAX_TEXT),
            ...(container === undefined ? {} : { container }),
          });
        }
        container = symbol.name;
      }
      for (const child of node.namedChildren.toReversed()) if (child !== null) open.push({ node: child, container });
    }
  } finally {
    tree.delete();
  }
  return found;
}

/** The parser, set to a language; both are loaded when they are first needed. */
async function load(language: string): Promise<{ parser: Parser }> {
  engine ??= start();
  const { sitter, parser, folder } = await engine;
  let grammar = grammars.get(language);
  if (grammar === undefined) {
    grammar = await sitter.Language.load(join(folder, `tree-sitter-${language}.wasm`));
    grammars.set(language, grammar);
  }
  parser.setLanguage(grammar);
  return { parser };
}

async function start(): Promise<{ sitter: TreeSitter; parser: Parser; folder: string }> {
  // Packaged: beside this module (scripts/build.ts). From the sources: in node_modules.
  const packaged = join(dirname(fileURLToPath(import.meta.url)), 'tree-sitter', 'tree-sitter.cjs');
  const script = existsSync(packaged) ? packaged : require.resolve('@vscode/tree-sitter-wasm');
  const sitter = require(script) as TreeSitter;
  const folder = dirname(script);
  await sitter.Parser.init({ locateFile: (name: string) => join(folder, name) });
  return { sitter, parser: new sitter.Parser(), folder };
}

/** The languages, for the description of the tool. */
export const LANGUAGE_NAMES = [...new Set(Object.values(LANGUAGES))].join(', ');
