/** Documents in memory: results, and arguments that are edited as JSON with completion from the tool's own schema. */
import { posix } from 'node:path';
import type * as VSCode from 'vscode';

/** Scheme of {@link MemoryFiles}. */
export const SCHEME = 'signalbox';
/** Files kept; the oldest go first. */
const MOST = 100;

/** A small file system in memory, so that VS Code's own editors and previews (images, sound, Markdown) can show what is in it. */
export class MemoryFiles implements VSCode.FileSystemProvider {
  readonly #vscode: typeof VSCode;
  readonly #scheme: string;
  readonly #files = new Map<string, { data: Uint8Array; readonly ctime: number; mtime: number; readonly fixed: boolean }>();
  readonly #changed: VSCode.EventEmitter<VSCode.FileChangeEvent[]>;
  readonly onDidChangeFile: VSCode.Event<VSCode.FileChangeEvent[]>;
  #next = 1;

  /** @param scheme of its addresses */
  constructor(vscode: typeof VSCode, scheme: string = SCHEME) {
    this.#vscode = vscode;
    this.#scheme = scheme;
    this.#changed = new vscode.EventEmitter();
    this.onDidChangeFile = this.#changed.event;
  }

  /** Makes the files readable under {@link SCHEME}. */
  register(): VSCode.Disposable {
    const { workspace, Disposable } = this.#vscode;
    return Disposable.from(workspace.registerFileSystemProvider(this.#scheme, this, { isCaseSensitive: true }), this.#changed, {
      dispose: () => this.#files.clear(),
    });
  }

  /** A folder nobody used yet. */
  folder(): string {
    return `/${this.#next++}`;
  }

  /** @param fixed the person cannot change it */
  put(path: string, content: string | Uint8Array, fixed = true): VSCode.Uri {
    const data = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const now = Date.now();
    this.#files.set(path, { data, ctime: now, mtime: now, fixed });
    for (const old of this.#files.keys()) {
      if (this.#files.size <= MOST) break;
      this.#files.delete(old);
    }
    return this.#vscode.Uri.from({ scheme: this.#scheme, path });
  }

  stat(uri: VSCode.Uri): VSCode.FileStat {
    const { FileType, FilePermission } = this.#vscode;
    const file = this.#files.get(uri.path);
    if (file !== undefined) {
      const { ctime, mtime, data, fixed } = file;
      return { type: FileType.File, ctime, mtime, size: data.length, ...(fixed ? { permissions: FilePermission.Readonly } : {}) };
    }
    if ([...this.#files.keys()].some((path) => path.startsWith(uri.path === '/' ? '/' : `${uri.path}/`)))
      return { type: FileType.Directory, ctime: 0, mtime: 0, size: 0 };
    // What a window shows again after a reload: it says where it went instead of failing.
    if (posix.extname(uri.path) !== '') return { type: FileType.File, ctime: 0, mtime: 0, size: 0, permissions: FilePermission.Readonly };
    throw this.#vscode.FileSystemError.FileNotFound(uri);
  }

  readFile(uri: VSCode.Uri): Uint8Array {
    const file = this.#files.get(uri.path);
    return (
      file?.data ??
      new TextEncoder().encode(
        this.#vscode.l10n.t('This was kept in memory until the window was reloaded. "Signalbox: Past Tool Calls…" brings the call back.'),
      )
    );
  }

  writeFile(uri: VSCode.Uri, data: Uint8Array): void {
    const file = this.#files.get(uri.path);
    if (file === undefined || file.fixed) throw this.#vscode.FileSystemError.NoPermissions(uri);
    file.data = data;
    file.mtime = Date.now();
    this.#changed.fire([{ type: this.#vscode.FileChangeType.Changed, uri }]);
  }

  readDirectory(uri: VSCode.Uri): [string, VSCode.FileType][] {
    return [...this.#files.keys()]
      .filter((path) => posix.dirname(path) === uri.path)
      .map((path) => [posix.basename(path), this.#vscode.FileType.File]);
  }

  watch(): VSCode.Disposable {
    return new this.#vscode.Disposable(() => undefined);
  }

  createDirectory(uri: VSCode.Uri): void {
    throw this.#vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: VSCode.Uri): void {
    throw this.#vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: VSCode.Uri): void {
    throw this.#vscode.FileSystemError.NoPermissions(uri);
  }
}
