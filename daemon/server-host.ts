/** The servers of the daemon: how each is started, what it is told, and where what it says goes. */
import { appendFileSync } from 'node:fs';
import { homedir } from 'node:os';
import type { ResolvedServer } from './api/config.ts';
import type { Paths } from './api/paths.ts';
import type { Tap } from './api/sessions.ts';
import type { StateStore } from './api/state.ts';
import type { Journal } from './journal.ts';
import type { ChildRegistry } from './lifecycle/children.ts';
import { ChildEnvironments } from './lifecycle/environment.ts';
import type { installation } from './lifecycle/installation.ts';
import { patternOpener } from './patterns/pattern-opener.ts';
import type { FaultBook } from './sessions/faults/faults.ts';
import { KeyBlocks } from './sessions/redaction/key-blocks.ts';
import { recordingOpener } from './sessions/replay-server/link.ts';
import { reloaded } from './sessions/replay-server/load.ts';
import { locateRecording } from './sessions/replay-server/locate.ts';
import { entryOptions } from './sessions/replay-server/rules.ts';
import { faulty } from './upstreams/faulty-link.ts';
import type { Identity } from './upstreams/handshake.ts';
import type { OpenLink } from './upstreams/link.ts';
import { linkOpener } from './upstreams/open-link.ts';
import { tapped } from './upstreams/tapped-link.ts';
import { UpstreamHost } from './upstreams/upstream-host.ts';

/** What running servers needs from the rest of the daemon. */
export interface ServerHostParts {
  readonly paths: Paths;
  readonly identity: Identity;
  readonly installed: ReturnType<typeof installation>;
  readonly state: StateStore;
  /** Our daemon's id. */
  readonly hop: string;
  readonly children: ChildRegistry;
  readonly journal: Journal;
  /** Sees every frame. Absent = nobody does. */
  readonly tap: Tap | undefined;
  /** What goes wrong on purpose. */
  readonly faults: FaultBook;
  /** Folder of a workspace by its id. */
  readonly folderOf: (workspace: string | undefined) => string | undefined;
  readonly messageBytes: () => number;
  readonly redact: (text: string) => string;
  /** The same of a message, as recordings have it. */
  readonly redactMessage: (message: object) => object;
  readonly onState: () => void;
}

/** The servers, and a way to a fresh and private instance of any. */
export interface Servers {
  readonly host: UpstreamHost;
  /** Opens links to instances of their own, which the tap does not see and no fault is put into. Whoever opens one closes it. */
  readonly openPrivately: (server: ResolvedServer, workspace: string | undefined) => OpenLink;
}

/** Makes the host of all servers. */
export function serverHost(parts: ServerHostParts): Servers {
  const { paths, identity, installed, state, hop, children, journal, tap, faults, folderOf, messageBytes, redact, onState } = parts;
  const environments = new ChildEnvironments();
  const opener = (server: ResolvedServer, workspace: string | undefined, onStderr: (line: string) => void = () => {}): OpenLink =>
    linkOpener(server, workspace, {
      spawn: async (spec) => children.spawn(spec),
      environment: (own) => environments.of(own),
      hop,
      node: {
        command: process.execPath,
        // The filesystem server refuses to serve these two folders, so it must know them.
        env: {
          SIGNALBOX_STATE_DIR: paths.stateDir,
          SIGNALBOX_CONFIG_DIR: paths.configDir,
          ...(process.versions['electron'] === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' }),
        },
      },
      pluginHost: installed.pluginHost,
      pluginsDir: installed.pluginsDir,
      base: (id) => folderOf(id) ?? homedir(),
      messageBytes,
      redact,
      pattern: patternOpener((used, id) => host.find(used, id)),
      recording: ({ name, entry }, id) => {
        const place = folderOf(id);
        const note = (text: string): void => journal.stderr(name, id, text);
        const locate = (): string =>
          locateRecording(entry.recording, { recordingsDir: paths.recordingsDir, ...(place === undefined ? {} : { folder: place }) });
        const { server: edge } = entry;
        const options = {
          ...entryOptions(entry),
          ...(edge === undefined ? {} : { server: edge }),
          redact: parts.redactMessage,
          onNote: note,
          onMiss: note,
        };
        return recordingOpener(name, reloaded(locate, options));
      },
      onStderr: ({ name }, line) => {
        journal.stderr(name, workspace, line);
        onStderr(line);
      },
      onAudit: ({ name }, line) =>
        appendFileSync(
          paths.auditFile,
          `${JSON.stringify({ server: name, ...(workspace === undefined ? {} : { workspace }), ...auditLine(line) })}\n`,
          { mode: 0o600 },
        ),
    });
  const host: UpstreamHost = new UpstreamHost((server, workspace) => {
    const folder = folderOf(workspace);
    // Inside of the tap: it sees what the daemon has to cope with.
    const unreliable = (open: OpenLink): OpenLink => faulty(open, server.name, faults.judge(faultKey(server.name, workspace), server.name));
    const keys = new KeyBlocks();
    const seen = (open: OpenLink): OpenLink => (tap === undefined ? open : tapped(open, tap, server, workspace));
    return {
      identity,
      log: journal.log,
      state,
      hop,
      onState,
      ...(folder === undefined ? {} : { folder }),
      openLink: seen(unreliable(opener(server, workspace, (line) => tap?.stderr(server.name, workspace, redact(keys.line(line)))))),
    };
  });
  return { host, openPrivately: (server, workspace) => opener(server, workspace) };
}

/** Names one server among those of all workspaces. */
export function faultKey(server: string, workspace: string | undefined): string {
  return `${workspace ?? ''} ${server}`;
}

function auditLine(line: string): object {
  try {
    return JSON.parse(line) as object;
  } catch {
    return { unreadable: line };
  }
}
