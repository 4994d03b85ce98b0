/** Files of other programs, and exported recordings, become recordings of the state directory. Redacted like what is recorded here. */
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { SignalboxError } from '../../api/errors.ts';
import type { RecordingHeader, RecordingInfo } from '../../api/recordings.ts';
import { parseJson } from '../../protocol/json.ts';
import { isObject } from '../../protocol/message.ts';
import { Damage } from '../recording/damage.ts';
import { newRecordingId } from '../recording/layout.ts';
import type { LineItems } from '../recording/line-maker.ts';
import { openRecording } from '../recording/reader.ts';
import { Redactor } from '../redaction/redactor.ts';
import { harMessages, rpcMessages } from './har-import.ts';
import { type ImportedMessage, type ImportTarget, writeAside, writeImported } from './imported.ts';

/** Formats that can be read. */
export const IMPORT_FORMATS = ['jsonl', 'har', 'plain', 'inspector'] as const;
/** One of them. */
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/** Other programs' files are read whole: larger ones are refused. Exported recordings are read line by line. */
const LARGEST = 512 * 1024 * 1024;

/**
 * Imports a file.
 * @param format absent: told from the content
 * @throws SBX_RECORDING_IMPORT when it cannot be read, has no MCP message in it, or is another format; SBX_RECORDING_VERSION
 */
export async function importRecording(file: string, options: ImportTarget & { readonly format?: string }): Promise<RecordingInfo> {
  const { format } = options;
  if (format !== undefined && !(IMPORT_FORMATS as readonly string[]).includes(format))
    throw refused(file, `\`${format}\` is none of ${IMPORT_FORMATS.join(', ')}.`);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) throw refused(file, 'There is no such file.');
  if (!stat.isFile() && !stat.isDirectory()) throw refused(file, 'It is neither a file nor a folder.');
  const named = { name: baseName(file), ...options };
  if (format === 'jsonl' || (format === undefined && (await isRecording(file)))) return importJsonl(file, options);
  if (stat.size > LARGEST) throw refused(file, 'It is larger than 512 MiB.');
  const text = await readFile(file, 'utf8');
  const messages = read(file, text, format as ImportFormat | undefined);
  if (messages.length === 0) throw refused(file, 'There is no MCP message in it.');
  return writeImported(messages, named);
}

