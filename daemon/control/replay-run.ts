/** A replay as a client, asked for over the control channel. */
import { statSync } from 'node:fs';
import type { ResolvedEndpoint, ResolvedServer } from '../api/config.ts';
import type { EndpointRef } from '../api/control.ts';
import { SignalboxError } from '../api/errors.ts';
import type { RecordingMethods, ReplayReport, ReplayTarget } from '../api/recordings.ts';
import type { ControlHandlers, ControlPeer } from '../endpoints/control-server.ts';
import type { TokenStore } from '../security/tokens.ts';
import { checkRules } from '../sessions/compare/rules.ts';
import type { RecordingStore } from '../sessions/recording/recording-store.ts';
import { CurrentRedactor } from '../sessions/redaction/current-redactor.ts';
import { nothingAccepted } from '../sessions/replay-client/acceptance.ts';
import type { OpenLive } from '../sessions/replay-client/live-link.ts';
import { replayAsClient } from '../sessions/replay-client/replay.ts';
import { checkTarget, entryOfTarget, targetName } from '../sessions/replay-client/target.ts';
import { type UpdateTarget, updateRecording } from '../sessions/replay-client/update.ts';

/** What the handler calls. */
export interface ReplayRunParts extends UpdateTarget {
  readonly store: RecordingStore;
  /** Opens links to a private instance. */
  readonly openPrivately: (server: ResolvedServer, workspace: string | undefined) => OpenLive;
  /** @throws SBX_SERVER_UNKNOWN */
  readonly server: (name: string, workspace: string | undefined) => ResolvedServer;
  /** @throws SBX_ENDPOINT_UNKNOWN */
  readonly endpoint: (ref: EndpointRef) => ResolvedEndpoint;
  readonly workspaceId: (workspace: string | undefined) => string | undefined;
  readonly tokens: TokenStore;
  readonly url: (path: string) => string;
  /** Keeps the daemon from stopping for lack of clients. */
  readonly hold: () => () => void;
  /** Recordings were added. */
  readonly onChange: () => void;
}

/** Milliseconds between two events about how far it is. */
const TELL_MS = 100;
/** Client in whose name a replay asks an endpoint where the recorded one has no credential there; several at once are numbered. */
const CLIENT = 'signalbox-replay';
const running = new Set<string>();

/** Builds the handler. */
export function replayRunHandlers(parts: ReplayRunParts): Pick<ControlHandlers, 'replay/run'> {
  return { 'replay/run': (params, peer) => run(parts, params, peer) };
}

async function run(
  parts: ReplayRunParts,
  params: RecordingMethods['replay/run']['params'],
  peer: ControlPeer,
): Promise<RecordingMethods['replay/run']['result']> {
  const { store, hold, onChange } = parts;
  const { recording, allowWrites, update } = params;
  const against = checkTarget(params.against);
  const rules = params.rules === undefined ? undefined : checkRules(params.rules, 'the request');
  // What is sent in place of placeholders is secret too.
  const given = Object.values(rules?.values ?? {});
  const { options } = parts.redactor;
  const redactor = new CurrentRedactor(() => ({ ...options, secrets: [...options.secrets, ...given] }));
  const release = hold();
  const path = await store.path(recording);
  const reader = await store.open(recording);
  const accepted = update === true ? nothingAccepted() : undefined;
  const clients = against.kind === 'endpoint' ? (await reader.info()).clients : [];
  const target = openerOf(parts, against, clients.length === 1 ? clients[0] : undefined);
  const server = params.server ?? (against.kind === 'server' ? against.server : undefined);
  let told = 0;
  try {
    const report = await replayAsClient({
      source: reader,
      recording,
      against: targetName(against),
      open: target.open,
      single: against.kind === 'stdio',
      signal: peer.gone,
      progress: (done, total) => {
        if (done < total && performance.now() - told < TELL_MS) return;
        told = performance.now();
        peer.notify('replay', { recording, done, total });
      },
      ...(server === undefined ? {} : { server }),
      ...(allowWrites === undefined ? {} : { allowWrites }),
      ...(rules === undefined ? {} : { rules }),
      ...(params.timeoutMs === undefined ? {} : { timeoutMs: params.timeoutMs }),
      ...(accepted === undefined ? {} : { accepted }),
    });
    const shown = redactor.redact(report) as ReplayReport;
    if (accepted === undefined || accepted.answers.size === 0) return shown;
    const updated = await updateRecording(reader, path, accepted, { ...parts, redactor });
    if (statSync(path).isDirectory()) onChange();
    return { ...shown, updated };
  } finally {
    target.done();
    await reader.close();
    release();
  }
}

/** How links to the target are opened, and what is to be done when it is over. */
function openerOf(parts: ReplayRunParts, against: ReplayTarget, client: string | undefined): { open: OpenLive; done: () => void } {
  const { openPrivately, tokens } = parts;
  const done = (): void => {};
  if (against.kind === 'server') {
    const { server, workspace } = against;
    return { open: openPrivately(parts.server(server, workspace), parts.workspaceId(workspace)), done };
  }
  if (against.kind !== 'endpoint') return { open: openPrivately(asServer(entryOfTarget(against)), undefined), done };
  const { path } = parts.endpoint(against);
  // What a client may see depends on who it is: where the recorded one is known here, its credential is used.
  const known = tokens.list().some((credential) => credential.client === client && credential.path === path);
  const own = freeName();
  const { token } = tokens.ensure({ client: known && client !== undefined ? client : own, path });
  const entry = { type: 'http' as const, url: parts.url(path), headers: { authorization: `Bearer ${token}` } };
  return {
    open: openPrivately(asServer(entry), undefined),
    done: () => {
      running.delete(own);
      tokens.revoke(own, path);
    },
  };
}

function freeName(): string {
  let name = CLIENT;
  for (let count = 2; running.has(name); count++) name = `${CLIENT}-${count}`;
  running.add(name);
  return name;
}

function asServer(entry: ResolvedServer['entry']): ResolvedServer {
  if ('command' in entry && entry.cwd === undefined)
    throw new SignalboxError('SBX_USAGE', 'A command needs the folder it runs in.', {
      why: '`against.cwd` is missing.',
      fix: 'Give an absolute folder.',
    });
  return { name: 'replay', alias: 'replay', entry, digest: '', hidden: [] };
}
