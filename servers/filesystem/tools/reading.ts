/** read_text_file, read_multiple_files and hash_file. */
import { createHash } from 'node:crypto';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { errorResult, type JsonObject } from '../../plugin/define.ts';
import { type Piece, readLines, readTail } from '../engines/ranges.ts';
import { cutBytes, decode, type Encoding, encodingOf } from '../engines/text.ts';
import type { Area, Located } from '../guard/area.ts';
import { openContent, tooLarge } from '../guard/content.ts';
import { assertFits, type Call, type FileTool, input, output, PATH, READ_ONLY } from './define.ts';

/** Bytes of text one answer carries when a part is asked for. */
const MAX_PART = 1024 * 1024;
const MAX_FILES = 50;
/**
 * Characters that stand in the structured content as well as in the text. Twice 10 MB is more than the SDK's clients take on stdio: their
 * buffer ends at 10 MiB and closes the connection.
 */
const MAX_TWICE = 256 * 1024;
const LINE = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const;

const RESULT = {
  path: { type: 'string' },
  content: { type: 'string' },
  contentInText: { type: 'boolean', description: 'The content is large and stands in the text of the answer only.' },
  encoding: { type: 'string', description: 'utf-8, utf-8-bom, utf-16le, utf-16be or latin1 (one byte per character).' },
  size: { type: 'integer', description: 'Bytes of the whole file.' },
  startLine: { type: 'integer', description: 'Number of the first line given, where it is known.' },
  endLine: { type: 'integer' },
  offset: { type: 'integer', description: 'Where the content begins, in bytes.' },
  nextOffset: { type: 'integer', description: 'Present when something follows: go on with this offset.' },
  truncated: { type: 'boolean', description: 'The content was cut at the size limit of one answer.' },
} as const;

/** read_text_file */
export function readTextFile(area: Area, maxFileBytes: number): FileTool {
  return {
    name: 'read_text_file',
    title: 'Read a text file',
    description:
      'Reads a text file: whole, its first lines (head), last lines (tail), a range of lines (startLine, endLine), or a range of bytes (offset, length). ' +
      'Parts work for files of any size; a whole file must be below the limit of the settings. The encoding is found out. Not for folders or binary files.',
    input: input(['path'], {
      path: PATH,
      head: { ...LINE, description: 'Only the first lines.' },
      tail: { ...LINE, description: 'Only the last lines.' },
      startLine: { ...LINE, description: 'First line, from 1.' },
      endLine: { ...LINE, description: 'Last line, included.' },
      offset: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'First byte, from 0.' },
      length: { type: 'integer', minimum: 1, maximum: MAX_PART, description: `Bytes, with offset; at most ${MAX_PART}.` },
    }),
    output: output(['path', 'encoding', 'size', 'truncated'], RESULT),
    annotations: READ_ONLY,
    run: async (args, call) => {
      const structured = await readText(area, args, maxFileBytes, call);
      const more = structured['truncated'] === true ? `\n[cut: go on with offset ${structured['nextOffset']}]` : '';
      const text = `${structured['content']}${more}`;
      assertFits(String(structured['path']), text, maxFileBytes);
      if (text.length <= MAX_TWICE) return { structured, text };
      const { content: _content, ...rest } = structured;
      return { structured: { ...rest, contentInText: true }, text };
    },
  };
}

/** read_multiple_files */
export function readMultipleFiles(area: Area, maxFileBytes: number): FileTool {
  return {
    name: 'read_multiple_files',
    title: 'Read several text files',
    description: `Reads up to ${MAX_FILES} text files in one call; quicker than one by one. A file that cannot be read has an "error" and does not fail the others.`,
    input: input(['paths'], { paths: { type: 'array', items: PATH, minItems: 1, maxItems: MAX_FILES } }),
    output: output(['files'], { files: { type: 'array', items: output(['path'], { ...RESULT, error: { type: 'object' } }) } }),
    annotations: READ_ONLY,
    run: async (args, call) => {
      const files: JsonObject[] = [];
      const read: Record<string, unknown>[] = [];
      let left = maxFileBytes;
      for (const path of args['paths'] as readonly string[]) {
        try {
          const seen: Record<string, unknown> = { path };
          read.push(seen);
          const file = await readText(area, { path }, left, { signal: call.signal, note: (fields) => void Object.assign(seen, fields) });
          left = Math.max(0, left - Number(file['size']));
          files.push(file);
        } catch (thrown) {
          call.signal.throwIfAborted();
          const error = errorResult(thrown)._meta?.['dev.signalbox/error'] as { readonly code: string };
          Object.assign(read.at(-1) ?? {}, { outcome: 'refused', code: error.code });
          files.push({ path, error });
        }
      }
      call.note({ files: read });
      const text = files.map((file) =>
        file['error'] === undefined
          ? `${file['path']}:\n${file['content']}\n`
          : `${file['path']}: ${(file['error'] as { code: string; message: string }).code}: ${(file['error'] as { message: string }).message}\n`,
      );
      const joined = text.join('\n---\n');
      assertFits('paths', joined, maxFileBytes);
      if (joined.length <= MAX_TWICE) return { structured: { files }, text: joined };
      const light = files.map(({ content, ...rest }) => (content === undefined ? rest : { ...rest, contentInText: true }));
      return { structured: { files: light }, text: joined };
    },
  };
}

