/** read_media_file: images and sound as content a model can look at. */
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Area } from '../guard/area.ts';
import { printable } from '../guard/beneath.ts';
import { readContent } from '../guard/content.ts';
import { type FileTool, input, output, PATH, READ_ONLY } from './define.ts';
import { withFile } from './reading.ts';

const BY_EXTENSION: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  bmp: 'image/bmp',
  ico: 'image/x-icon',
  avif: 'image/avif',
  svg: 'image/svg+xml',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  ogg: 'audio/ogg',
  oga: 'audio/ogg',
  opus: 'audio/ogg',
  flac: 'audio/flac',
  m4a: 'audio/mp4',
  aac: 'audio/aac',
  weba: 'audio/webm',
  pdf: 'application/pdf',
  zip: 'application/zip',
  gz: 'application/gzip',
  wasm: 'application/wasm',
  mp4: 'video/mp4',
  webm: 'video/webm',
  json: 'application/json',
  html: 'text/html',
  css: 'text/css',
  js: 'text/javascript',
  mjs: 'text/javascript',
  ts: 'text/x-typescript',
  md: 'text/markdown',
  csv: 'text/csv',
  xml: 'application/xml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  txt: 'text/plain',
};
/** How the formats begin; the content is believed before the name. */
const BY_BEGINNING: readonly (readonly [string, (data: Buffer) => boolean])[] = [
  ['image/png', (data) => data.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n'],
  ['image/jpeg', (data) => data[0] === 0xff && data[1] === 0xd8 && data[2] === 0xff],
  ['image/gif', (data) => /^GIF8[79]a/.test(data.toString('latin1', 0, 6))],
  ['image/webp', (data) => data.toString('latin1', 0, 4) === 'RIFF' && data.toString('latin1', 8, 12) === 'WEBP'],
  ['audio/wav', (data) => data.toString('latin1', 0, 4) === 'RIFF' && data.toString('latin1', 8, 12) === 'WAVE'],
  ['audio/ogg', (data) => data.toString('latin1', 0, 4) === 'OggS'],
  ['audio/flac', (data) => data.toString('latin1', 0, 4) === 'fLaC'],
  ['audio/mpeg', (data) => data.toString('latin1', 0, 3) === 'ID3' || (data[0] === 0xff && ((data[1] ?? 0) & 0xe6) === 0xe2)],
  ['application/pdf', (data) => data.toString('latin1', 0, 5) === '%PDF-'],
];

/** The MIME type of a file by its content and its name. */
export function mimeOf(name: string, data?: Buffer): string {
  const found = data === undefined ? undefined : BY_BEGINNING.find(([, begins]) => begins(data))?.[0];
  if (found !== undefined) return found;
  const extension = /\.([a-z0-9]{1,5})$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  return BY_EXTENSION[extension] ?? (data?.includes(0) === true ? 'application/octet-stream' : 'text/plain');
}

/** read_media_file */
export function readMediaFile(area: Area, maxFileBytes: number): FileTool {
  return {
    name: 'read_media_file',
    title: 'Read an image or sound',
    description:
      'Reads an image or audio file and returns it as image or audio content with its MIME type (found in the content, not only the name).',
    input: input(['path'], { path: PATH }),
    output: output(['path', 'mimeType', 'size'], { path: { type: 'string' }, mimeType: { type: 'string' }, size: { type: 'integer' } }),
    annotations: READ_ONLY,
    run: (args, call) =>
      withFile(area, String(args['path']), call, ({ place, shown }) => {
        // Base64 makes three bytes four: what goes out must fit where text of maxFileBytes fits.
        const data = readContent(place, Math.floor(maxFileBytes * 0.8));
        const mimeType = mimeOf(place.name, data);
        const type = mimeType.startsWith('image/') ? 'image' : mimeType.startsWith('audio/') ? 'audio' : undefined;
        if (type === undefined) {
          throw new SignalboxError('SBX_FS_NOT_MEDIA', `"${printable(shown)}" is neither an image nor sound.`, {
            why: `It looks like ${mimeType}.`,
            fix: 'Use read_text_file for text.',
          });
        }
        call.note({ bytes: data.length });
        return { structured: { path: shown, mimeType, size: data.length }, content: [{ type, data: data.toString('base64'), mimeType }] };
      }),
  };
}
