import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ConfigProblem, ResolvedEndpoint, ServerEntry, TrustState, WorkspaceInfo } from '../api/config.ts';
import { SignalboxError } from '../api/errors.ts';
import type { Paths } from '../api/paths.ts';
import { makePrivateFolder } from '../security/files.ts';
import type { SecretStore } from '../security/secrets.ts';
import type { TrustStore } from '../security/trust.ts';
import { defaultFilesystem, forPlainWorkspace, noConfig, withDefaults } from './defaults.ts';
import { editServer, type ServerEdit } from './edit.ts';
import { type ConfigBytes, type LoadedConfig, parseConfig, readConfigBytes } from './file.ts';
import { realFolder, workspaceId } from './folders.ts';
import { holderOf, secretFor } from './grant.ts';
import { type MergedConfig, merge } from './merge.ts';
import { previewOf } from './preview.ts';
import { resolveEndpoints } from './resolution.ts';
import { secretsIn } from './substitution.ts';
import { type FileWatch, watchFile } from './watch.ts';

/** Default of `limits.messageBytes`: 64 MiB. */
export const MESSAGE_BYTES = 64 * 1024 * 1024;
const IDLE_STOP_MINUTES = 15;
/** Milliseconds a user's file may be gone before that counts as deleted: some editors delete and write anew. */
const GONE = 400;

/** What the store needs. */
export interface ConfigStoreOptions {
  readonly paths: Paths;
  readonly secrets: SecretStore;
  readonly trust: TrustStore;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
  /** Another configuration file than the user's usual one. */
  readonly configFile?: string;
  readonly home?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A server that is configured, whether it runs or not. */
export interface ConfiguredServer {
  readonly name: string;
  readonly workspace?: string;
  readonly enabled: boolean;
  readonly entry: ServerEntry;
}

interface Workspace {
  readonly folder: string;
  readonly id: string;
  readonly file: string;
  bytes: ConfigBytes;
  /** What the person was last shown. */
  previewed: string | undefined;
  watch?: FileWatch;
}

interface Outcome {
  readonly endpoints: readonly ResolvedEndpoint[];
  readonly servers: readonly ConfiguredServer[];
  readonly problems: readonly ConfigProblem[];
}

/** The configuration in force: the user's file and every open workspace's, watched. A broken file leaves what last worked. */
export class ConfigStore {
  readonly #options: ConfigStoreOptions;
  readonly #file: string;
  readonly #home: string;
  readonly #digestKey = randomBytes(32);
  readonly #workspaces = new Map<string, Workspace>();
  readonly #listeners = new Set<() => void>();
  readonly #stops: (() => void)[] = [];
  #user: LoadedConfig;
  #userDigest: string | undefined;
  #userProblems: readonly ConfigProblem[] = [];
  #userWatch: FileWatch | undefined;
  #gone: NodeJS.Timeout | undefined;
  #outcome: Outcome = { endpoints: [], servers: [], problems: [] };
  #signature = '';
  #closed = false;

  constructor(options: ConfigStoreOptions) {
    this.#options = options;
    this.#file = options.configFile ?? options.paths.configFile;
    this.#home = options.home ?? homedir();
    this.#user = noConfig(this.#file);
  }