/** hash_file */
export function hashFile(area: Area): FileTool {
  return {
    name: 'hash_file',
    title: 'Hash a file',
    description: 'Computes a checksum of a file of any size, to compare files or to see whether one has changed.',
    input: input(['path'], { path: PATH, algorithm: { enum: ['sha256', 'sha512', 'sha1', 'md5'], default: 'sha256' } }),
    output: output(['path', 'algorithm', 'hash', 'size'], {
      path: { type: 'string' },
      algorithm: { type: 'string' },
      hash: { type: 'string', description: 'Hexadecimal.' },
      size: { type: 'integer' },
    }),
    annotations: READ_ONLY,
    run: async (args, call) => {
      const algorithm = typeof args['algorithm'] === 'string' ? args['algorithm'] : 'sha256';
      return withFile(area, String(args['path']), call, async (located) => {
        const file = openContent(located.place);
        try {
          const hash = createHash(algorithm);
          let size = 0;
          for (let chunk = file.read(0, 1 << 20); chunk.length > 0; chunk = file.read(size, 1 << 20)) {
            hash.update(chunk);
            size += chunk.length;
            await new Promise((done) => setImmediate(done));
            call.signal.throwIfAborted();
            if (size % (1 << 28) === 0) call.progress(size, 'bytes hashed');
          }
          call.note({ bytes: size });
          return { structured: { path: located.shown, algorithm, hash: hash.digest('hex'), size } };
        } finally {
          file.close();
        }
      });
    },
  };
}

/** Locates for reading, checks the names of the file, and closes. */
export async function withFile<T>(
  area: Area,
  path: string,
  call: Pick<Call, 'note'>,
  use: (located: Located) => Promise<T> | T,
): Promise<T> {
  const located = area.locate(path, 'read');
  call.note({ root: located.root.path, path: located.place.path });
  try {
    area.checkLinks(located);
    return await use(located);
  } finally {
    located.place.close();
  }
}

/** What read_text_file gives, also for resources. */
export async function readText(
  area: Area,
  args: JsonObject,
  maxFileBytes: number,
  call: Pick<Call, 'note' | 'signal'>,
): Promise<JsonObject> {
  return withFile(area, String(args['path']), call, async (located) => {
    const file = openContent(located.place);
    try {
      const number = (name: string): number | undefined => (typeof args[name] === 'number' ? args[name] : undefined);
      const { size } = file.stat;
      const [head, tail, first, last, from] = ['head', 'tail', 'startLine', 'endLine', 'offset'].map(number);
      const offset = from ?? (number('length') === undefined ? undefined : 0);
      let piece: Piece;
      if ([head, tail, offset, first ?? last].filter((value) => value !== undefined).length > 1) throw oneRange();
      if (offset !== undefined) piece = bytes(file.read(offset, number('length') ?? MAX_PART), offset, size);
      else if (tail !== undefined) piece = await readTail(file, tail, MAX_PART, call.signal);
      else if (head !== undefined) piece = await readLines(file, 1, head, MAX_PART, call.signal);
      else if (first !== undefined || last !== undefined)
        piece = await readLines(file, first ?? 1, last ?? Number.MAX_SAFE_INTEGER, MAX_PART, call.signal);
      else {
        if (size > maxFileBytes) throw tooLarge(located.shown, size, maxFileBytes);
        // One byte more than it says, so that a file that has grown is noticed; some file systems say 0 of everything.
        const data = file.read(0, (size === 0 ? 65_536 : size) + 1);
        if (data.length > maxFileBytes) throw tooLarge(located.shown, data.length, maxFileBytes);
        piece = { data, offset: 0, firstLine: 1, cut: false, atEnd: true };
      }
      call.note({ bytes: piece.data.length });
      return describe(located.shown, piece, size, piece.offset === 0 ? piece.data : file.read(0, 3));
    } finally {
      file.close();
    }
  });
}

function bytes(data: Buffer, offset: number, size: number): Piece {
  const atEnd = offset + data.length >= size;
  return { data, offset, firstLine: offset === 0 ? 1 : undefined, cut: !atEnd, atEnd };
}

function describe(path: string, piece: Piece, size: number, beginning: Buffer): JsonObject {
  const whole = piece.offset === 0 && piece.atEnd;
  let { data } = piece;
  // A piece of UTF-16 has no mark of its own: the file's beginning tells.
  let encoding: Encoding = encodingOf(path, piece.offset === 0 ? data : wide(beginning) ? beginning : data, whole);
  if (piece.offset > 0 && encoding === 'utf-8-bom') encoding = 'utf-8';
  if (piece.cut && encoding.startsWith('utf-8')) data = data.subarray(0, data.length - cutBytes(data));
  const content = decode(data, encoding);
  const lines = content === '' ? 0 : content.split('\n').length - (content.endsWith('\n') ? 1 : 0);
  return {
    path,
    content,
    encoding,
    size,
    offset: piece.offset,
    truncated: piece.cut,
    ...(piece.firstLine === undefined ? {} : { startLine: piece.firstLine, endLine: piece.firstLine + Math.max(0, lines - 1) }),
    ...(piece.offset + data.length < size ? { nextOffset: piece.offset + data.length } : {}),
  };
}

function wide(beginning: Buffer): boolean {
  return (beginning[0] === 0xff && beginning[1] === 0xfe) || (beginning[0] === 0xfe && beginning[1] === 0xff);
}

function oneRange(): SignalboxError {
  return new SignalboxError('SBX_FS_REFUSED', 'More than one part of the file was asked for.', {
    why: 'head, tail, startLine/endLine and offset/length say different things.',
    fix: 'Give one of them.',
  });
}
