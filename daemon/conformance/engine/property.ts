/** What a property is: cases to try, and a run that says which requirements each of them keeps. */
import type fc from 'fast-check';
import type { Era } from '../../protocol/eras.ts';
import type { SessionOptions } from './exchange.ts';
import type { Session } from './session.ts';
import type { Subject } from './subject.ts';

/** The order in which properties run. */
export const PHASES = ['static', 'boundaries', 'fuzz', 'stateful', 'malformed'] as const;
/** One phase of a run. */
export type Phase = (typeof PHASES)[number];

/** Inputs of a property. Every input is plain JSON, so that a stored case is complete without its seed. */
export interface Cases<C> {
  /** Tried first, in this order: simplest first, since they are not shrunk. */
  readonly boundaries?: readonly C[];
  /** Drawn from the seed, and shrunk. */
  readonly arbitrary?: fc.Arbitrary<C>;
}

/** What a case works with. */
export interface Trial {
  readonly subject: Subject;
  /** The kept connection, or a fresh one for this case. */
  readonly session: Session;
  /** Opens another connection, closed when the case ends. */
  open(options?: Partial<SessionOptions>): Promise<Session>;
}

/** One testable statement, or several that the same inputs show. */
export interface Property<C = unknown> {
  /** `area/what`; a stored case finds its property by it. */
  readonly name: string;
  readonly area: string;
  readonly phase: Phase;
  /** Requirements it looks at, without the era's letter; the wire invariants are looked at by all. */
  readonly stems: readonly string[];
  readonly eras?: readonly Era[];
  readonly transports?: readonly ('stdio' | 'http')[];
  /** Every case on a connection of its own. */
  readonly fresh?: boolean;
  /** Settings of that connection. */
  readonly connection?: Partial<SessionOptions>;
  /** Why it does not apply to this server; undefined when it does. */
  skip?(subject: Subject): string | undefined;
  cases(subject: Subject): Cases<C>;
  /** Simpler inputs that mean the same, most daring first: boundaries are shrunk by it. */
  smaller?(subject: Subject, input: C): Iterable<C>;
  run(trial: Trial, input: C): Promise<void>;
}

/** A property with the type of its inputs forgotten. The inputs given to `run` are those its own `cases` made. */
export function property<C>(definition: Property<C>): Property {
  return definition as unknown as Property;
}
