import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import type { ConfigProblem, RedactionRules, ResolvedEndpoint, ServerEntry, WorkspaceInfo } from '../api/config.ts';
import { SignalboxError } from '../api/errors.ts';
import type { Paths } from '../api/paths.ts';
import { makePrivateFolder } from '../security/files.ts';
import type { SecretStore } from '../security/secrets.ts';
import type { TrustStore } from '../security/trust.ts';
import { defaultFilesystem, forPlainWorkspace, withDefaults } from './defaults.ts';
import { editServer, type ServerEdit } from './edit.ts';
import { parseConfig } from './file.ts';
import { realFolder } from './folders.ts';
import { holderOf, secretFor } from './grant.ts';
import { merge } from './merge.ts';
import type { MergedConfig } from './merged-config.ts';
import { previewOf } from './preview.ts';
import { allRules } from './redaction.ts';
import { resolveEndpoints } from './resolution.ts';
import { secretsIn } from './substitution.ts';
import { UserFile } from './user-file.ts';
import { unknownWorkspace, untrusted, type Workspace, Workspaces } from './workspaces.ts';

/** Default of `limits.messageBytes`: 64 MiB. */
export const MESSAGE_BYTES = 64 * 1024 * 1024;
const IDLE_STOP_MINUTES = 15;

/** What the store needs. */
export interface ConfigStoreOptions {
  readonly paths: Paths;
  readonly secrets: SecretStore;
  readonly trust: TrustStore;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
  /** Another configuration file than the user's usual one. */
  readonly configFile?: string;
  readonly home?: string;
  /** 32 bytes digests of servers are made with. The same over a restart: what was learnt of a server is found by its digest. */
  readonly digestKey?: Uint8Array;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A server that is configured, whether it runs or not. */
export interface ConfiguredServer {
  readonly name: string;
  readonly workspace?: string;
  readonly enabled: boolean;
  readonly entry: ServerEntry;
}

interface Outcome {
  readonly endpoints: readonly ResolvedEndpoint[];
  readonly servers: readonly ConfiguredServer[];
  readonly problems: readonly ConfigProblem[];
}

/** The configuration in force: the user's file and every open workspace's, watched. A broken file leaves what last worked. */
export class ConfigStore {
  readonly #options: ConfigStoreOptions;
  readonly #home: string;
  readonly #digestKey: Uint8Array;
  readonly #user: UserFile;
  readonly #workspaces: Workspaces;
  readonly #listeners = new Set<() => void>();
  readonly #stops: (() => void)[] = [];
  #outcome: Outcome = { endpoints: [], servers: [], problems: [] };
  #signature = '';
  #closed = false;

  constructor(options: ConfigStoreOptions) {
    this.#options = options;
    this.#digestKey = options.digestKey ?? randomBytes(32);
    this.#home = options.home ?? homedir();
    this.#user = new UserFile(options.configFile ?? options.paths.configFile, () => this.#apply());
    this.#workspaces = new Workspaces({ trust: options.trust, changed: () => this.#apply(), watchFailed: this.#watchFailed });
  }

