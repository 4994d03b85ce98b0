/** What a client may see: a function of the endpoint and the credential's client, of nothing else (federation design, section 4). */
import type { ResolvedEndpoint, ResolvedServer } from '../api/config.ts';
import { matchesGlob, mayBegin } from './pattern.ts';

/** The visibility of one client at one endpoint. What is not visible does not exist: it is not listed and cannot be called. */
export interface Policy {
  /** Policies with the same key show the same. Empty = everything is visible. */
  readonly key: string;
  /** Whether anything of a server can be visible. */
  server(server: ResolvedServer): boolean;
  /** Whether an exposed tool or prompt is visible. */
  name(exposed: string): boolean;
  /** Whether the resources of a server are visible: where its whole alias is (`alias__*`). */
  resources(server: ResolvedServer): boolean;
}

const EVERYTHING: Policy = { key: '', server: () => true, name: () => true, resources: () => true };

/** The policy of a client by the name it was wired with; without one everything is visible. */
export function policyOf({ clients }: ResolvedEndpoint, client: string): Policy {
  const entry = clients !== undefined && Object.hasOwn(clients, client) ? clients[client] : undefined;
  const namespaces = entry?.namespaces;
  const { allow, deny } = entry?.tools ?? {};
  if (namespaces === undefined && allow === undefined && deny === undefined) return EVERYTHING;
  const name = (exposed: string): boolean =>
    (allow === undefined || allow.some((glob) => matchesGlob(glob, exposed))) && deny?.some((glob) => matchesGlob(glob, exposed)) !== true;
  // A server of which no name can be visible is not there: its log, its instructions and its faults are not for this client either.
  const server = ({ alias, namespaces: of }: ResolvedServer): boolean =>
    (namespaces === undefined || of?.some((namespace) => namespaces.includes(namespace)) === true) &&
    (allow === undefined || allow.some((glob) => mayBegin(glob, `${alias}__`))) &&
    deny?.some((glob) => matchesGlob(glob, `${alias}__*`)) !== true;
  return {
    key: JSON.stringify([namespaces, allow, deny]),
    server,
    name,
    // `*` is no character of a name: only a glob that covers the whole alias matches it.
    resources: (of) => server(of) && name(`${of.alias}__*`),
  };
}

/** Whether what an endpoint shows depends on who asks: then no list of it may be kept for everybody. */
export function dependsOnClient({ clients }: ResolvedEndpoint): boolean {
  return Object.values(clients ?? {}).some(({ namespaces, tools }) => namespaces !== undefined || tools !== undefined);
}
