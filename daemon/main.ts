/** The composition root: builds the parts and gives each what it needs. */
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { CONTROL_PROTOCOL, type ControlEvents, type DaemonStatus } from './api/control.ts';
import type { ErrorShape } from './api/errors.ts';
import type { Paths } from './api/paths.ts';
import { ConfigStore } from './config/store.ts';
import { configuredFaults, faultProblem } from './control/faults.ts';
import { ServedReplays } from './control/replay-serve.ts';
import { controlTable } from './control/table.ts';
import { Activity } from './endpoints/activity.ts';
import { BridgeServer } from './endpoints/bridge-server.ts';
import { ControlServer } from './endpoints/control-server.ts';
import { EndpointSet } from './endpoints/endpoint-set.ts';
import { createListener } from './endpoints/listener.ts';
import { Journal } from './journal.ts';
import { ChildRegistry } from './lifecycle/children.ts';
import { IdleStop } from './lifecycle/idle.ts';
import { installLauncher } from './lifecycle/install.ts';
import { installation } from './lifecycle/installation.ts';
import { acquireOwnership } from './lifecycle/ownership.ts';
import { listenRemembered } from './lifecycle/port.ts';
import { removeRuntimeFile, writeRuntimeFile } from './lifecycle/runtime-file.ts';
import { recordingRoom, trafficRedactor } from './recording-room.ts';
import { CatalogStore } from './router/catalog-store.ts';
import { Router } from './router/router.ts';
import { KeyRing } from './security/key-ring.ts';
import { SecretStore } from './security/secrets.ts';
import { TokenStore } from './security/tokens.ts';
import { TrustStore } from './security/trust.ts';
import { faultKey, serverHost } from './server-host.ts';
import { FaultBook } from './sessions/faults/faults.ts';
import { TapHub } from './sessions/tap/hub.ts';
import { daemonId } from './state/daemon-id.ts';
import { digestKey } from './state/digest-key.ts';
import { openStateStore } from './state/state-store.ts';
import { statusOf } from './status.ts';

/** Milliseconds changes are gathered before the control channel is told. */
const GATHER_MS = 50;

/** A running daemon. */
export interface Daemon {
  status(): DaemonStatus;
  /** Ends it cleanly: clients told, servers ended, runtime file removed, ownership given up. */
  stop(reason: string): Promise<void>;
  /** Resolves when it has ended. */
  readonly stopped: Promise<void>;
}

/**
 * Starts the daemon of this state directory.
 * @returns undefined when another process is the daemon already
 * @throws SBX_STATE_INSECURE, SBX_NO_PORT
 */
