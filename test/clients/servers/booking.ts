/** What both servers of the pairs ask, and how they are started: a booking that needs a name from a person and a rhyme from a model. */

/** The form's schema: one name. */
export const FORM = { type: 'object' as const, properties: { name: { type: 'string' as const } }, required: ['name'] };
/** The page of `login`. */
export const PAGE = { message: 'Log in first', url: 'https://rail.example/login' };

/** Asked of the person. */
export function passengerQuestion(from: string): { message: string; requestedSchema: typeof FORM } {
  return { message: `Who travels from ${from}?`, requestedSchema: FORM };
}

/** Asked of the model. */
export function rhymeQuestion(about: string): {
  messages: { role: 'user'; content: { type: 'text'; text: string } }[];
  maxTokens: number;
} {
  return { messages: [{ role: 'user', content: { type: 'text', text: `A rhyme about ${about}` } }], maxTokens: 50 };
}

/** Starts what the first argument says: `--stdio`, or `--http`, which prints the URL and ends with standard input. */
export async function serve(ways: { readonly stdio: () => unknown; readonly http: () => Promise<string> }): Promise<void> {
  if (process.argv[2] === '--stdio') {
    await ways.stdio();
    return;
  }
  process.stdout.write(`${await ways.http()}\n`);
  process.stdin.resume().on('end', () => process.exit(0));
}
