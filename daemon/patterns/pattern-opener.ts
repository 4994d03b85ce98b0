/** Pattern servers among the daemon's upstreams. */
import type { PatternServer, ResolvedServer } from '../api/config.ts';
import { SignalboxError } from '../api/errors.ts';
import type { OpenLink } from '../upstreams/link.ts';
import { patternLink } from './pattern-link.ts';
import type { PatternPeer } from './step.ts';

/**
 * Makes the function that opens pattern servers.
 * @param find the upstream of a server of a workspace (undefined = the user's own), as `UpstreamHost.find`
 */
export function patternOpener(
  find: (server: ResolvedServer, workspace: string | undefined) => PatternPeer | undefined,
): (server: ResolvedServer & { readonly entry: PatternServer }, workspace: string | undefined) => OpenLink {
  return (server, workspace) =>
    patternLink(server, (name) => {
      const used = server.uses !== undefined && Object.hasOwn(server.uses, name) ? server.uses[name] : undefined;
      const peer = used === undefined ? undefined : find(used, workspace);
      if (peer !== undefined) return peer;
      throw new SignalboxError('SBX_SERVER_UNKNOWN', `There is no server \`${name}\`.`, {
        why: 'It is not in the configuration any more.',
        fix: 'Add it, or take the step out.',
      });
    });
}
