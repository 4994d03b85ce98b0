/** Text and bytes: which encoding a file has, and back again without changing a byte that was not edited. */
import { isUtf8 } from 'node:buffer';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { printable } from '../guard/beneath.ts';

/** The encodings that are kept when a file is edited. */
export type Encoding = 'utf-8' | 'utf-8-bom' | 'utf-16le' | 'utf-16be' | 'latin1';

/** Decoded text and what it takes to encode it again. */
export interface Text {
  readonly text: string;
  readonly encoding: Encoding;
}

/**
 * Which encoding data has: by its byte order mark, else UTF-8 when it is valid, else one byte per character.
 * @param complete false for a piece of a file, whose last character may be cut
 * @throws SignalboxError `SBX_FS_NOT_TEXT`
 */
export function encodingOf(path: string, data: Buffer, complete = true): Encoding {
  if (data[0] === 0xff && data[1] === 0xfe) return 'utf-16le';
  if (data[0] === 0xfe && data[1] === 0xff) return 'utf-16be';
  if (data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf) return 'utf-8-bom';
  if (data.includes(0)) throw notText(path);
  const end = complete ? data.length : data.length - cutBytes(data);
  return isUtf8(data.subarray(0, end)) ? 'utf-8' : 'latin1';
}

/** Decodes by the given encoding; the byte order mark is taken away. */
export function decode(data: Buffer, encoding: Encoding): string {
  if (encoding === 'utf-8') return data.toString('utf8');
  if (encoding === 'utf-8-bom') return data.toString('utf8', data[0] === 0xef ? 3 : 0);
  if (encoding === 'latin1') return data.toString('latin1');
  return new TextDecoder(encoding).decode(data);
}

/**
 * Encodes text; the opposite of {@link decode}.
 * @throws SignalboxError `SBX_FS_NOT_TEXT` for a character the encoding does not have
 */
export function encode(path: string, text: string, encoding: Encoding): Buffer {
  if (!text.isWellFormed()) {
    throw new SignalboxError('SBX_FS_NOT_TEXT', `The text for "${printable(path)}" is not valid Unicode.`, {
      why: 'It has half of a surrogate pair, which no encoding can hold.',
      fix: 'Send whole characters.',
    });
  }
  switch (encoding) {
    case 'utf-8':
      return Buffer.from(text, 'utf8');
    case 'utf-8-bom':
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text, 'utf8')]);
    case 'utf-16le':
      return Buffer.from(`\ufeff${text}`, 'utf16le');
    case 'utf-16be':
      return Buffer.from(`\ufeff${text}`, 'utf16le').swap16();
    case 'latin1': {
      const wide = /[^\u0000-\u00ff]/u.exec(text);
      if (wide === null) return Buffer.from(text, 'latin1');
      throw new SignalboxError('SBX_FS_NOT_TEXT', `"${printable(path)}" cannot hold "${wide[0]}".`, {
        why: 'The file has one byte per character (it is not UTF-8), and that character is not among them.',
        fix: 'Use plain characters, or write the whole file anew as UTF-8 with write_file.',
      });
    }
  }
}

/** Decodes a whole file that is to be encoded again. @throws SignalboxError `SBX_FS_NOT_TEXT` */
export function decodeText(path: string, data: Buffer): Text {
  const encoding = encodingOf(path, data);
  const text = decode(data, encoding);
  // Half a character of UTF-16 would come back as another: bytes nobody edited.
  if (encoding.startsWith('utf-16') && !encode(path, text, encoding).equals(data)) throw notText(path, 'It is not valid UTF-16.');
  return { encoding, text };
}

/** How lines end. */
export function lineEndings(text: string): 'lf' | 'crlf' | 'mixed' | 'none' {
  const crlf = text.includes('\r\n');
  const lf = /(?:^|[^\r])\n/.test(text);
  return crlf ? (lf ? 'mixed' : 'crlf') : lf ? 'lf' : 'none';
}

/** How many bytes at the end belong to a UTF-8 character that is cut. */
export function cutBytes(data: Buffer): number {
  for (let back = 1; back <= Math.min(3, data.length); back++) {
    const byte = data[data.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

function notText(path: string, why = 'It contains zero bytes.'): SignalboxError {
  return new SignalboxError('SBX_FS_NOT_TEXT', `"${printable(path)}" is not a text file.`, {
    why,
    fix: 'Use read_media_file for images and sound, get_file_info to learn about it, or hash_file.',
  });
}
