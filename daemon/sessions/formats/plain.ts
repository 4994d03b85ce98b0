/** Plain JSONL: one message a line with who sent it, for `jq` and for other programs. */
import type { OpenLine } from '../../api/recordings.ts';
import type { ExportSource, LineSink } from './jsonl.ts';

/** A line of a plain file. */
export interface PlainLine {
  /** ISO 8601. */
  readonly time: string;
  readonly from: 'client' | 'server';
  readonly edge: 'client' | 'server';
  readonly connection: string;
  readonly client?: string;
  readonly server?: string;
  readonly message: object;
}

/** Writes the messages of both edges. */
export async function plainText({ reader, redact, see }: ExportSource, write: LineSink): Promise<void> {
  const opens = new Map<string, OpenLine>();
  const epoch = Date.parse(reader.header.createdAt);
  for await (const line of reader.lines()) {
    if (line.k === 'open') opens.set(line.c, line);
    if (line.k !== 'frame') {
      see.line(line, line.k === 'open' ? JSON.stringify(line) : '');
      continue;
    }
    const open = opens.get(line.c);
    const edge = open?.edge ?? 'client';
    const message = redact(await reader.message(line));
    const out: PlainLine = {
      time: new Date(epoch + line.t).toISOString(),
      from: (line.d === 'in') === (edge === 'client') ? 'client' : 'server',
      edge,
      connection: line.c,
      ...(open?.client === undefined ? {} : { client: open.client }),
      ...(open?.server === undefined ? {} : { server: open.server }),
      message,
    };
    const text = JSON.stringify(out);
    see.line({ ...line, m: message }, text);
    await write(`${text}\n`);
  }
}
