/** The clients that can be wired: one row, one file each. */
import { claudeCodeWiring } from './claude-code.ts';
import type { Scope, Wiring, WiringEnvironment } from './wiring.ts';

/** What the command line and the palette need to know of a client before wiring it. */
export interface WirableClient {
  readonly name: string;
  /** As people call it. */
  readonly title: string;
  /** The first is the default. */
  readonly scopes: readonly Scope[];
  wiring(scope: Scope, environment: WiringEnvironment): Wiring;
}

/** Every client Signalbox can wire. */
export const WIRABLE_CLIENTS: readonly WirableClient[] = [
  { name: 'claude-code', title: 'Claude Code', scopes: ['user', 'local', 'project'], wiring: claudeCodeWiring },
];
