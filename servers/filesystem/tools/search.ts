/** search_files: by name and by content. Links are not followed. */
import { readdirSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { ToolDefinition } from '../../plugin/define.ts';
import type { Place } from '../guard/beneath.ts';
import { readContent } from '../guard/content.ts';
import { compileGlob, type Glob } from '../guard/glob.ts';
import type { Area } from '../guard/roots.ts';

const MAX_RESULTS = 200;
const MAX_VISITED = 50_000;
const MAX_DEPTH = 64;
/** Larger files are not searched by content. */
const MAX_SEARCHED_BYTES = 1024 * 1024;
const MAX_LINE = 300;

interface Match {
  readonly path: string;
  readonly line?: number;
  readonly text?: string;
}
interface Search {
  readonly area: Area;
  readonly glob: Glob;
  readonly content: string | undefined;
  readonly signal: AbortSignal;
  readonly matches: Match[];
  visited: number;
  truncated: boolean;
}

/** search_files */
export function searchFiles(area: Area): ToolDefinition {
  return {
    name: 'search_files',
    title: 'Search files',
    description:
      'Finds files by a glob on their path and, with "content", the lines that contain a text (not a pattern; case does not matter).',
    input: {
      type: 'object',
      additionalProperties: false,
      properties: {
        path: { type: 'string', default: '.', description: 'Folder to search.' },
        glob: { type: 'string', default: '**', description: 'For example "*.ts" (at any depth) or "src/**/*.{ts,js}" (from the folder).' },
        content: { type: 'string', minLength: 1, maxLength: 1000, description: 'Text to find in the files.' },
      },
    },
    output: {
      type: 'object',
      required: ['matches', 'visited', 'truncated'],
      properties: {
        matches: {
          type: 'array',
          items: {
            type: 'object',
            required: ['path'],
            properties: { path: { type: 'string' }, line: { type: 'integer' }, text: { type: 'string' } },
          },
        },
        visited: { type: 'integer' },
        truncated: { type: 'boolean', description: 'A limit ended the search before everything was seen.' },
      },
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
    run: async (args, { signal }) => {
      const path = typeof args['path'] === 'string' ? args['path'] : '.';
      const search: Search = {
        area,
        glob: globOf(typeof args['glob'] === 'string' ? args['glob'] : '**'),
        content: typeof args['content'] === 'string' ? args['content'].toLowerCase() : undefined,
        signal,
        matches: [],
        visited: 0,
        truncated: false,
      };
      const start = area.locate(path, 'read');
      try {
        if (start.stat?.isDirectory() === true) await descend(search, start, '', 0);
        else examine(search, start, start.name);
      } finally {
        start.close();
      }
      const lines = search.matches.map((match) =>
        match.line === undefined ? match.path : `${match.path}:${match.line}: ${match.text ?? ''}`,
      );
      if (search.truncated) lines.push(`[stopped after ${search.matches.length} results and ${search.visited} entries: narrow the search]`);
      const { matches, visited, truncated } = search;
      return { structured: { matches, visited, truncated }, text: lines.join('\n') || 'Nothing found.' };
    },
  };
}

function globOf(pattern: string): Glob {
  try {
    return compileGlob(pattern);
  } catch (cause) {
    throw new SignalboxError('SBX_FS_REFUSED', 'The glob cannot be used.', {
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'Give a simpler glob such as "*.ts".',
      cause,
    });
  }
}

async function descend(search: Search, folder: Place, below: string, depth: number): Promise<void> {
  if (depth > MAX_DEPTH) {
    search.truncated = true;
    return;
  }
  let names: string[];
  try {
    names = readdirSync(folder.ref).sort();
  } catch {
    // A folder this user may not list hides nothing that could be read.
    return;
  }
  for (const name of names) {
    if (search.truncated) return;
    search.signal.throwIfAborted();
    if (++search.visited > MAX_VISITED) {
      search.truncated = true;
      return;
    }
    // A large tree must not keep the server from answering pings and cancellations.
    if (search.visited % 200 === 0) await nextTurn();
    if (!search.area.visible(folder.path === '' ? name : `${folder.path}/${name}`)) continue;
    const child = folder.child(name);
    if (child === undefined) continue;
    try {
      const path = below === '' ? name : `${below}/${name}`;
      if (child.stat?.isDirectory() === true) await descend(search, child, path, depth + 1);
      else if (child.stat?.isFile() === true) examine(search, child, path);
    } finally {
      child.close();
    }
  }
}

function examine(search: Search, file: Place, below: string): void {
  if (!search.glob(below)) return;
  if (search.content === undefined) {
    add(search, { path: file.path });
    return;
  }
  if ((file.stat?.size ?? 0) > MAX_SEARCHED_BYTES) return;
  let data: Buffer;
  try {
    data = readContent(file, MAX_SEARCHED_BYTES);
  } catch {
    // Not readable by this user, or it changed: not a result.
    return;
  }
  if (data.includes(0)) return;
  const lines = data.toString('utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    if (line.toLowerCase().includes(search.content))
      add(search, { path: file.path, line: index + 1, text: line.trim().slice(0, MAX_LINE) });
    if (search.truncated) return;
  }
}

function add(search: Search, match: Match): void {
  if (search.matches.length === MAX_RESULTS) search.truncated = true;
  else search.matches.push(match);
}
