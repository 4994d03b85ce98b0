/** search_files, search_content and find_symbol. */
import { setImmediate as turn } from 'node:timers/promises';
import type { ContentMatch, ContentResult } from '../engines/content-search.ts';
import { globsOf, matchesAny } from '../engines/filters.ts';
import { SYMBOL_KINDS, type SymbolKind } from '../engines/languages.ts';
import type { SearchPool } from '../engines/pool.ts';
import { LANGUAGE_NAMES, type SymbolMatch, type SymbolResult } from '../engines/symbols.ts';
import { walk } from '../engines/walk.ts';
import type { Area } from '../guard/area.ts';
import { type FileTool, input, output, PATH, READ_ONLY } from './define.ts';
import { startOf, withFolder } from './listing.ts';

const MAX_PAGE = 1000;
const MAX_CHARS = 1_500_000;
const MAX_VISITED = 2_000_000;
const GLOBS = { type: 'array', items: { type: 'string', minLength: 1, maxLength: 500 }, maxItems: 100, default: [] } as const;
const PAGING = {
  limit: { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: 200 },
  cursor: { type: 'string', maxLength: 2000, description: 'nextCursor of the page before.' },
} as const;
const IGNORED = { type: 'boolean', default: false, description: 'Look also at what .gitignore names.' } as const;

/** search_files */
export function searchFiles(area: Area): FileTool {
  return {
    name: 'search_files',
    title: 'Find files by name',
    description:
      'Finds files and folders by a glob on their path: "*.ts" matches at any depth, "src/**/*.{ts,js}" from the folder, "**" everything. ' +
      'Case does not matter. Links are listed, not followed. To search inside files use search_content.',
    input: input(['pattern'], {
      path: { ...PATH, default: '.', description: `Folder to search. ${PATH.description}` },
      pattern: { type: 'string', minLength: 1, maxLength: 500, description: 'Glob: *, **, ?, [abc], {a,b}.' },
      excludePatterns: GLOBS,
      includeIgnored: IGNORED,
      type: { enum: ['any', 'file', 'folder'], default: 'any' },
      ...PAGING,
    }),
    output: output(['matches', 'visited'], {
      matches: { type: 'array', items: output(['path', 'type'], { path: { type: 'string' }, type: { type: 'string' } }) },
      visited: { type: 'integer' },
      nextCursor: { type: 'string' },
    }),
    annotations: READ_ONLY,
    run: (args, call) =>
      withFolder(area, typeof args['path'] === 'string' ? args['path'] : '.', call, async (located) => {
        const globs = globsOf([String(args['pattern'])]);
        const exclude = globsOf((args['excludePatterns'] as readonly string[] | undefined) ?? []);
        const [start, limit] = [startOf(args['cursor']), limitOf(args)];
        const wanted = typeof args['type'] === 'string' ? args['type'] : 'any';
        const matches: { path: string; type: string }[] = [];
        let visited = 0;
        let found = 0;
        for (const { entry, path, below } of walk(area, located, { exclude, includeIgnored: args['includeIgnored'] === true })) {
          // A large tree must not keep the server from answering pings and cancellations.
          if (++visited % 1000 === 0) {
            await turn();
            call.signal.throwIfAborted();
            if (visited % 10_000 === 0) call.progress(visited, 'entries looked at');
          }
          if (found > start + limit || visited > MAX_VISITED) break;
          const type = entry.isDirectory() ? 'folder' : entry.isFile() ? 'file' : entry.isSymbolicLink() ? 'link' : 'other';
          if ((wanted !== 'any' && type !== wanted) || !matchesAny(globs, below)) continue;
          if (found++ >= start && matches.length < limit) matches.push({ path: area.shown(located.root, path), type });
        }
        const next = found > start + limit ? { nextCursor: String(start + limit) } : {};
        call.note({ matches: matches.length, visited });
        const text = matches.map(({ path, type }) => (type === 'folder' ? `${path}/` : path));
        if (found > start + limit) text.push(`[more: cursor ${start + limit}]`);
        return { structured: { matches, visited, ...next }, text: text.join('\n') || 'Nothing found.' };
      }),
  };
}

