/** Words of names and descriptions, cut and shortened so that what means the same is the same. Pure. */

/** Words that say nothing about what a tool does. */
const STOP: ReadonlySet<string> = new Set(
  'a an and are as at be but by can could do does for from has have how i if in into is it its let me my of on or our please so some such that the their them then there these they this those to tool use using want was we what when which who will with would you your'.split(
    ' ',
  ),
);

/** A word as it stands in a text. */
export interface Word {
  /** Lower case, without accents: `JavaScript` → `javascript`. */
  readonly whole: string;
  /** What it is made of by its capitals: `java`, `script`. One part if it is one word. */
  readonly parts: readonly string[];
}

/** The words of a text or a name: `readTextFile`, `read_text_file` and `Read text-file` have the same parts. Stop words are left out. */
export function words(text: string): readonly Word[] {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .split(/[^\p{L}\p{N}]+/u)
    .flatMap((run): Word[] => {
      const whole = run.toLowerCase();
      if (whole === '' || STOP.has(whole)) return [];
      const cut = run.replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2').replace(/(\p{Lu}+)(\p{Lu}\p{Ll})/gu, '$1 $2');
      const parts = cut
        .toLowerCase()
        .split(' ')
        .filter((part) => !STOP.has(part));
      return [{ whole, parts: parts.length === 0 ? [whole] : parts }];
    });
}

/**
 * A light English stemmer: plurals, `-ing`, `-ed`, `-ion` and a final `-e`. It need not give a word, only the same for the same
 * (`create`, `creates`, `created`, `creating`, `creation` → `creat`).
 */
export function stem(word: string): string {
  if (word.length < 4) return word;
  let short = word;
  if (short.endsWith('ies') && short.length > 4) short = `${short.slice(0, -3)}y`;
  else if (/(?:ss|sh|ch|x|z)es$/.test(short)) short = short.slice(0, -2);
  else if (/[^su]s$/.test(short)) short = short.slice(0, -1);
  // What is left must be a word: `listing` → `list`, but `string` is no ending on `str`.
  for (const ending of ['ing', 'ed', 'ion'])
    if (short.endsWith(ending) && short.length - ending.length >= 3 && /[aeiouy]/.test(short.slice(0, -ending.length))) {
      short = short.slice(0, -ending.length);
      // `planning` → `plan`, but `calling` → `call`
      if (/([bdgmnprt])\1$/.test(short)) short = short.slice(0, -1);
      break;
    }
  return short.length > 3 && short.endsWith('e') ? short.slice(0, -1) : short;
}
