/** Texts that break servers: what random generation misses is injected explicitly. */
import fc from 'fast-check';

/** Strings worth trying everywhere, simplest first. */
export const AWKWARD_TEXTS: readonly string[] = [
  '',
  ' ',
  '0',
  'null',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'a\nb',
  'a\r\nb\u2028c\u2029d',
  'a\u0000b',
  '"quoted" \\ back',
  'é',
  'e\u0301',
  '日本語',
  '😀👩‍👩‍👧',
  '\u202eright to left',
  '{"json": [1]}',
  '${env:HOME} {{7*7}} <%= 7 %>',
  '../../etc/passwd',
];

/**
 * Any code points, shrinking to the letter a. `unit: 'binary'` of fast-check says the same, and builds tables for it that take 0.8 s of every
 * start of a runner.
 */
export const codePoints = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.nat(0x10_ffff), { maxLength })
    .map((points) => String.fromCodePoint(...points.map((point) => (point + 0x61) % 0x11_0000)).toWellFormed());

/** Any text: mostly short and plain, sometimes awkward. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.string({ maxLength: 12 }), weight: 3 },
  { arbitrary: codePoints(8), weight: 2 },
  { arbitrary: fc.constantFrom(...AWKWARD_TEXTS), weight: 2 },
);

/** Any JSON value, small. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, '', 'text', [], {}),
  fc.integer(),
  anyText,
  fc.jsonValue({ maxDepth: 2 }),
);