/** search_content */
export function searchContent(area: Area, pool: SearchPool, maxFileBytes: number): FileTool {
  return {
    name: 'search_content',
    title: 'Search inside files',
    description:
      'Finds the lines that match a regular expression (or, with "literal", a text) in all text files beneath a folder, like grep. ' +
      'RE2 syntax: no look-around, no back references; it can never hang. What .gitignore names, binary files and protected files are left out. ' +
      'Narrow with "glob". To find where something is defined use find_symbol.',
    input: input(['pattern'], {
      path: { ...PATH, default: '.', description: `Folder or file to search. ${PATH.description}` },
      pattern: { type: 'string', minLength: 1, maxLength: 2000 },
      literal: { type: 'boolean', default: false, description: 'The pattern is a text.' },
      ignoreCase: { type: 'boolean', default: false },
      glob: { ...GLOBS, description: 'Only files whose path matches one of these.' },
      excludePatterns: GLOBS,
      includeIgnored: IGNORED,
      context: { type: 'integer', minimum: 0, maximum: 20, default: 0, description: 'Lines to show before and after.' },
      ...PAGING,
    }),
    output: output(['matches', 'files', 'engine'], {
      matches: {
        type: 'array',
        items: output(['path', 'line', 'column', 'text'], {
          path: { type: 'string' },
          line: { type: 'integer' },
          column: { type: 'integer' },
          text: { type: 'string', description: 'The line, cut around the match when it is long.' },
          before: { type: 'array', items: { type: 'string' } },
          after: { type: 'array', items: { type: 'string' } },
        }),
      },
      files: { type: 'integer', description: 'How many files were looked into.' },
      skippedLarge: { type: 'integer', description: 'Files over the size limit that were not searched.' },
      engine: { type: 'string' },
      nextCursor: { type: 'string' },
    }),
    annotations: READ_ONLY,
    run: async (args, call) => {
      const path = typeof args['path'] === 'string' ? args['path'] : '.';
      // Refused here, before a thread is asked.
      const located = area.locate(path, 'read');
      call.note({ root: located.root.path, path: located.place.path });
      located.place.close();
      const [start, limit] = [startOf(args['cursor']), limitOf(args)];
      const results = (await pool.run(
        {
          kind: 'content',
          query: {
            path,
            pattern: String(args['pattern']),
            literal: args['literal'] === true,
            ignoreCase: args['ignoreCase'] === true,
            glob: (args['glob'] as readonly string[] | undefined) ?? [],
            exclude: (args['excludePatterns'] as readonly string[] | undefined) ?? [],
            includeIgnored: args['includeIgnored'] === true,
            context: typeof args['context'] === 'number' ? args['context'] : 0,
            maxMatches: start + limit + 1,
            maxFileBytes: Math.max(maxFileBytes, 64 * 1024 * 1024),
          },
        },
        { signal: call.signal, progress: (files) => call.progress(files, 'files searched') },
      )) as ContentResult[];
      const { page, next } = merge<ContentMatch>(results, start, limit);
      const matches = page.map(({ file: _file, ...match }) => match);
      const files = sum(results.map((result) => result.files));
      call.note({ matches: matches.length, files });
      const text = matches.map((match) => {
        const before = (match.before ?? []).map((line, index, all) => `${match.path}-${match.line - all.length + index}- ${line}`);
        const after = (match.after ?? []).map((line, index) => `${match.path}-${match.line + 1 + index}- ${line}`);
        return [...before, `${match.path}:${match.line}: ${match.text}`, ...after].join('\n');
      });
      if (next !== undefined) text.push(`[more: cursor ${next}]`);
      const context = typeof args['context'] === 'number' && args['context'] > 0;
      return {
        structured: {
          matches,
          files,
          skippedLarge: sum(results.map((result) => result.skippedLarge)),
          engine: results[0]?.engine ?? 'v8',
          ...(next === undefined ? {} : { nextCursor: next }),
        },
        text: text.join(context ? '\n--\n' : '\n') || `Nothing found in ${files} files.`,
      };
    },
  };
}

