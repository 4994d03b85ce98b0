import { join } from 'node:path';
import type { TrustState, WorkspaceInfo } from '../api/config.ts';
import { SignalboxError } from '../api/errors.ts';
import type { TrustStore } from '../security/trust.ts';
import { type ConfigBytes, type LoadedConfig, parseConfig, readConfigBytes } from './file.ts';
import { realFolder, workspaceId } from './folders.ts';
import { type FileWatch, watchFile } from './watch.ts';

/** An open workspace. */
export interface Workspace {
  /** Real path. */
  readonly folder: string;
  readonly id: string;
  readonly file: string;
  bytes: ConfigBytes;
  /** Digest of what the person was last shown. */
  previewed: string | undefined;
  watch?: FileWatch;
}

/** What {@link Workspaces} needs. */
export interface WorkspacesOptions {
  readonly trust: TrustStore;
  /** Called after a workspace's file changed on disk. */
  readonly changed: () => void;
  /** Gets what a watcher cannot do. */
  readonly watchFailed: (error: unknown) => void;
}

/** The open workspaces, their files watched, and whether each is trusted. */
export class Workspaces {
  readonly #options: WorkspacesOptions;
  readonly #open = new Map<string, Workspace>();
  #closed = false;

  constructor(options: WorkspacesOptions) {
    this.#options = options;
  }

  /** All of them, in the order they were opened. */
  all(): readonly Workspace[] {
    return [...this.#open.values()];
  }

  /** The workspace of a folder (its real path), opened if it is not. */
  async open(folder: string): Promise<Workspace> {
    const known = this.#open.get(folder);
    if (known !== undefined) return known;
    const file = join(folder, '.signalbox', 'config.jsonc');
    const workspace: Workspace = { folder, id: workspaceId(folder), file, bytes: { state: 'missing' }, previewed: undefined };
    this.#open.set(folder, workspace);
    const watch = await watchFile(folder, file, () => this.read(workspace) && this.#options.changed(), this.#options.watchFailed);
    workspace.watch = watch;
    if (this.#closed) await watch.close();
    this.read(workspace);
    return workspace;
  }

  /**
   * An open workspace by folder or id.
   * @throws SignalboxError `SBX_WORKSPACE_UNKNOWN`
   */
  find(workspace: string): Workspace {
    const real = realFolder(workspace);
    const found = this.all().find(({ id, folder }) => id === workspace || folder === real);
    if (found === undefined) throw unknownWorkspace(workspace);
    return found;
  }

  /** Reads the file once; those bytes are what is hashed and what is parsed. Whether they changed. */
  read(workspace: Workspace): boolean {
    const before = workspace.bytes;
    workspace.bytes = readConfigBytes(workspace.file);
    return (
      before.state !== workspace.bytes.state ||
      (before.state === 'read' && workspace.bytes.state === 'read' && before.digest !== workspace.bytes.digest)
    );
  }

  /** Whether the file as last read is trusted. */
  trustOf({ folder, bytes }: Workspace): TrustState {
    if (bytes.state === 'missing') return 'none';
    const trusted = this.#options.trust.trustedDigest(folder);
    if (trusted === undefined || bytes.state !== 'read') return 'untrusted';
    return trusted === bytes.digest ? 'trusted' : 'changed';
  }

  /** The configuration of a trusted workspace; undefined for any other. */
  trustedConfig(workspace: Workspace): LoadedConfig | undefined {
    return workspace.bytes.state === 'read' && this.trustOf(workspace) === 'trusted'
      ? parseConfig(workspace.file, workspace.bytes.text)
      : undefined;
  }

  /** What is told of a workspace. */
  info(workspace: Workspace): WorkspaceInfo {
    return { folder: workspace.folder, id: workspace.id, trust: this.trustOf(workspace) };
  }

  /** Stops watching. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.all().map(({ watch }) => watch?.close()));
  }
}

/** No such workspace. */
export function unknownWorkspace(folder: string): SignalboxError {
  return new SignalboxError('SBX_WORKSPACE_UNKNOWN', `There is no workspace ${JSON.stringify(folder)}.`, {
    why: 'No such folder is there, or it is not open.',
    fix: 'Give the path of a project folder.',
  });
}

/** The workspace's file counts for nothing yet. */
export function untrusted(folder: string): SignalboxError {
  return new SignalboxError('SBX_WORKSPACE_UNTRUSTED', `The workspace ${folder} is not trusted.`, {
    why: 'Its configuration file has no effect until you trust it.',
    fix: `Look at it and run \`signalbox trust ${folder}\`.`,
  });
}
