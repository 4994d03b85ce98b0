/** Bodies: JSON, form, multipart, text, binary. */
import { randomBytes } from 'node:crypto';
import type { Body } from '../description/operation.ts';
import { badInput } from '../guard/target.ts';
import { formPairs } from './style.ts';

/** The bytes of a body and its content type. @throws SignalboxError `SBX_API_INPUT` */
export function bodyBytes(body: Body, value: unknown): { readonly bytes: Buffer; readonly contentType: string } {
  switch (body.kind) {
    case 'json':
      return { bytes: Buffer.from(JSON.stringify(value)), contentType: body.contentType };
    case 'text':
      return {
        bytes: Buffer.from(textValue(value)),
        contentType: /charset/iu.test(body.contentType) ? body.contentType : `${body.contentType}; charset=utf-8`,
      };
    case 'binary':
      return { bytes: fromBase64(body.property, value), contentType: body.contentType };
    case 'form': {
      const pairs = formPairs(recordOf(body.property, value));
      return { bytes: Buffer.from(pairs.map(([name, text]) => `${name}=${text}`).join('&')), contentType: body.contentType };
    }
    case 'multipart':
      return multipart(body, recordOf(body.property, value));
  }
}

interface Part {
  readonly name: string;
  readonly filename?: string;
  readonly contentType?: string;
  readonly bytes: Buffer;
}

function multipart(body: Body, value: Readonly<Record<string, unknown>>): { bytes: Buffer; contentType: string } {
  const parts = Object.entries(value).flatMap(([name, each]) =>
    (Array.isArray(each) ? each : [each]).map((one) => partOf(body, name, one)),
  );
  const boundary = `signalbox-${randomBytes(18).toString('hex')}`;
  const chunks: Buffer[] = [];
  for (const part of parts) {
    const file = part.filename === undefined ? '' : `; filename="${quoted(part.filename)}"`;
    const type = part.contentType === undefined ? '' : `Content-Type: ${part.contentType}\r\n`;
    chunks.push(
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${quoted(part.name)}"${file}\r\n${type}\r\n`),
      part.bytes,
      Buffer.from('\r\n'),
    );
  }
  chunks.push(Buffer.from(`--${boundary}--\r\n`));
  return { bytes: Buffer.concat(chunks), contentType: `multipart/form-data; boundary=${boundary}` };
}

function partOf(body: Body, name: string, value: unknown): Part {
  const declared = Object.hasOwn(body.partTypes, name) ? body.partTypes[name] : undefined;
  if (body.files.includes(name)) {
    const file: Readonly<Record<string, unknown>> = typeof value === 'string' ? { text: value } : recordOf(name, value);
    const contentType = typeof file['contentType'] === 'string' ? file['contentType'] : (declared ?? 'application/octet-stream');
    if (!/^[\w.+-]+\/[\w.+-]+(?:; ?charset=[\w-]+)?$/u.test(contentType)) throw badInput(name, 'Its contentType is no content type.');
    const bytes = file['base64'] === undefined ? Buffer.from(textValue(file['text'] ?? '')) : fromBase64(name, file['base64']);
    return { name, filename: typeof file['filename'] === 'string' ? file['filename'] : 'file', contentType, bytes };
  }
  if (typeof value === 'object' && value !== null)
    return { name, contentType: declared ?? 'application/json', bytes: Buffer.from(JSON.stringify(value)) };
  return { name, bytes: Buffer.from(String(value)), ...(declared === undefined ? {} : { contentType: declared }) };
}

/** A quoted name of a part, as browsers write it (WHATWG HTML, multipart/form-data): line breaks and quotes cannot end it. */
function quoted(name: string): string {
  return name.replace(/[\r\n"]/gu, (mark) => encodeURIComponent(mark)).replace(/[\u0000-\u001f\u007f]/gu, '_');
}

function fromBase64(name: string, value: unknown): Buffer {
  const text = textValue(value).replace(/\s+/gu, '');
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/u.test(text)) throw badInput(name, 'It is not base64.');
  return Buffer.from(text, 'base64');
}

function textValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

function recordOf(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw badInput(name, 'It is not an object.');
}