export async function startDaemon({ paths }: { readonly paths: Paths }): Promise<Daemon | undefined> {
  const ownership = acquireOwnership(paths);
  if (ownership === undefined) return undefined;
  const installed = installation();
  const { version, build } = installed;
  const startedAt = new Date().toISOString();
  const controlToken = randomBytes(32).toString('base64url');
  const identity = { name: 'signalbox', title: 'Signalbox', version };
  const secrets = new SecretStore(paths.secretsFile);
  const trust = new TrustStore(paths.trustFile);
  const tokens = new TokenStore(paths, ({ client, path }) => endpoints.revoke(client, path));
  const journal = new Journal({ logFile: paths.logFile, redact: (text) => secrets.redact(text), onLine: (line) => announce('log', line) });
  const log = journal.log;
  const children = new ChildRegistry(paths.childrenDir);
  await children.reap();
  let control: ControlServer | undefined;
  const announce = <E extends keyof ControlEvents>(event: E, params: ControlEvents[E]): void => control?.broadcast(event, params);
  const changed = gathered((what) => announce('changed', { what }));

  // Not before `announce`: what is wrong with the file is logged.
  const state = openStateStore(paths.stateDb, log);
  const config = new ConfigStore({ paths, secrets, trust, log, digestKey: digestKey(state) });
  await config.start();
  const messageBytes = (): number => config.limits().messageBytes;
  const ownId = daemonId(state);

  const redactor = trafficRedactor({ state, config, secrets, controlToken });
  const tap = new TapHub({
    onSessions: () => changed('sessions'),
    onFault: (error) => log('error', `A listener of the traffic failed and hears nothing more: ${String(error)}`),
  });
  const faults = new FaultBook(() => changed('servers'));
  const armFaults = (): void => faults.configure(configuredFaults(config.endpoints(), faultKey));
  armFaults();
  const { host, openPrivately } = serverHost({
    paths,
    identity,
    installed,
    state,
    hop: ownId,
    children,
    journal,
    tap,
    faults,
    folderOf: (id) => config.workspaces().find((known) => known.id === id)?.folder,
    messageBytes,
    redact: (text) => secrets.redact(text),
    redactMessage: redactor.redact,
    onState: () => changed('servers'),
  });
  const router = new Router({ identity, sealer: new KeyRing(state), daemonId: ownId });
  const catalogs = new CatalogStore({ state, version, own: ownId, log });
  const endpoints = new EndpointSet({
    host,
    router,
    identity,
    messageBytes,
    state,
    catalogs,
    daemonId: ownId,
    tap,
    onLists: () => changed('tools'),
  });
  await endpoints.sync(config.endpoints());

  let stopping: Promise<void> | undefined;
  let resolveStopped: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    resolveStopped = resolve;
  });
  const idle = new IdleStop(config.idleStopMinutes, () => void stop('nobody used it for a while'));
  const recordings = recordingRoom({
    paths,
    version,
    tap,
    config,
    secrets,
    redactor,
    log,
    hold: (reason) => idle.hold(reason),
    onChange: () => changed('recordings'),
  });
  let releaseControl: (() => void) | undefined;
  const activity = new Activity(() => idle.hold('requests'));
  const bridge = new BridgeServer({
    router,
    identity,
    messageBytes,
    tap,
    onClient: (client) => counted(idle.hold(`client ${client}`), () => changed('sessions')),
  });
  const replays = new ServedReplays({ recordingsDir: paths.recordingsDir, log, redact: redactor.redact, hold: () => idle.hold('replay') });
  let listening: { readonly port: number; readonly note?: ErrorShape } = { port: 0 };
  const url = (path: string): string => `http://127.0.0.1:${listening.port}${path}`;

  const status = (): DaemonStatus => ({
    ...statusOf({ config, endpoints, bridge, url, faulty: (name) => faultProblem(faults, name) }),
    ...(faults.list().length === 0 ? {} : { faults: faults.list() }),
    ...(replays.list().length === 0 ? {} : { replays: replays.list() }),
    version,
    build,
    pid: process.pid,
    node: process.version,
    port: listening.port,
    startedAt,
    stateDir: paths.stateDir,
    configFile: paths.configFile,
    ...(listening.note === undefined ? {} : { portNote: `${listening.note.message} ${listening.note.fix} (${listening.note.code})` }),
  });

  control = new ControlServer({
    controlToken,
    identity: { version, build },
    log,
    messageBytes: messageBytes(),
    handlers: controlTable({
      paths,
      installed,
      config,
      endpoints,
      router,
      tap,
      tokens,
      secrets,
      journal,
      children,
      redactor,
      recordings,
      replays,
      faults,
      idle,
      openPrivately,
      status,
      url,
      onRecordings: () => changed('recordings'),
      stop: (reason) => void stop(reason),
    }),
    onConnections: (count) => {
      if (count > 0) releaseControl ??= idle.hold('control connection');
      else {
        releaseControl?.();
        releaseControl = undefined;
      }
    },
  });
  const server = createListener({
    controlToken,
    daemonId: ownId,
    endpoints,
    control,
    bridge,
    verify: (bearer, path) => tokens.verify(bearer, path),
    credentialChanges: () => tokens.changes,
    leaving: () => stopping !== undefined,
    onRequest: () => {
      activity.begin();
      return activity.end;
    },
  });
  config.onChange(() => {
    armFaults();
    void endpoints
      .sync(config.endpoints())
      .catch((error: unknown) => log('error', `The new configuration could not be applied: ${String(error)}`));
    changed('endpoints');
    changed('servers');
    changed('problems');
    changed('workspaces');
  });

  async function stop(reason: string): Promise<void> {
    stopping ??= (async () => {
      log('info', `Stopping: ${reason}`);
      idle.stop();
      announce('stopping', {});
      removeRuntimeFile(paths, { pid: process.pid, controlToken });
      bridge.close();
      endpoints.close();
      router.close();
      faults.close();
      await Promise.all([config.close(), host.close(), replays.close()]);
      await children.close();
      await control?.close();
      await closeServer(server);
      await recordings.close();
      tap.close();
      state.close();
      ownership?.release();
      resolveStopped();
    })();
    return stopping;
  }

  listening = await listenRemembered(server, paths, config.port);
  if (listening.note !== undefined) log('warn', `${listening.note.message} ${listening.note.fix}`);
  installLauncher({ paths, installation: installed });
  writeRuntimeFile(paths, { pid: process.pid, port: listening.port, controlToken, protocol: CONTROL_PROTOCOL, version, build, startedAt });
  log('info', `Signalbox ${version} (${build}) listens on 127.0.0.1:${listening.port}, pid ${process.pid}, Node ${process.version}.`);
  return { status, stop, stopped };
}

function counted(release: () => void, changed: () => void): () => void {
  changed();
  return () => {
    release();
    changed();
  };
}

type Changed = ControlEvents['changed']['what'];

/** What changes within a moment is told at once. */
function gathered(tell: (what: Changed) => void): (what: Changed[number]) => void {
  const pending = new Set<Changed[number]>();
  return (what) => {
    if (pending.size === 0) {
      setTimeout(() => {
        tell([...pending]);
        pending.clear();
      }, GATHER_MS).unref();
    }
    pending.add(what);
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
