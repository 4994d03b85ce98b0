/** What a user wants taken out besides: places by JSON pointer, texts by pattern, names of fields. */
import { RE2JS } from 're2js';
import type { RedactionRules } from '../../api/config.ts';
import { SignalboxError } from '../../api/errors.ts';

/** The rules, ready to be used. */
export class UserRules {
  readonly #pointers: readonly (readonly string[])[];
  readonly #patterns: readonly RE2JS[];
  readonly #fields: ReadonlySet<string>;

  /** @throws SBX_CONFIG_INVALID naming the rule that is no pointer or no regular expression */
  constructor(rules: RedactionRules) {
    this.#pointers = (rules.pointers ?? []).map(tokens);
    this.#patterns = (rules.patterns ?? []).map(compiled);
    this.#fields = new Set((rules.fields ?? []).map(plain));
  }

  /** Whether there is any rule that a look at the text alone cannot rule out. */
  get always(): boolean {
    return this.#patterns.length > 0 || this.#pointers.length > 0 || this.#fields.size > 0;
  }

  /** Whether the place is to be taken out. */
  places(path: readonly string[]): boolean {
    return this.#pointers.some((pointer) => fits(pointer, 0, path, 0));
  }

  /** Whether there are rules by place. */
  get hasPlaces(): boolean {
    return this.#pointers.length > 0;
  }

  /** Whether a field's value is to be taken out. */
  field(name: string): boolean {
    return this.#fields.size > 0 && this.#fields.has(plain(name));
  }

  /** The text with every match of a pattern replaced. */
  text(text: string, hide: (secret: string) => string): string {
    let out = text;
    for (const pattern of this.#patterns) out = replaced(pattern, out, hide);
    return out;
  }
}

function replaced(pattern: RE2JS, text: string, hide: (secret: string) => string): string {
  const matcher = pattern.matcher(text);
  let out = '';
  let from = 0;
  while (matcher.find()) {
    const group = matcher.groupCount() > 0 && matcher.start(1) >= 0 ? 1 : 0;
    const [start, end] = [matcher.start(group), matcher.end(group)];
    if (end <= start || start < from) continue;
    out += text.slice(from, start) + hide(text.slice(start, end));
    from = end;
  }
  return from === 0 ? text : out + text.slice(from);
}

function fits(pointer: readonly string[], at: number, path: readonly string[], from: number): boolean {
  const token = pointer[at];
  if (token === undefined) return from === path.length;
  if (token === '**') {
    for (let next = from; next <= path.length; next++) if (fits(pointer, at + 1, path, next)) return true;
    return false;
  }
  return from < path.length && (token === '*' || token === path[from]) && fits(pointer, at + 1, path, from + 1);
}

function tokens(pointer: string): readonly string[] {
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer))
    throw wrong(pointer, 'A JSON pointer begins with `/` and has `~` only as `~0` or `~1`.');
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function compiled(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    throw wrong(pattern, cause instanceof Error ? cause.message : String(cause));
  }
}

const plain = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

function wrong(rule: string, why: string): SignalboxError {
  return new SignalboxError('SBX_CONFIG_INVALID', `The redaction rule ${JSON.stringify(rule)} cannot be used.`, {
    why,
    fix: 'Correct it under `redaction` in the configuration. Patterns have RE2 syntax: no look-around, no back-references.',
  });
}
