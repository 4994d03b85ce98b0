/** Words of strangers (servers, recordings, files) on a terminal: they are read, they do not steer it. */

/** Control characters but line ends and tabs, a carriage return that goes back over a line, and what turns the direction of writing. */
const STEERING = /\r(?!\n)|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
/** The same, with what ends a line. */
const STEERING_A_LINE = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
/** What `JSON.stringify` leaves as it is. */
const STEERING_JSON = /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text of several lines in which what would steer the terminal is shown in its place (`\x1b`). */
export function harmless(text: string): string {
  return text.replaceAll(STEERING, shown);
}

/** The same on one line: line ends and tabs become blanks. */
export function printable(text: string): string {
  return text.replaceAll(STEERING_A_LINE, (character) => (character === '\n' || character === '\t' ? ' ' : shown(character)));
}

/** JSON of the same value, in which nothing steers the terminal. @param json as `JSON.stringify` writes it */
export function harmlessJson(json: string): string {
  return json.replaceAll(STEERING_JSON, (character) => `\\u${hex(character, 4)}`);
}

function shown(character: string): string {
  return character < '\u0100' ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`;
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0');
}
