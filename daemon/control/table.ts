/** Everything the control channel can do, in one table. */
import type { DaemonStatus } from '../api/control.ts';
import type { Paths } from '../api/paths.ts';
import type { ConfigStore } from '../config/store.ts';
import type { ControlHandlers } from '../endpoints/control-server.ts';
import type { EndpointSet } from '../endpoints/endpoint-set.ts';
import type { Journal } from '../journal.ts';
import type { ChildRegistry } from '../lifecycle/children.ts';
import type { IdleStop } from '../lifecycle/idle.ts';
import type { installation } from '../lifecycle/installation.ts';
import type { RecordingRoom, trafficRedactor } from '../recording-room.ts';
import type { Router } from '../router/router.ts';
import type { SecretStore } from '../security/secrets.ts';
import type { TokenStore } from '../security/tokens.ts';
import type { Servers } from '../server-host.ts';
import type { FaultBook } from '../sessions/faults/faults.ts';
import type { TapHub } from '../sessions/tap/hub.ts';
import { configuredServer } from './conform-target.ts';
import { conformanceHandlers } from './conformance.ts';
import { ControlClient } from './control-client.ts';
import { findEndpoint, workspaceIdOf } from './endpoint-lookup.ts';
import { faultHandlers } from './faults.ts';
import { controlHandlers } from './handlers.ts';
import { recordingHandlers } from './recordings.ts';
import { replayRunHandlers } from './replay-run.ts';
import type { ServedReplays } from './replay-serve.ts';
import { sessionHandlers } from './sessions.ts';

/** The parts of a daemon the control channel reaches. */
export interface TableParts {
  readonly paths: Paths;
  readonly installed: ReturnType<typeof installation>;
  readonly config: ConfigStore;
  readonly endpoints: EndpointSet;
  readonly router: Router;
  readonly tap: TapHub;
  readonly tokens: TokenStore;
  readonly secrets: SecretStore;
  readonly journal: Journal;
  readonly children: ChildRegistry;
  readonly redactor: ReturnType<typeof trafficRedactor>;
  readonly recordings: RecordingRoom;
  readonly replays: ServedReplays;
  readonly faults: FaultBook;
  readonly idle: IdleStop;
  readonly openPrivately: Servers['openPrivately'];
  readonly status: () => DaemonStatus;
  readonly url: (path: string) => string;
  readonly onRecordings: () => void;
  readonly stop: (reason: string) => void;
}

/** Builds the handlers of every control request. */
export function controlTable(parts: TableParts): ControlHandlers {
  const { paths, config, endpoints, router, tap, tokens, secrets, recordings, redactor, idle, url, onRecordings } = parts;
  const { version } = parts.installed;
  const client = new ControlClient(router, tap);
  const workspaceId = (workspace: string | undefined): string | undefined => workspaceIdOf(config, workspace);
  const folder = paths.recordingsDir;
  return {
    ...controlHandlers({ ...parts, client, serverLog: (name, workspace) => parts.journal.lines(name, workspace) }),
    ...sessionHandlers({
      tap,
      client,
      redact: redactor.redact,
      recordingsOf: recordings.recordingsOf,
      workspaceId,
      view: (ref) => findEndpoint(endpoints, config, ref).view,
    }),
    ...recordingHandlers({ ...recordings, redactor, version, folder, workspaceId, onChange: onRecordings }),
    ...parts.replays.handlers(),
    ...replayRunHandlers({
      store: recordings.store,
      redactor,
      version,
      folder,
      openPrivately: parts.openPrivately,
      server: (name, workspace) => configuredServer(config.endpoints(), name, workspaceId(workspace)),
      endpoint: (ref) => findEndpoint(endpoints, config, ref).view.endpoint,
      workspaceId,
      tokens,
      url,
      hold: () => idle.hold('replay'),
      onChange: onRecordings,
    }),
    ...faultHandlers(parts.faults, parts.journal.log),
    ...conformanceHandlers({
      config,
      children: parts.children,
      paths,
      installed: parts.installed,
      redact: (text) => secrets.redact(text),
      hold: () => idle.hold('conformance run'),
    }),
  };
}
