import type { Binding, ConfigProblem, EndpointEntry, ServerEntry } from '../api/config.ts';
import type { ClientPolicies } from './clients.ts';
import type { JsonPath } from './document.ts';
import type { LoadedConfig } from './file.ts';

/** A server with the file it comes from. */
export interface MergedServer {
  readonly entry: ServerEntry;
  readonly from: 'user' | 'workspace';
  readonly file: LoadedConfig;
}
/** A server in a namespace with the file that put it there. */
export interface MergedBinding extends Binding {
  readonly from: LoadedConfig;
  /** Where it stands in that file, for problems. */
  readonly at: JsonPath;
}
/** User and workspace put together. */
export interface MergedConfig {
  readonly servers: ReadonlyMap<string, MergedServer>;
  readonly namespaces: ReadonlyMap<string, readonly MergedBinding[]>;
  readonly endpoints: ReadonlyMap<string, EndpointEntry & { readonly from: LoadedConfig }>;
  readonly clients: ClientPolicies;
  /** The user's file alone. */
  readonly user: LoadedConfig;
  readonly problems: readonly ConfigProblem[];
}
