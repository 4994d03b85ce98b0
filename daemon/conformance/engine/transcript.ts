/** What passed on one connection, for the report of a finding. */
import type { TraceLine } from '../../api/conformance.ts';
import { clip } from '../transports/wire.ts';

/** Lines kept. */
const KEPT = 400;
/** Characters kept of each. */
const LINE_KEPT = 65_536;

/** The last lines of a connection, whichever way they went. */
export class Transcript {
  readonly lines: TraceLine[] = [];

  /** @param direction `!` is the tester's own word */
  note(direction: '>' | '<' | '!', channel: string, text: string): void {
    // a server that answers in megabytes must not fill the memory, and nobody reads more of a line
    this.lines.push({ direction, channel, text: clip(text, LINE_KEPT) });
    if (this.lines.length > KEPT) this.lines.splice(0, this.lines.length - KEPT);
  }
}
