/** A server may say megabytes, and VS Code draws all it is given. */

/** Characters for one row of a tree or a list. */
export const ROW = 300;

/** The text, or its beginning and an ellipsis. */
export function short(text: string, most = ROW): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
