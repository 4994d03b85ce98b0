/** The redactor in force: made anew when the secrets or the rules change. */
import { Redactor, type RedactorOptions } from './redactor.ts';

/** Takes out what is secret now. */
export class CurrentRedactor {
  readonly #read: () => RedactorOptions;
  #options: RedactorOptions;
  #redactor: Redactor;

  /** @param read what is taken out, asked for now and at each {@link refresh} */
  constructor(read: () => RedactorOptions) {
    this.#read = read;
    this.#options = read();
    this.#redactor = new Redactor(this.#options);
  }

  /** What it is made of, for the thread that writes. */
  get options(): RedactorOptions {
    return this.#options;
  }

  /** Looks what is secret now; whether that is something else than before. */
  refresh(): boolean {
    const options = this.#read();
    if (JSON.stringify([options.secrets, options.rules]) === JSON.stringify([this.#options.secrets, this.#options.rules])) return false;
    this.#options = options;
    this.#redactor = new Redactor(options);
    return true;
  }

  /** A message without secrets; bound, so that it can be handed out. */
  readonly redact = (message: object): object => this.#redactor.redact(message);

  /** A text without secrets; bound. */
  readonly text = (text: string): string => this.#redactor.text(text);
}
