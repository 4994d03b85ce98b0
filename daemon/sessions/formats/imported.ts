/** Messages of other programs' files become a recording: as if a client of that name had said them through the daemon. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { RECORDING_VERSION, type RecordingHeader, type RecordingInfo } from '../../api/recordings.ts';
import type { RpcId, TapConnection, TapEvent, TapTransport } from '../../api/sessions.ts';
import { type Era, eraOf } from '../../protocol/eras.ts';
import type { JsonObject } from '../../protocol/message.ts';
import { IMPORTING, newRecordingId } from '../recording/layout.ts';
import { LineMaker } from '../recording/line-maker.ts';
import { SegmentWriter } from '../recording/segment-writer.ts';
import { infoOf } from '../recording/summary.ts';
import { Redactor, type RedactorOptions } from '../redaction/redactor.ts';

/** A message found in a file. */
export interface ImportedMessage {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly from: 'client' | 'server';
  /** Whatever tells connections apart in the file. */
  readonly connection: string;
  readonly transport: TapTransport;
  readonly edge?: 'client' | 'server';
  readonly client?: string;
  readonly server?: string;
  /** Id of the request on whose stream it came. */
  readonly stream?: RpcId;
  readonly message: object;
}
/** Where an import goes. */
export interface ImportTarget {
  /** `Paths.recordingsDir`. */
  readonly folder: string;
  readonly version: string;
  readonly redaction: RedactorOptions;
  readonly name?: string;
}

/**
 * Writes a recording aside, and gives it its place when it is whole: half a one would pass for one that the daemon was writing when it ended,
 * which is gone on with.
 */
export async function writeAside(
  recordings: string,
  header: RecordingHeader,
  redactor: Redactor,
  write: (writer: SegmentWriter) => Promise<Date>,
): Promise<RecordingInfo> {
  const aside = join(recordings, `${IMPORTING}${header.id}`);
  const folder = join(recordings, header.id);
  const writer = new SegmentWriter({ folder: aside, header, redactor });
  try {
    const summary = await writer.end(await write(writer));
    renameSync(aside, folder);
    return infoOf(summary, folder, false);
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** Messages written at once; between them others get their turn. */
const BATCH = 500;

/** Writes messages as a recording. They are put in the order of their times. */
export async function writeImported(messages: readonly ImportedMessage[], target: ImportTarget): Promise<RecordingInfo> {
  const redactor = new Redactor(target.redaction);
  const ordered = messages.toSorted((a, b) => a.time - b.time);
  const epoch = Math.floor(ordered[0]?.time ?? Date.now());
  const id = newRecordingId();
  const header: RecordingHeader = {
    signalbox: 'recording',
    version: RECORDING_VERSION,
    id,
    ...(target.name === undefined ? {} : { name: target.name }),
    createdAt: new Date(epoch).toISOString(),
    segment: 1,
    writer: { name: 'signalbox import', version: target.version },
    filter: {},
    redaction: { rules: redactor.names, prefix: redactor.prefix },
  };
  const maker = new LineMaker(epoch);
  const events = new Events();
  return writeAside(target.folder, header, redactor, async (writer) => {
    for (let at = 0; at < ordered.length; at += BATCH) {
      const items: Parameters<LineMaker['add']>[0] = [];
      for (const message of ordered.slice(at, at + BATCH)) maker.add(items, events.of(message));
      writer.append(items);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return new Date(ordered.at(-1)?.time ?? epoch);
  });
}

/** Makes the events: what answers what, and in which era. */
class Events {
  readonly #connections = new Map<string, { readonly peer: TapConnection; readonly calls: Map<string, number>; era: Era | undefined }>();
  #seq = 0;

  of({ time, from, connection, transport, edge = 'client', client, server, stream, message }: ImportedMessage): TapEvent {
    const known = this.#connections.get(connection) ?? {
      peer: {
        id: connection,
        edge,
        transport,
        ...(edge === 'client'
          ? { session: `imported-${this.#connections.size + 1}`, client: client ?? 'imported', endpoint: '/mcp/default' }
          : {}),
        ...(edge === 'server' ? { server: server ?? 'imported' } : {}),
      },
      calls: new Map<string, number>(),
      era: undefined,
    };
    this.#connections.set(connection, known);
    this.#seq += 1;
    const { method, id, params } = message as { method?: string; id?: unknown; params?: JsonObject };
    const asks = method !== undefined && id !== undefined && from === 'client';
    if (method !== undefined && from === 'client')
      known.era = method === 'server/discover' ? 'modern' : eraOf({ ...(params === undefined ? {} : { params }) });
    const key = JSON.stringify(asks || (method === undefined && from === 'server') ? id : (stream ?? null));
    const call = asks ? this.#seq : known.calls.get(key);
    if (asks) known.calls.set(key, this.#seq);
    return {
      kind: 'frame',
      seq: this.#seq,
      time,
      connection: known.peer,
      session: known.peer.session,
      direction: (from === 'client') === (edge === 'client') ? 'in' : 'out',
      era: known.era,
      stream,
      call: edge === 'client' ? call : undefined,
      message,
      bytes: Buffer.byteLength(JSON.stringify(message)),
    };
  }
}
