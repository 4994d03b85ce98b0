/** The lines of a recording as the events they were made of, so that everything that reads the tap reads recordings too. */
import type { OpenLine, RecordingLine } from '../../api/recordings.ts';
import type { TapConnection, TapEvent } from '../../api/sessions.ts';
import type { RecordingReader } from './reader.ts';
import { Recent } from './recent.ts';

/** A gap in a recording. */
export interface RecordedGap {
  readonly kind: 'gap';
  readonly seq: number;
  readonly time: number;
  readonly text: string;
}

/** Calls whose session is remembered. */
const CALLS = 65_536;
/** What an event that is no frame counts on: `seq` of a frame is its `n`. */
const STEP = 1 / 1_048_576;

/** Turns lines into events. */
export class LineEvents {
  readonly #reader: RecordingReader;
  readonly #epoch: number;
  readonly #connections = new Map<string, TapConnection>();
  /** Sessions by the `n` of the client's request. */
  readonly #sessions = new Recent<number, string>(CALLS);
  #seq = 0;

  constructor(reader: RecordingReader) {
    this.#reader = reader;
    this.#epoch = Date.parse(reader.header.createdAt);
  }

  /**
   * The event of a line; undefined where there is none (the end).
   * @throws SBX_RECORDING_DAMAGED when the message is kept aside and is not there
   */
  async event(line: RecordingLine): Promise<TapEvent | RecordedGap | undefined> {
    const time = this.#epoch + line.t;
    this.#seq = line.k === 'frame' ? line.n : this.#seq + STEP;
    const seq = this.#seq;
    switch (line.k) {
      case 'end':
        return undefined;
      case 'gap':
        return { kind: 'gap', seq, time, text: line.lost === undefined ? line.why : `${line.lost} lost: ${line.why}` };
      case 'stderr':
        return { kind: 'stderr', seq, time, server: line.server, workspace: undefined, line: line.line };
      case 'open': {
        const connection = connectionOf(line);
        this.#connections.set(line.c, connection);
        return { kind: 'open', seq, time, connection };
      }
      case 'close':
        return { kind: 'close', seq, time, connection: this.#connection(line.c), ...(line.why === undefined ? {} : { why: line.why }) };
      case 'fault': {
        const session = line.call === undefined ? undefined : this.#sessions.get(line.call);
        return {
          kind: 'fault',
          seq,
          time,
          connection: this.#connection(line.c),
          why: line.why,
          ...(line.call === undefined ? {} : { call: line.call }),
          ...(session === undefined ? {} : { session }),
        };
      }
      case 'frame': {
        const connection = this.#connection(line.c);
        if (line.call === line.n && connection.session !== undefined) this.#sessions.set(line.n, connection.session);
        return {
          kind: 'frame',
          seq,
          time,
          connection,
          session: connection.session ?? (line.call === undefined ? undefined : this.#sessions.get(line.call)),
          direction: line.d,
          era: line.era,
          stream: line.stream,
          call: line.call,
          message: line.m ?? (await this.#reader.message(line)),
          bytes: line.bytes,
        };
      }
    }
  }

  /** A damaged file may have lost the line that says more. */
  #connection(c: string): TapConnection {
    return this.#connections.get(c) ?? { id: c, edge: 'client', transport: 'bridge' };
  }
}

function connectionOf(line: OpenLine): TapConnection {
  const { k: _kind, t: _time, c, ...peer } = line;
  return { id: c, ...peer };
}
