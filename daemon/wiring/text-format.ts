/** The formats clients are configured in. Each reads one value of a text and changes one, and leaves every other character as it is. */

/** A path of keys into an object, outermost first. */
export type KeyPath = readonly string[];

/** `json` as JSON.parse takes it, `jsonc` with comments and trailing commas. */
export type FormatName = 'json' | 'jsonc' | 'toml';

/** A format. `file` is only for errors. */
export interface TextFormat {
  /** What a file that is not there counts as. */
  readonly empty: string;
  /** @throws SBX_WIRE_UNREADABLE when the text does not parse */
  check(file: string, text: string): void;
  /**
   * The value at a path; `undefined` when a key is missing. The empty path is the whole.
   * @throws SBX_WIRE_UNREADABLE when something on the way is not an object, or (JSON) a key stands there twice: which counts is anybody's guess
   */
  valueAt(file: string, text: string, path: KeyPath): unknown;
  /**
   * The text with a value set at a path; `undefined` removes the key. Missing objects on the way are made.
   * @throws SBX_WIRE_UNREADABLE when that cannot be done without touching something else
   */
  textWith(file: string, text: string, path: KeyPath, value: unknown): string;
}