/** find_symbol */
export function findSymbol(area: Area, pool: SearchPool): FileTool {
  return {
    name: 'find_symbol',
    title: 'Find a definition',
    description: `Finds where functions, methods, classes, interfaces, types, enums, variables and modules are defined, by the syntax tree, not by text. Languages: ${LANGUAGE_NAMES}. The name may be a glob such as "handle*".`,
    input: input(['name'], {
      name: { type: 'string', minLength: 1, maxLength: 200, description: 'Exact name, or a glob.' },
      path: { ...PATH, default: '.', description: `Folder or file to search. ${PATH.description}` },
      kind: { enum: SYMBOL_KINDS, description: 'Only definitions of this kind.' },
      glob: { ...GLOBS, description: 'Only files whose path matches one of these.' },
      includeIgnored: IGNORED,
      ...PAGING,
    }),
    output: output(['symbols', 'files'], {
      symbols: {
        type: 'array',
        items: output(['path', 'name', 'kind', 'line', 'endLine', 'text'], {
          path: { type: 'string' },
          name: { type: 'string' },
          kind: { type: 'string' },
          line: { type: 'integer' },
          endLine: { type: 'integer' },
          container: { type: 'string', description: 'The class, function or module around it.' },
          text: { type: 'string', description: 'The first line of the definition.' },
        }),
      },
      files: { type: 'integer', description: 'How many files were parsed.' },
      nextCursor: { type: 'string' },
    }),
    annotations: READ_ONLY,
    run: async (args, call) => {
      const path = typeof args['path'] === 'string' ? args['path'] : '.';
      const located = area.locate(path, 'read');
      call.note({ root: located.root.path, path: located.place.path });
      located.place.close();
      globsOf([String(args['name'])]);
      const [start, limit] = [startOf(args['cursor']), limitOf(args)];
      const results = (await pool.run(
        {
          kind: 'symbols',
          query: {
            path,
            name: String(args['name']),
            kind: args['kind'] as SymbolKind | undefined,
            glob: (args['glob'] as readonly string[] | undefined) ?? [],
            includeIgnored: args['includeIgnored'] === true,
            maxMatches: start + limit + 1,
          },
        },
        { signal: call.signal, progress: (files) => call.progress(files, 'files parsed') },
      )) as SymbolResult[];
      const { page, next } = merge<SymbolMatch>(results, start, limit);
      const symbols = page.map(({ file: _file, ...match }) => match);
      const files = sum(results.map((result) => result.files));
      call.note({ matches: symbols.length, files });
      const text = symbols.map(
        ({ path: where, line, kind, container, text: first }) =>
          `${where}:${line}: ${kind}${container === undefined ? '' : ` in ${container}`}: ${first}`,
      );
      return {
        structured: { symbols, files, ...(next === undefined ? {} : { nextCursor: next }) },
        text: text.join('\n') || 'No definition found.',
      };
    },
  };
}

/** Puts the finds of all threads into the order of the tree and takes one page. */
function merge<Match extends { readonly file: number }>(
  results: readonly { readonly matches: readonly Match[]; readonly ended: boolean }[],
  start: number,
  limit: number,
): { page: readonly Match[]; next: string | undefined } {
  const all = results.flatMap((result) => result.matches).sort((a, b) => a.file - b.file);
  let size = 0;
  let end = start;
  // A thousand long lines with their context would be more than clients take in one message.
  for (; end < Math.min(all.length, start + limit) && (size < MAX_CHARS || end === start); end++) size += JSON.stringify(all[end]).length;
  return { page: all.slice(start, end), next: all.length > end ? String(end) : undefined };
}

function limitOf(args: Readonly<Record<string, unknown>>): number {
  return typeof args['limit'] === 'number' ? args['limit'] : 200;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