  /** Reads the user's file, opens the workspaces the daemon served before, and begins to watch. */
  async start(): Promise<void> {
    const { trust, secrets, paths } = this.#options;
    makePrivateFolder(paths.configDir);
    await this.#user.start(this.#watchFailed);
    this.#stops.push(
      trust.onChange(() => this.#apply()),
      secrets.onChange(() => this.#apply()),
    );
    await Promise.all(trust.folders().map(async (known) => realFolder(known) === known && this.#workspaces.open(known)));
    this.#apply();
  }

  /**
   * Takes a workspace in. Its own configuration file has no effect until it is trusted.
   * @returns the workspace, and lines that say what its file would run and allow
   * @throws SignalboxError `SBX_WORKSPACE_UNKNOWN` when there is no such folder
   */
  async openWorkspace(folder: string): Promise<WorkspaceInfo & { preview: readonly string[] }> {
    const real = realFolder(folder);
    if (real === undefined) throw unknownWorkspace(folder);
    const workspace = await this.#workspaces.open(real);
    this.#options.trust.remember(real);
    this.#workspaces.read(workspace);
    const { bytes } = workspace;
    workspace.previewed = bytes.state === 'read' ? bytes.digest : undefined;
    this.#apply();
    const preview =
      bytes.state === 'missing'
        ? []
        : bytes.state === 'unreadable'
          ? [bytes.problem.message]
          : previewOf(parseConfig(workspace.file, bytes.text));
    return { ...this.#workspaces.info(workspace), preview };
  }

  /**
   * Trusts the content of a workspace's file that {@link openWorkspace} last showed, or takes the trust back.
   * @throws SignalboxError `SBX_WORKSPACE_CHANGED` when the file is no longer what was shown, `SBX_WORKSPACE_UNKNOWN`
   */
  async trustWorkspace(folder: string, trusted: boolean): Promise<WorkspaceInfo> {
    const real = realFolder(folder);
    if (real === undefined) throw unknownWorkspace(folder);
    const workspace = await this.#workspaces.open(real);
    this.#workspaces.read(workspace);
    const { bytes } = workspace;
    if (!trusted) this.#options.trust.distrust(real);
    else if (bytes.state === 'read') {
      if (workspace.previewed !== undefined && workspace.previewed !== bytes.digest)
        throw new SignalboxError('SBX_WORKSPACE_CHANGED', `${workspace.file} has changed since you were shown it.`, {
          why: 'Only what you have seen can be trusted.',
          fix: 'Look at it again: `signalbox trust`.',
        });
      this.#options.trust.trust(real, bytes.digest);
    }
    return this.#workspaces.info(workspace);
  }

  /** Every endpoint in force: the user's, then each workspace's. */
  endpoints(): readonly ResolvedEndpoint[] {
    return this.#outcome.endpoints;
  }

  /** Every configured server, also the disabled; for listings. */
  servers(): readonly ConfiguredServer[] {
    return this.#outcome.servers;
  }

  /** What is wrong in the user's file and in those of trusted workspaces. */
  problems(): readonly ConfigProblem[] {
    return this.#outcome.problems;
  }

  /** The workspaces that are open. */
  workspaces(): readonly WorkspaceInfo[] {
    return this.#workspaces.all().map((workspace) => this.#workspaces.info(workspace));
  }

  /** Limits in bytes. */
  limits(): { readonly messageBytes: number } {
    return { messageBytes: this.#user.config.messageBytes ?? MESSAGE_BYTES };
  }

  /** What is taken out of traffic beside what is taken out anyway: the user's rules and those of every trusted workspace. */
  redaction(): RedactionRules {
    const trusted = this.#workspaces.all().flatMap((workspace) => this.#workspaces.trustedConfig(workspace) ?? []);
    return allRules([this.#user.config, ...trusted].map(({ redaction }) => redaction));
  }

  /** Minutes without use before the daemon stops; 0 = never. */
  get idleStopMinutes(): number {
    return this.#user.config.idleStopMinutes ?? IDLE_STOP_MINUTES;
  }

  /** The port the user fixed, if any. */
  get port(): number | undefined {
    return this.#user.config.port;
  }

  /** The endpoint the user's file wires a client to, if it says one. */
  endpointOfClient(client: string): string | undefined {
    return this.#user.config.clients.get(client)?.endpoint;
  }

  /** Called after anything here changed; returns the function that stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Adds a server to the user's file, or to a workspace's (folder or id). See {@link editServer} for what it throws. */
  addServer(name: string, entry: Readonly<Record<string, unknown>>, workspace?: string): { readonly file: string; readonly name: string } {
    return { ...this.#edit({ name, add: entry }, workspace), name };
  }

  /** Removes a server from the file it stands in. */
  removeServer(name: string, workspace?: string): { readonly file: string } {
    return this.#edit({ name, remove: true }, workspace);
  }

  /**
   * Where a server stands: in the workspace's file, or the user's.
   * @throws SignalboxError `SBX_SERVER_UNKNOWN`, `SBX_WORKSPACE_UNKNOWN`
   */
  whereIsServer(name: string, workspace?: string): { readonly file: string; readonly line: number; readonly column: number } {
    const own = workspace === undefined ? undefined : this.#workspaces.trustedConfig(this.#workspaces.find(workspace));
    const config = [own, this.#user.config].find((candidate) => candidate?.servers.has(name));
    if (config === undefined)
      throw new SignalboxError('SBX_SERVER_UNKNOWN', `There is no server \`${name}\` in a configuration file.`, {
        why: 'Without a configuration Signalbox serves its own three.',
        fix: 'See `signalbox servers list`; add one with `signalbox servers add`.',
      });
    const { file, line, column } = config.problemAt(config.serverPath(name), 'SBX_CONFIG_INVALID', '', '');
    return { file, line, column };
  }

  /** Switches a server on or off in the file it stands in. */
  enableServer(name: string, enabled: boolean, workspace?: string): { readonly file: string } {
    return this.#edit({ name, enabled }, workspace);
  }

  /**
   * Grants a secret to a workspace's server as it stands now. Servers of the user's own file need none.
   * @throws SignalboxError `SBX_SECRET_MISSING`, `SBX_SERVER_UNKNOWN`, `SBX_WORKSPACE_UNKNOWN`, `SBX_WORKSPACE_UNTRUSTED`
   */
  grantSecret(secret: string, server: string, workspace?: string): void {
    const found = workspace === undefined ? undefined : this.#workspaces.find(workspace);
    const config = found === undefined ? this.#user.config : this.#workspaces.trustedConfig(found);
    if (config === undefined) throw untrusted(found?.folder ?? '');
    const id = found?.id;
    const entry = config.servers.get(server);
    if (entry === undefined || !secretsIn(entry).includes(secret))
      throw new SignalboxError(
        'SBX_SERVER_UNKNOWN',
        `No server \`${server}\` that mentions the secret \`${secret}\` stands in ${config.file}.`,
        { why: 'A secret is granted to one server as it is written.', fix: 'Check the name with `signalbox servers list`.' },
      );
    this.#options.secrets.grant(secret, id === undefined ? server : holderOf(id, server, entry));
  }

  /** Stops watching. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#stops) stop();
    this.#listeners.clear();
    await Promise.all([this.#user.close(), this.#workspaces.close()]);
  }

  readonly #watchFailed = (error: unknown): void => this.#options.log('warn', `A configuration file cannot be watched: ${String(error)}`);

  #apply(): void {
    if (this.#closed) return;
    const parts = [this.#resolve(undefined), ...this.#workspaces.all().map((workspace) => this.#resolve(workspace))];
    const problems = [...this.#user.problems, ...parts.flatMap((part) => part.problems)];
    const once = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
    this.#outcome = {
      endpoints: parts.flatMap((part) => part.endpoints),
      servers: parts.flatMap((part) => part.servers),
      problems: [...once.values()],
    };
    // Opening a workspace again changes nothing, and must not set off whoever opens it when something changed.
    const { endpoints, servers } = this.#outcome;
    const signature = JSON.stringify([
      endpoints.map(withUsesByDigest),
      [servers, this.#outcome.problems],
      [this.workspaces(), this.limits(), this.redaction(), this.idleStopMinutes, this.port],
    ]);
    if (signature === this.#signature) return;
    this.#signature = signature;
    for (const listener of this.#listeners) listener();
  }

  #resolve(workspace: Workspace | undefined): Outcome {
    const { paths, secrets, env = process.env } = this.#options;
    const filesystem = defaultFilesystem(workspace?.folder, { home: this.#home, stateDir: paths.stateDir, configDir: paths.configDir });
    const trusted = workspace === undefined ? undefined : this.#workspaces.trustedConfig(workspace);
    const usable = trusted?.broken === true ? undefined : trusted;
    const user =
      workspace === undefined || usable?.hasServers === false
        ? withDefaults(this.#user.config, filesystem)
        : usable === undefined
          ? forPlainWorkspace(this.#user.config, filesystem)
          : this.#user.config;
    const merged: MergedConfig = merge(user, usable, { workspaceFolder: workspace?.folder, userHome: this.#home });
    const { endpoints, problems } = resolveEndpoints(merged, {
      workspace,
      configDir: paths.configDir,
      variables: { workspaceFolder: workspace?.folder, userHome: this.#home, env },
      secretFor: (secret, name, server) => secretFor(secrets, secret, name, server, workspace?.id),
      digestKey: this.#digestKey,
    });
    const servers = [...merged.servers].map(([name, { entry }]) => ({
      name,
      entry,
      enabled: entry.enabled !== false,
      ...(workspace === undefined ? {} : { workspace: workspace.id }),
    }));
    return { endpoints, servers, problems: [...(trusted?.problems ?? []), ...merged.problems, ...problems] };
  }

  #edit(edit: ServerEdit, name: string | undefined): { readonly file: string } {
    if (name === undefined) {
      editServer(this.#user.path, edit);
      if (this.#user.read()) this.#apply();
      return { file: this.#user.path };
    }
    const workspace = this.#workspaces.find(name);
    this.#workspaces.read(workspace);
    const before = this.#workspaces.trustOf(workspace);
    if (before !== 'none' && before !== 'trusted') throw untrusted(workspace.folder);
    const text = editServer(workspace.file, edit);
    this.#workspaces.read(workspace);
    // the person made this change, so it stays trusted; if someone else wrote in between, it does not
    if (workspace.bytes.state === 'read' && workspace.bytes.text === text)
      this.#options.trust.trust(workspace.folder, workspace.bytes.digest);
    else this.#apply();
    return { file: workspace.file };
  }
}

/** What a server uses may use others in turn, and be used by many: written out in full it would grow without end. */
function withUsesByDigest(endpoint: ResolvedEndpoint): unknown {
  const servers = endpoint.servers.map(({ uses, ...server }) => [
    server,
    Object.values(uses ?? {}).map(({ name, digest, hidden, problem }) => [name, digest, hidden, problem]),
  ]);
  return { ...endpoint, servers };
}
