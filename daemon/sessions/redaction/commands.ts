/** Passwords in command lines, where they have no name: `curl -u user:password`, `mysql -pPASSWORD`, `sshpass -p`, `docker login -p`. */
import { harmless } from './harmless.ts';

/** Takes a secret and gives what stands in its place. */
type Hide = (secret: string) => string;

const NAMED = ['curl', 'mysql', 'mariadb', 'sshpass'];
/** A program and its arguments, up to the end of the line or the next command; a line that ends in a backslash goes on. */
const COMMAND = new RegExp(
  String.raw`(?<![A-Za-z0-9_.-])(curl|mysql[a-z]{0,16}|mariadb[a-z-]{0,16}|sshpass|(?:docker|podman|nerdctl|buildah|skopeo|oras|crane|oc|helm[ \t]+registry)[ \t]+login)(?:\.exe)?` +
    String.raw`(?=[ \t])((?:'[^'\r\n]{0,4096}'|"[^"\r\n]{0,4096}"|\\\r?\n|\\+["']|\\|(?!&&)[^\r\n|;\\${'`'}]){1,8192})`,
  'g',
);
/** A line with those it goes on in. */
const LINE = /(?:[^\n\\]+|\\\r\n|\\[\s\S]|\\)+/g;
/** An argument, up to the quote it began with. Its quote is group 2 of the expression it stands in. */
const ARGUMENT = String.raw`(\\*["']|)((?:(?!\2)[^\r\n])+|[^\s"'\\]+)`;
const USER = new RegExp(String.raw`(?<=\s)(-[a-zA-Z]{0,8}[uU][ \t]+|-[uU]|--(?:proxy-)?user(?:[ \t]+|=))${ARGUMENT}`, 'g');
const GLUED = new RegExp(String.raw`(?<=\s)(-p)${ARGUMENT}`, 'g');
const FIRST = new RegExp(String.raw`^((?:\s+-[a-oq-zA-Z][^\s]{0,64}){0,8}\s+-p[ \t]*)${ARGUMENT}`);
const LOGIN = new RegExp(String.raw`(?<=\s)(-p[ \t=]*)${ARGUMENT}`, 'g');
/** Options people write with one dash too few. */
const OPTION = /^(?:ort|rotocol|assword|lugin|ager|rompt|rint)/;
const SHORTEST = 3;

/** The text with the passwords of its command lines replaced. */
export function withoutPasswords(text: string, hide: Hide): string {
  if (!hasProgram(text)) return text;
  const swap = (whole: string, before: string, quote: string, value: string): string =>
    value.length < SHORTEST || harmless(value) ? whole : before + quote + hide(value);
  return text.replace(LINE, (line) => (hasProgram(line) ? lineWithout(line, hide, swap) : line));
}

function hasProgram(text: string): boolean {
  return NAMED.some((name) => text.includes(name)) || (text.includes('login') && text.includes(' -p'));
}

function lineWithout(line: string, hide: Hide, swap: (whole: string, before: string, quote: string, value: string) => string): string {
  return line.replace(COMMAND, (whole: string, program: string, rest: string) => {
    const head = whole.slice(0, whole.length - rest.length);
    if (program === 'curl') return head + rest.replace(USER, (all: string, flag, quote, pair) => userless(all, flag + quote, pair, hide));
    if (program === 'sshpass') return head + rest.replace(FIRST, swap);
    if (program.endsWith('login')) return head + rest.replace(LOGIN, swap);
    return head + rest.replace(GLUED, (all: string, flag, quote, value) => (OPTION.test(value) ? all : swap(all, flag, quote, value)));
  });
}

/** `user:password`; not the two numbers of a user and a group, nor an address. */
function userless(whole: string, before: string, pair: string, hide: Hide): string {
  const at = pair.indexOf(':') + 1;
  const password = pair.slice(at);
  if (at < 1 || password.length < SHORTEST || password.startsWith('//') || harmless(password)) return whole;
  return before + pair.slice(0, at) + hide(password);
}

const PROGRAM =
  /(?:^|[\\/])(curl|mysql[a-z]{0,16}|mariadb[a-z-]{0,16}|sshpass|docker|podman|nerdctl|buildah|skopeo|oras|crane|oc|helm)(?:\.exe)?$/;
/** Lists with more are no command lines. */
const LONGEST = 256;

/**
 * An argument of a list of arguments, without its password.
 * @param program what is called, where that stands beside the list; else it is looked for before the argument
 */
export function argumentWithout(args: readonly unknown[], index: number, program: string | undefined, hide: Hide): unknown {
  const value = args[index];
  const flag = args[index - 1];
  if (typeof value !== 'string' || args.length > LONGEST) return value;
  const glued = value.startsWith('-');
  if (!glued && (typeof flag !== 'string' || !flag.startsWith('-'))) return value;
  const before = args.slice(0, index).filter((each) => typeof each === 'string');
  const name = [program ?? '', ...before].map((each) => PROGRAM.exec(each)?.[1]).findLast((each) => each !== undefined);
  if (name === undefined) return value;
  // as it would stand in a command line, and back: one rule for both
  const login = /^(?:curl|mysql|mariadb|sshpass)/.test(name) ? '' : before.includes('login') ? ' login' : undefined;
  const quote = value.includes("'") ? '"' : "'";
  if (login === undefined || value.includes(quote) || /[\r\n\\]/.test(value)) return value;
  const head = `${name === 'helm' ? 'helm registry' : name}${login} ${glued ? value.slice(0, 2) : `${String(flag)} `}${quote}`;
  if (name === 'sshpass' && before.slice(before.indexOf(name) + 1, glued ? undefined : -1).some((each) => !each.startsWith('-')))
    return value;
  const bare = glued ? value.slice(2) : value;
  const out = withoutPasswords(head + bare + quote, hide);
  if (out === head + bare + quote) return value;
  return (glued ? value.slice(0, 2) : '') + out.slice(head.length, -1);
}
