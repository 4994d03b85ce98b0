/** read_text_file, list_directory and get_file_info. */
import { readdirSync, type Stats } from 'node:fs';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { ToolDefinition } from '../../plugin/define.ts';
import { notFound } from '../guard/beneath.ts';
import { readContent } from '../guard/content.ts';
import type { Area } from '../guard/roots.ts';

/** Characters of text one answer carries at most; more would drown the model. */
const MAX_TEXT = 256 * 1024;
const MAX_ENTRIES = 1000;

const READ_ONLY = { readOnlyHint: true, openWorldHint: false } as const;
const PATH = { type: 'string', description: 'Relative to the first root, or absolute beneath any root.' } as const;

/**
 * Decodes a file as text: UTF-8, or UTF-16 with its byte order mark.
 * @throws SignalboxError `SBX_FS_NOT_TEXT`
 */
export function decodeText(path: string, data: Buffer): string {
  if (data[0] === 0xff && data[1] === 0xfe) return new TextDecoder('utf-16le').decode(data);
  if (data[0] === 0xfe && data[1] === 0xff) return new TextDecoder('utf-16be').decode(data);
  if (data.includes(0)) {
    throw new SignalboxError('SBX_FS_NOT_TEXT', `"${path}" is not a text file.`, {
      why: 'It contains zero bytes.',
      fix: 'Use get_file_info to learn about it.',
    });
  }
  return new TextDecoder('utf-8').decode(data);
}

/** read_text_file */
export function readTextFile(area: Area, maxFileBytes: number): ToolDefinition {
  const line = { type: 'integer', minimum: 1 } as const;
  return {
    name: 'read_text_file',
    title: 'Read a text file',
    description: `Reads a text file, whole or some of its lines. Roots: ${area.roots.join(', ')}.`,
    input: {
      type: 'object',
      additionalProperties: false,
      required: ['path'],
      properties: {
        path: PATH,
        startLine: { ...line, description: 'First line, from 1.' },
        endLine: { ...line, description: 'Last line, included.' },
        head: { ...line, description: 'Only the first lines.' },
        tail: { ...line, description: 'Only the last lines.' },
      },
    },
    output: {
      type: 'object',
      required: ['path', 'text', 'startLine', 'endLine', 'totalLines', 'truncated'],
      properties: {
        path: { type: 'string' },
        text: { type: 'string' },
        startLine: { type: 'integer' },
        endLine: { type: 'integer' },
        totalLines: { type: 'integer' },
        truncated: { type: 'boolean', description: 'The text was cut at the size limit.' },
      },
    },
    annotations: READ_ONLY,
    run: (args) => {
      const path = String(args['path']);
      const place = area.locate(path, 'read');
      try {
        const lines = linesOf(decodeText(path, readContent(place, maxFileBytes)));
        const { first, last } = range(args, lines.length);
        let text = lines.slice(first - 1, last).join('');
        const truncated = text.length > MAX_TEXT;
        if (truncated) text = text.slice(0, MAX_TEXT);
        // Where the cut fell, so that the next call can go on from there.
        const endLine = truncated ? first + linesOf(text).length - 1 : last;
        const note = truncated ? `\n[cut at ${MAX_TEXT} characters, in line ${endLine} of ${lines.length}: go on with startLine]` : '';
        return {
          structured: { path: place.path, text, startLine: first, endLine, totalLines: lines.length, truncated },
          text: text + note,
        };
      } finally {
        place.close();
      }
    },
  };
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/u);
}

function range(args: Readonly<Record<string, unknown>>, total: number): { first: number; last: number } {
  const value = (name: string): number | undefined => (typeof args[name] === 'number' ? args[name] : undefined);
  const head = value('head');
  const tail = value('tail');
  if (tail !== undefined) return { first: Math.max(1, total - tail + 1), last: total };
  if (head !== undefined) return { first: 1, last: Math.min(head, total) };
  const first = value('startLine') ?? 1;
  return { first, last: Math.min(value('endLine') ?? total, total) };
}

/** list_directory */
export function listDirectory(area: Area): ToolDefinition {
  return {
    name: 'list_directory',
    title: 'List a folder',
    description: `Lists files and folders with their sizes. Roots: ${area.roots.join(', ')}.`,
    input: { type: 'object', additionalProperties: false, properties: { path: { ...PATH, default: '.' } } },
    output: {
      type: 'object',
      required: ['path', 'roots', 'entries', 'truncated'],
      properties: {
        path: { type: 'string' },
        roots: { type: 'array', items: { type: 'string' } },
        entries: {
          type: 'array',
          items: {
            type: 'object',
            required: ['name', 'type'],
            properties: { name: { type: 'string' }, type: { type: 'string' }, size: { type: 'integer' } },
          },
        },
        truncated: { type: 'boolean' },
      },
    },
    annotations: READ_ONLY,
    run: (args) => {
      const path = typeof args['path'] === 'string' ? args['path'] : '.';
      const place = area.locate(path, 'read');
      try {
        if (place.stat?.isDirectory() !== true) {
          throw new SignalboxError('SBX_FS_REFUSED', `"${path}" is not a folder.`, { why: 'It is a file.', fix: 'Use read_text_file.' });
        }
        const names = readdirSync(place.ref).sort();
        const entries: { name: string; type: string; size?: number }[] = [];
        for (const name of names) {
          if (entries.length === MAX_ENTRIES) break;
          if (!area.visible(place.path === '' ? name : `${place.path}/${name}`)) continue;
          const child = place.child(name);
          if (child?.stat === undefined) continue;
          entries.push({ name, type: typeOf(child.stat), ...(child.stat.isFile() ? { size: child.stat.size } : {}) });
          child.close();
        }
        const truncated = entries.length === MAX_ENTRIES && names.length > MAX_ENTRIES;
        const text = entries.map(
          (entry) => `${entry.type.padEnd(6)} ${entry.name}${entry.size === undefined ? '' : ` (${entry.size} bytes)`}`,
        );
        if (truncated) text.push(`[cut after ${MAX_ENTRIES} of ${names.length} entries]`);
        return { structured: { path: place.path, roots: area.roots, entries, truncated }, text: text.join('\n') || '(empty)' };
      } finally {
        place.close();
      }
    },
  };
}

/** get_file_info */
export function getFileInfo(area: Area): ToolDefinition {
  return {
    name: 'get_file_info',
    title: 'File information',
    description: 'Type, size and times of a file or folder.',
    input: { type: 'object', additionalProperties: false, required: ['path'], properties: { path: PATH } },
    output: {
      type: 'object',
      required: ['path', 'type', 'size', 'modified', 'created', 'mode'],
      properties: {
        path: { type: 'string' },
        type: { type: 'string' },
        size: { type: 'integer' },
        modified: { type: 'string' },
        created: { type: 'string' },
        mode: { type: 'string', description: 'POSIX permissions, octal.' },
      },
    },
    annotations: READ_ONLY,
    run: (args) => {
      const path = String(args['path']);
      const place = area.locate(path, 'read');
      try {
        const { stat } = place;
        if (stat === undefined) throw notFound(path);
        return {
          structured: {
            path: place.path,
            type: typeOf(stat),
            size: stat.size,
            modified: stat.mtime.toISOString(),
            created: stat.birthtime.toISOString(),
            mode: (stat.mode & 0o777).toString(8).padStart(3, '0'),
          },
        };
      } finally {
        place.close();
      }
    },
  };
}

function typeOf(stat: Stats): string {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'folder';
  return stat.isSymbolicLink() ? 'link' : 'other';
}
