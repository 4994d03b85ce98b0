/**
 * Names that may be created. Reading an oddly named file that is there harms nobody; creating one is how a path that means something else on
 * another system, in a shell or on a screen comes to be.
 */

/** `%2e%2e%2f` and the like, also encoded twice, and overlong UTF-8. */
const ENCODED = /%(?:25)*(?:2e|2f|5c|00|0a|0d|c0|e0%80)/iu;
const SLASHES = /[\\\u2215\u2216\u29f5\u29f8\u29f9\ufe68\uff0f\uff3c]/u;
const HIDDEN =
  /[\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]|\u034f|[\u{e0000}-\u{e007f}]/u;
/** Joiners belong into emoji and into Persian, not between letters of ASCII. */
const HIDDEN_JOINER = /[\x20-\x7e][\u200c\u200d]|[\u200c\u200d](?:[\x20-\x7e]|$)|^[\u200c\u200d]/u;
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?$/iu;
const STREAM = /:\$|::$/u;
/** Flags of regions are drawn with tag characters. */
const FLAG = /\u{1f3f4}[\u{e0061}-\u{e007a}]{2,6}\u{e007f}/gu;
const SCHEME = /^[a-z][a-z0-9+.-]*:$/iu;
const SHELL = /^(?:~|~[a-z_][a-z0-9_-]*|\$\{?[A-Z_][A-Z0-9_]*\}?|%[A-Z_][A-Z0-9_]*%|\$\(.*\)|`.*`)$/u;

/**
 * Why a name may not be created, if it may not.
 * @param name one component
 * @param first whether it is the first of the path the client gave, where `~` and `C:` mean something
 */
export function newNameProblem(name: string, first: boolean): string | undefined {
  if (/\p{Cc}/u.test(name)) return 'The name has a control character.';
  if (!name.isWellFormed()) return 'The name is not valid Unicode.';
  if (SLASHES.test(name)) return 'The name has a character that is, or looks like, a path separator.';
  if (HIDDEN.test(name.replace(FLAG, '')) || HIDDEN_JOINER.test(name))
    return 'The name has an invisible character or one that changes the direction of text.';
  const plain = name.normalize('NFKC');
  if (/^\.{1,2}$/.test(plain) || plain.includes('/') || plain.includes('\\'))
    return 'In another Unicode form the name is a step of a path.';
  if (ENCODED.test(name)) return 'The name has an encoded path separator, dot or control character.';
  if (/[. ]$/u.test(name) || /[\s\u00a0\u3000]$/u.test(name)) return 'The name ends in a dot or a blank, which other systems drop.';
  if (DEVICE.test(name)) return 'The name is a device on Windows.';
  if (STREAM.test(name)) return 'The name is an alternate data stream on Windows.';
  if (first && SCHEME.test(name)) return 'The path begins like a URL or a drive letter.';
  if (first && SHELL.test(name)) return 'The path begins with something a shell would replace; nothing is replaced here.';
  return undefined;
}
