/** The thread that redacts and writes: what the daemon's own thread hands over, in order, as soon as it comes. */
import { isMainThread, parentPort } from 'node:worker_threads';
import { type ErrorShape, SignalboxError } from '../../api/errors.ts';
import type { RecordingHeader } from '../../api/recordings.ts';
import { Redactor, type RedactorOptions } from '../redaction/redactor.ts';
import type { LineItems } from './line-maker.ts';
import { SegmentWriter } from './segment-writer.ts';
import type { Summary } from './summary.ts';

/** What the thread is told. */
export type WriterCommand =
  /** `done` counts bytes that were taken off the queue; shared, so that counting them wakes nobody. */
  | { readonly kind: 'redact'; readonly options: RedactorOptions; readonly done?: BigInt64Array }
  | { readonly kind: 'open'; readonly id: string; readonly folder: string; readonly header: RecordingHeader; readonly before?: Summary }
  | { readonly kind: 'lines'; readonly id: string; readonly items: LineItems; readonly bytes: number }
  | { readonly kind: 'info'; readonly id: string; readonly reply: number }
  | { readonly kind: 'end'; readonly id: string; readonly reply: number; readonly at: Date };
/** What it tells. */
export type WriterReport =
  | { readonly kind: 'summary'; readonly reply: number; readonly summary?: Summary; readonly error?: ErrorShape }
  /** The recording could not be written and has been stopped. */
  | { readonly kind: 'failed'; readonly id: string; readonly error: ErrorShape; readonly summary?: Summary };

/** Does what the thread is told. */
export function writerThread(report: (message: WriterReport) => void): (command: WriterCommand) => void {
  const writers = new Map<string, SegmentWriter>();
  let redactor: Redactor | undefined;
  let done: BigInt64Array | undefined;

  const failed = (id: string, folder: string, cause: unknown): void => {
    const writer = writers.get(id);
    writers.delete(id);
    const error = writeError(folder, cause);
    if (writer === undefined) return report({ kind: 'failed', id, error });
    void writer
      .end(new Date(), { why: `Writing stopped here: ${error.cause}`, error })
      .then((summary) => report({ kind: 'failed', id, error, summary }));
  };
  const folders = new Map<string, string>();

  return (command) => {
    switch (command.kind) {
      case 'redact':
        redactor = new Redactor(command.options);
        done = command.done ?? done;
        for (const writer of writers.values()) writer.redactor = redactor;
        return;
      case 'open': {
        const { id, folder, header, before } = command;
        folders.set(id, folder);
        try {
          if (redactor === undefined) throw new Error('There is no redactor.');
          writers.set(id, new SegmentWriter({ folder, header, redactor, ...(before === undefined ? {} : { before }) }));
        } catch (error) {
          failed(id, folder, error);
        }
        return;
      }
      case 'lines':
        try {
          writers.get(command.id)?.append(command.items);
        } catch (error) {
          failed(command.id, folders.get(command.id) ?? '', error);
        }
        if (done !== undefined) Atomics.add(done, 0, BigInt(command.bytes));
        return;
      case 'info': {
        const summary = writers.get(command.id)?.summary();
        return report({ kind: 'summary', reply: command.reply, ...(summary === undefined ? {} : { summary }) });
      }
      case 'end': {
        const { id, reply, at } = command;
        const writer = writers.get(id);
        writers.delete(id);
        if (writer === undefined) return report({ kind: 'summary', reply });
        void writer.end(at).then(
          (summary) => report({ kind: 'summary', reply, summary }),
          (error: unknown) => report({ kind: 'summary', reply, error: writeError(folders.get(id) ?? '', error) }),
        );
        return;
      }
    }
  };
}

function writeError(folder: string, cause: unknown): ErrorShape {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SignalboxError('SBX_RECORDING_WRITE', `The recording in ${folder} could not be written and was stopped.`, {
    why,
    fix: 'Make room on the disk, or make the folder writable, and start another recording. Calls go on.',
  }).toJSON();
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  port.on(
    'message',
    writerThread((message) => port.postMessage(message)),
  );
}