function read(file: string, text: string, format: ImportFormat | undefined): readonly ImportedMessage[] {
  if (format === 'plain') return plainMessages(file, text);
  let document: unknown;
  try {
    document = parseJson(text);
  } catch (cause) {
    // several documents, one a line
    if (format === undefined) return plainMessages(file, text);
    throw refused(file, `It is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (format === 'har' || (format === undefined && isObject(document) && 'log' in document)) return harMessages(document);
  if (Array.isArray(document) && document.some((entry) => isObject(entry) && 'message' in entry)) return inspectorMessages(document);
  if (format === 'inspector')
    throw refused(file, 'It is not what the MCP Inspector exports under History: a list of entries with a `message`.');
  return plainMessages(file, text);
}

/**
 * What the MCP Inspector (2.x) saves with "Export JSON" under History: entries `{timestamp, direction, origin, message, response?, duration?}`,
 * the response of a request in the same entry. Its 0.x versions have no export.
 */
function inspectorMessages(entries: readonly unknown[]): readonly ImportedMessage[] {
  return entries.flatMap((entry): ImportedMessage[] => {
    if (!isObject(entry) || !isObject(entry['message'])) return [];
    const { timestamp, origin, message, response, duration } = entry;
    const time = timeOf(timestamp) ?? Date.now();
    const from =
      origin === 'server' || (origin === undefined && entry['direction'] === 'notification') ? ('server' as const) : ('client' as const);
    const rest = { connection: 'inspector', transport: 'bridge' as const, client: 'inspector' };
    const asked: ImportedMessage = { time, from, ...rest, message };
    if (!isObject(response)) return [asked];
    const later = time + (typeof duration === 'number' && duration > 0 ? duration : 0);
    return [asked, { time: later, from: from === 'client' ? 'server' : 'client', ...rest, message: response }];
  });
}

/** One message a line: bare, or in an object that says who sent it and when. */
function plainMessages(file: string, text: string): readonly ImportedMessage[] {
  const asked = new Set<string>();
  const found: ImportedMessage[] = [];
  let last = Date.now();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const value = lineValue(file, line, index + 1);
    const inner = ['message', 'msg', 'data', 'payload'].map((key) => value[key]).find((each) => isObject(each) || typeof each === 'string');
    const messages = value['jsonrpc'] === '2.0' ? [value] : typeof inner === 'string' ? rpcMessages(inner) : isObject(inner) ? [inner] : [];
    for (const message of messages as { id?: unknown; method?: unknown }[]) {
      const from = senderOf(value) ?? guessedSender(message, asked);
      if (from === 'client' && message.method !== undefined && message.id !== undefined) asked.add(JSON.stringify(message.id));
      last = timeOf(value['time'] ?? value['timestamp'] ?? value['ts']) ?? last + 1;
      const { connection, edge, client, server } = value;
      found.push({
        time: last,
        from,
        connection: typeof connection === 'string' ? connection : 'plain',
        transport: 'bridge',
        ...(edge === 'server' ? { edge } : {}),
        ...(typeof client === 'string' ? { client } : {}),
        ...(typeof server === 'string' ? { server } : {}),
        message,
      });
    }
  }
  return found;
}

function lineValue(file: string, line: string, number: number): Readonly<Record<string, unknown>> {
  try {
    const value = parseJson(line);
    if (isObject(value)) return value;
  } catch {
    // told below
  }
  throw refused(file, `Line ${number} is not a JSON object.`);
}

function senderOf(value: Readonly<Record<string, unknown>>): 'client' | 'server' | undefined {
  const told = String(value['from'] ?? value['direction'] ?? value['dir'] ?? value['origin'] ?? '').toLowerCase();
  if (/^(?:client|send|sent|out|outgoing|outbound|request|->|>)/.test(told)) return 'client';
  if (/^(?:server|receive|received|in|incoming|inbound|response|<-|<)/.test(told)) return 'server';
  return undefined;
}

const BY_CLIENT = new Set(['notifications/initialized', 'notifications/roots/list_changed']);
const BY_SERVER = new Set(['sampling/createMessage', 'elicitation/create', 'roots/list']);

/** Who must have sent it, where the line does not say. */
function guessedSender(message: { readonly id?: unknown; readonly method?: unknown }, asked: ReadonlySet<string>): 'client' | 'server' {
  const { id, method } = message;
  if (typeof method !== 'string') return asked.has(JSON.stringify(id)) ? 'server' : 'client';
  if (id === undefined) return BY_CLIENT.has(method) || method === 'notifications/cancelled' ? 'client' : 'server';
  return BY_SERVER.has(method) ? 'server' : 'client';
}

/** Milliseconds since 1970 of an ISO text or a number of seconds, milliseconds or microseconds. */
function timeOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value < 1e11 ? value * 1000 : value > 1e17 ? undefined : value > 1e14 ? value / 1000 : value;
  const parsed = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}

async function isRecording(file: string): Promise<boolean> {
  try {
    await (await openRecording(file)).close();
    return true;
  } catch (error) {
    // of a newer version: say that, not that it is something else
    if (error instanceof SignalboxError && error.code === 'SBX_RECORDING_VERSION') throw error;
    return statSync(file).isDirectory();
  }
}

/** An exported recording, line by line; what is secret here is taken out too. What cannot be read becomes a gap, and is the answer's `problem`. */
async function importJsonl(file: string, target: ImportTarget): Promise<RecordingInfo> {
  const reader = await openRecording(file);
  const redactor = new Redactor(target.redaction);
  const id = newRecordingId();
  const name = target.name ?? reader.header.name ?? baseName(file);
  const header: RecordingHeader = { ...reader.header, id, segment: 1, name };
  const damage = new Damage();
  const info = await writeAside(target.folder, header, redactor, async (writer) => {
    let items: LineItems = [];
    let end = 0;
    for await (const line of reader.lines()) {
      damage.line(line);
      end = Math.max(end, line.t);
      if (line.k === 'end') continue;
      if (line.k === 'frame') {
        const { m: _m, blob: _blob, ...head } = line;
        items.push(JSON.stringify(head).slice(0, -1), JSON.stringify(await reader.message(line)));
      } else items.push(JSON.stringify(line), null);
      if (items.length < 1000) continue;
      writer.append(items);
      items = [];
      await new Promise((resolve) => setImmediate(resolve));
    }
    writer.append(items);
    return new Date(Date.parse(header.createdAt) + end);
  });
  const [problem] = damage.problems ?? [];
  return problem === undefined ? info : { ...info, problem };
}

function baseName(file: string): string {
  const name = file.split(/[\\/]/).at(-1) ?? file;
  return name.slice(0, name.length - extname(name).length);
}

function refused(file: string, why: string): SignalboxError {
  return new SignalboxError('SBX_RECORDING_IMPORT', `${file} cannot be imported.`, {
    why,
    fix: 'Signalbox reads its own `jsonl`, `har` with MCP over HTTP, `plain` JSON-RPC lines, and the history the MCP Inspector exports (`inspector`).',
  });
}
