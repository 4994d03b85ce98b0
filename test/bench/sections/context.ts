/** What every section of the bench gets. */
import type { Daemon } from '../daemon.ts';
import type { Generator } from '../processes.ts';
import type { Route } from '../routes.ts';

/** The parts of a run. */
export interface Context {
  readonly generator: Generator;
  /** Folder for files of this run. */
  readonly dir: string;
  /** Rounds of every comparison. */
  readonly rounds: number;
  /** About a minute for everything, in place of about ten. */
  readonly quick: boolean;
  /** All ways that are compared; started on first use. */
  readonly routes: () => Promise<readonly Route[]>;
  /** A further daemon of its own, not started. */
  readonly daemon: (servers: object) => Daemon;
  /** The same built so that nobody sees its traffic: no ring, no live view, nothing to record. */
  readonly untapped: (servers: object) => Promise<Daemon>;
  readonly say: (line: string) => void;
}