  /** Reads the user's file, opens the workspaces the daemon served before, and begins to watch. */
  async start(): Promise<void> {
    const { trust, secrets, paths } = this.#options;
    makePrivateFolder(paths.configDir);
    const folder = realFolder(join(this.#file, '..')) ?? paths.configDir;
    this.#userWatch = await watchFile(
      folder,
      join(folder, this.#file.split(/[\\/]/).at(-1) ?? 'config.jsonc'),
      () => this.#reloadUser(),
      this.#watchFailed,
    );
    this.#readUser(true);
    this.#stops.push(
      trust.onChange(() => this.#apply()),
      secrets.onChange(() => this.#apply()),
    );
    await Promise.all(trust.folders().map(async (known) => realFolder(known) === known && this.#open(known)));
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
    const workspace = await this.#open(real);
    this.#options.trust.remember(real);
    this.#readWorkspace(workspace);
    const { bytes } = workspace;
    workspace.previewed = bytes.state === 'read' ? bytes.digest : undefined;
    this.#apply();
    const preview =
      bytes.state === 'missing'
        ? []
        : bytes.state === 'unreadable'
          ? [bytes.problem.message]
          : previewOf(parseConfig(workspace.file, bytes.text));
    return { ...this.#info(workspace), preview };
  }

  /**
   * Trusts the content of a workspace's file that {@link openWorkspace} last showed, or takes the trust back.
   * @throws SignalboxError `SBX_WORKSPACE_CHANGED` when the file is no longer what was shown, `SBX_WORKSPACE_UNKNOWN`
   */
  async trustWorkspace(folder: string, trusted: boolean): Promise<WorkspaceInfo> {
    const real = realFolder(folder);
    if (real === undefined) throw unknownWorkspace(folder);
    const workspace = await this.#open(real);
    this.#readWorkspace(workspace);
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
    return this.#info(workspace);
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
    return [...this.#workspaces.values()].map((workspace) => this.#info(workspace));
  }

  /** Limits in bytes. */
  limits(): { readonly messageBytes: number } {
    return { messageBytes: this.#user.messageBytes ?? MESSAGE_BYTES };
  }

  /** Minutes without use before the daemon stops; 0 = never. */
  get idleStopMinutes(): number {
    return this.#user.idleStopMinutes ?? IDLE_STOP_MINUTES;
  }

  /** The port the user fixed, if any. */
  get port(): number | undefined {
    return this.#user.port;
  }

  /** The endpoint the user's file wires a client to, if it says one. */
  endpointOfClient(client: string): string | undefined {
    return this.#user.clients.get(client)?.endpoint;
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

  /** Switches a server on or off in the file it stands in. */
  enableServer(name: string, enabled: boolean, workspace?: string): { readonly file: string } {
    return this.#edit({ name, enabled }, workspace);
  }

  /**
   * Grants a secret to a workspace's server as it stands now. Servers of the user's own file need none.
   * @throws SignalboxError `SBX_SECRET_MISSING`, `SBX_SERVER_UNKNOWN`, `SBX_WORKSPACE_UNKNOWN`, `SBX_WORKSPACE_UNTRUSTED`
   */
  grantSecret(secret: string, server: string, workspace?: string): void {
    const { id, config } = workspace === undefined ? { id: undefined, config: this.#user } : this.#trustedConfig(this.#find(workspace));
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
    clearTimeout(this.#gone);
    for (const stop of this.#stops) stop();
    this.#listeners.clear();
    await Promise.all([this.#userWatch?.close(), ...[...this.#workspaces.values()].map(({ watch }) => watch?.close())]);
  }

  readonly #watchFailed = (error: unknown): void => this.#options.log('warn', `A configuration file cannot be watched: ${String(error)}`);

  async #open(folder: string): Promise<Workspace> {
    const known = this.#workspaces.get(folder);
    if (known !== undefined) return known;
    const file = join(folder, '.signalbox', 'config.jsonc');
    const workspace: Workspace = { folder, id: workspaceId(folder), file, bytes: { state: 'missing' }, previewed: undefined };
    this.#workspaces.set(folder, workspace);
    const watch = await watchFile(folder, file, () => this.#readWorkspace(workspace) && this.#apply(), this.#watchFailed);
    workspace.watch = watch;
    if (this.#closed) await watch.close();
    this.#readWorkspace(workspace);
    return workspace;
  }

  /** Reads the file once; those bytes are what is hashed and what is parsed. Whether they changed. */
  #readWorkspace(workspace: Workspace): boolean {
    const before = workspace.bytes;
    workspace.bytes = readConfigBytes(workspace.file);
    return (
      before.state !== workspace.bytes.state ||
      (before.state === 'read' && workspace.bytes.state === 'read' && before.digest !== workspace.bytes.digest)
    );
  }

  #reloadUser(): void {
    clearTimeout(this.#gone);
    if (this.#closed) return;
    if (readConfigBytes(this.#file).state === 'missing' && this.#userDigest !== undefined)
      this.#gone = setTimeout(() => this.#readUser(true) && this.#apply(), GONE);
    else if (this.#readUser(false)) this.#apply();
  }

  #readUser(acceptMissing: boolean): boolean {
    const read = readConfigBytes(this.#file);
    if (read.state === 'missing') {
      const changed = this.#userDigest !== undefined || this.#userProblems.length > 0;
      if (acceptMissing) this.#user = noConfig(this.#file);
      this.#userDigest = undefined;
      this.#userProblems = [];
      return changed;
    }
    if (read.state === 'unreadable') {
      this.#userProblems = [read.problem];
      return true;
    }
    if (read.digest === this.#userDigest) return false;
    this.#userDigest = read.digest;
    const loaded = parseConfig(this.#file, read.text);
    this.#userProblems = loaded.problems;
    if (!loaded.broken) this.#user = loaded;
    return true;
  }

  #trustOf({ folder, bytes }: Workspace): TrustState {
    if (bytes.state === 'missing') return 'none';
    const trusted = this.#options.trust.trustedDigest(folder);
    if (trusted === undefined || bytes.state !== 'read') return 'untrusted';
    return trusted === bytes.digest ? 'trusted' : 'changed';
  }

  #info(workspace: Workspace): WorkspaceInfo {
    return { folder: workspace.folder, id: workspace.id, trust: this.#trustOf(workspace) };
  }

  #apply(): void {
    if (this.#closed) return;
    const parts = [this.#resolve(undefined), ...[...this.#workspaces.values()].map((workspace) => this.#resolve(workspace))];
    const problems = [...this.#userProblems, ...parts.flatMap((part) => part.problems)];
    const once = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
    this.#outcome = {
      endpoints: parts.flatMap((part) => part.endpoints),
      servers: parts.flatMap((part) => part.servers),
      problems: [...once.values()],
    };
    // Opening a workspace again changes nothing, and must not set off whoever opens it when something changed.
    const signature = JSON.stringify([this.#outcome, this.workspaces(), this.limits(), this.idleStopMinutes, this.port]);
    if (signature === this.#signature) return;
    this.#signature = signature;
    for (const listener of this.#listeners) listener();
  }

  #resolve(workspace: Workspace | undefined): Outcome {
    const { paths, secrets, env = process.env } = this.#options;
    const filesystem = defaultFilesystem(workspace?.folder, { home: this.#home, stateDir: paths.stateDir, configDir: paths.configDir });
    const trusted =
      workspace !== undefined && workspace.bytes.state === 'read' && this.#trustOf(workspace) === 'trusted'
        ? parseConfig(workspace.file, workspace.bytes.text)
        : undefined;
    const usable = trusted?.broken === true ? undefined : trusted;
    const user =
      workspace === undefined || usable?.hasServers === false
        ? withDefaults(this.#user, filesystem)
        : usable === undefined
          ? forPlainWorkspace(this.#user, filesystem)
          : this.#user;
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

  #find(workspace: string): Workspace {
    const real = realFolder(workspace);
    const found = [...this.#workspaces.values()].find(({ id, folder }) => id === workspace || folder === real);
    if (found === undefined) throw unknownWorkspace(workspace);
    return found;
  }

  #trustedConfig(workspace: Workspace): { readonly id: string; readonly config: LoadedConfig } {
    if (workspace.bytes.state === 'read' && this.#trustOf(workspace) === 'trusted')
      return { id: workspace.id, config: parseConfig(workspace.file, workspace.bytes.text) };
    throw untrusted(workspace.folder);
  }

  #edit(edit: ServerEdit, name: string | undefined): { readonly file: string } {
    if (name === undefined) {
      editServer(this.#file, edit);
      if (this.#readUser(true)) this.#apply();
      return { file: this.#file };
    }
    const workspace = this.#find(name);
    this.#readWorkspace(workspace);
    const before = this.#trustOf(workspace);
    if (before !== 'none' && before !== 'trusted') throw untrusted(workspace.folder);
    const text = editServer(workspace.file, edit);
    this.#readWorkspace(workspace);
    // the person made this change, so it stays trusted; if someone else wrote in between, it does not
    if (workspace.bytes.state === 'read' && workspace.bytes.text === text)
      this.#options.trust.trust(workspace.folder, workspace.bytes.digest);
    else this.#apply();
    return { file: workspace.file };
  }
}

function unknownWorkspace(folder: string): SignalboxError {
  return new SignalboxError('SBX_WORKSPACE_UNKNOWN', `There is no workspace ${JSON.stringify(folder)}.`, {
    why: 'No such folder is there, or it is not open.',
    fix: 'Give the path of a project folder.',
  });
}

function untrusted(folder: string): SignalboxError {
  return new SignalboxError('SBX_WORKSPACE_UNTRUSTED', `The workspace ${folder} is not trusted.`, {
    why: 'Its configuration file has no effect until you trust it.',
    fix: `Look at it and run \`signalbox trust ${folder}\`.`,
  });
}
