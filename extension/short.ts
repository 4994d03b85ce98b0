/** A server may say megabytes and write from right to left over our own words, and VS Code draws all it is given. */

/** Characters for one row of a tree or a list. */
export const ROW = 300;

/** The text, or its beginning and an ellipsis; without what would turn the words around it about (bidirectional overrides) or shows as a box. */
export function short(text: string, most = ROW): string {
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return cut.replaceAll(/[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/gu, '');
}
