/** Private keys in a stream of lines: the lines between BEGIN and END look like nothing by themselves. */

const BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/;
const END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/;
/** No key has more lines; what says BEGIN and never END must not hide a server's words for ever. */
const LINES = 200;
/** What stands for each of them. */
const HIDDEN = '[private key]';

/** The lines of one source, without the keys in them. */
export class KeyBlocks {
  #left = 0;

  /** The line, or what stands for it. */
  line(line: string): string {
    const begin = BEGIN.exec(line);
    const end = END.exec(line);
    if (begin !== null && (end === null || end.index < begin.index)) {
      this.#left = LINES;
      return `${line.slice(0, begin.index)}${HIDDEN}`;
    }
    if (this.#left === 0) return line;
    this.#left = end === null ? this.#left - 1 : 0;
    return end === null ? HIDDEN : `${HIDDEN}${line.slice(end.index + end[0].length)}`;
  }
}
