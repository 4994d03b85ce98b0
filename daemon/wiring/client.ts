/** What a client that can be wired is: one file each, in `clients/`. */
import type { Launch } from './launch.ts';
import type { FormatName, KeyPath } from './text-format.ts';
import type { Scope, WiringEnvironment } from './wiring.ts';

/** Where our entry stands. */
export interface Place {
  /** Absolute. */
  readonly file: string;
  readonly path: KeyPath;
  readonly format: FormatName;
}

/** The client's own command line, for the one change it is to make. */
export interface ClientCommand {
  /** What `write` runs, quoted for a POSIX shell. @param replace an entry of ours is there already */
  line(replace: boolean): string;
  /** @throws SBX_WIRE_CLIENT with what it said */
  write(replace: boolean): Promise<void>;
  /** How to find out where it wrote, when it was not where it should be. */
  readonly lookFor: string;
}

/** A client that can be wired. */
export interface WirableClient {
  /** The name of its credential, too. */
  readonly name: string;
  /** As people call it. */
  readonly title: string;
  /** The first is the default. */
  readonly scopes: readonly Scope[];
  /** Name of its program, where it has one on PATH. */
  readonly program?: string;
  /** What the person does next. */
  readonly next: string;
  place(scope: Scope, environment: WiringEnvironment): Place;
  /** Our entry in the client's own form. */
  entry(launch: Launch, scope: Scope): object;
  /** The folders or files that are there when it is installed, absolute. */
  traces(environment: WiringEnvironment): readonly string[];
  /** Its own command line, where it is installed and to be used. */
  command?(scope: Scope, entry: object, environment: WiringEnvironment): ClientCommand | undefined;
  /** How a person takes an entry out, as the middle of a sentence. */
  removal?(scope: Scope): string;
  /** Asks the client itself whether it reaches us: what it said, or `undefined` when it cannot be asked. */
  ask?(environment: WiringEnvironment): Promise<ClientVerdict | undefined>;
}

/** What a client says of our entry. */
export interface ClientVerdict {
  readonly ok: boolean;
  /** The line it printed. */
  readonly said: string;
}
