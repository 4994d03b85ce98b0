/** What a terminal shows while a run goes on. */
import type { ConformEvent } from '../../api/conformance.ts';

const BAR = 20;

/**
 * What an event adds to the terminal; often nothing. The bar is drawn over itself, findings stay above it.
 * @param columns width of the terminal
 */
export function progressLine(event: ConformEvent, columns: number): string {
  switch (event.type) {
    case 'tools': {
      const left =
        event.left.length === 0
          ? ''
          : `; not called, since they do not say that they are read-only (--allow): ${plain(event.left.join(', '))}`;
      return `\r${CLEAR}${event.era}: tools that will be called: ${plain(event.called.join(', ')) || 'none'}${left}\n`;
    }
    case 'progress': {
      const filled = Math.round((BAR * event.done) / Math.max(1, event.total));
      const line = `[${'='.repeat(filled)}${' '.repeat(BAR - filled)}] ${event.done}/${event.total} ${event.era} ${event.cases} cases  ${event.property}`;
      return `\r${CLEAR}${line.slice(0, Math.max(20, columns - 1))}`;
    }
    case 'finding': {
      const { severity, requirement, statement, flaky } = event.finding;
      return `\r${CLEAR}${flaky ? 'flaky ' : ''}${severity} ${requirement}  ${statement}\n`.slice(0, Math.max(40, columns * 2));
    }
    case 'end':
      return `\r${CLEAR}`;
    default:
      return '';
  }
}

const CLEAR = '\u001b[K';

/** A text without what moves a cursor, changes a colour or turns the direction of writing; its line breaks stay. */
export function plain(text: string): string {
  return text.toWellFormed().replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
