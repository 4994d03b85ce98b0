/** Words of the page in the language of VS Code. */

let strings: Readonly<Record<string, string>> = {};

/** Takes the bundle VS Code loaded for the extension (`l10n/bundle.l10n.<language>.json`). */
export function useStrings(bundle: Readonly<Record<string, string>>): void {
  strings = bundle;
}

/** The words in the person's language; `{0}` and so on stand for the values. English where there is no other. */
export function translate(english: string, ...values: readonly (string | number)[]): string {
  const text = strings[english] ?? english;
  return text.replaceAll(/\{(\d+)\}/g, (whole, index: string) => String(values[Number(index)] ?? whole));
}
