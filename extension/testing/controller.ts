/** Conformance in the Test Explorer: every server an item, areas below it, properties below those. */
import { join } from 'node:path';
import type * as VSCode from 'vscode';
import type { PropertyInfo } from '../../daemon/api/conformance.ts';
import type { ServerStatus } from '../../daemon/api/control.ts';
import { localFolders } from '../views/folders.ts';
import type { KnownFinding, TestItems, TestingParts } from './items.ts';
import { type ServerPlace, serverPlace } from './place.ts';
import { byArea } from './run.ts';
import { watchSources } from './sources.ts';
import { TestSession } from './test-session.ts';

/** The controller, its items, and what the last runs found. */
export class ConformanceTests implements TestItems {
  readonly #parts: TestingParts;
  readonly #controller: VSCode.TestController;
  readonly #profile: VSCode.TestRunProfile;
  readonly #subscriptions: VSCode.Disposable;
  readonly #servers = new WeakMap<VSCode.TestItem, ServerStatus>();
  readonly #properties = new WeakMap<VSCode.TestItem, PropertyInfo>();
  readonly #findings = new Map<string, KnownFinding>();
  /** Names of the properties that failed, by server item: they go first. */
  readonly #failing = new Map<string, Set<string>>();
  #discovered: Promise<readonly PropertyInfo[]> | undefined;
  /** The last run that ended, for reports. */
  last: { readonly run: string; readonly server: string } | undefined;

  constructor(parts: TestingParts) {
    this.#parts = parts;
    const { vscode, daemon } = parts;
    const { Run, Debug } = vscode.TestRunProfileKind;
    this.#controller = vscode.tests.createTestController('signalbox.conformance', vscode.l10n.t('MCP Conformance'));
    this.#controller.resolveHandler = (item) => this.#resolve(item);
    this.#controller.refreshHandler = () => this.#refresh();
    const handler = (debug: boolean) => async (request: VSCode.TestRunRequest, token: VSCode.CancellationToken) => {
      if (request.continuous === true) this.#runOnChange(request, token);
      else await this.run(request, token, debug);
    };
    this.#profile = this.#controller.createRunProfile(vscode.l10n.t('Run'), Run, handler(false), true, undefined, true);
    const debugProfile = this.#controller.createRunProfile(vscode.l10n.t('Run and show the transcript'), Debug, handler(true), true);
    const stop = daemon.onChange((changes) => {
      if (changes.includes('connection')) this.#discovered = undefined;
      if (changes.some((change) => change === 'connection' || change === 'servers' || change === 'workspaces')) void this.#listServers();
    });
    this.#subscriptions = vscode.Disposable.from(this.#profile, debugProfile, this.#controller, { dispose: stop });
  }

  dispose(): void {
    this.#subscriptions.dispose();
  }

  /** The items of the servers, as the Test Explorer shows them. */
  get items(): VSCode.TestItemCollection {
    return this.#controller.items;
  }

  /** The finding a message of a test is about. */
  found(id: string): KnownFinding | undefined {
    return this.#findings.get(id);
  }

  /** Keeps a finding for the commands of its message. */
  keep(known: KnownFinding): void {
    this.#findings.set(known.finding.id, known);
  }

  /** Remembers whether a property holds, so that a broken one runs first next time. */
  mark(server: VSCode.TestItem, property: string, broken: boolean): void {
    const names = this.#failing.get(server.id) ?? new Set();
    if (broken) names.add(property);
    else names.delete(property);
    this.#failing.set(server.id, names);
  }

  /** Whether it failed the last time. */
  isFailing(server: VSCode.TestItem, property: string): boolean {
    return this.#failing.get(server.id)?.has(property) ?? false;
  }

  /** Server items, from the daemon's status. Starts no daemon. */
  async list(): Promise<readonly VSCode.TestItem[]> {
    await this.#parts.daemon.find();
    await this.#listServers();
    return [...this.#controller.items].map(([, item]) => item);
  }

  /** The server an item stands for or is below. */
  serverOf(item: VSCode.TestItem): { readonly item: VSCode.TestItem; readonly server: ServerStatus } | undefined {
    for (let at: VSCode.TestItem | undefined = item; at !== undefined; at = at.parent) {
      const server = this.#servers.get(at);
      if (server !== undefined) return { item: at, server };
    }
    return undefined;
  }

  /** The property items an item stands for, made if they are not there yet. */
  async propertiesOf(item: VSCode.TestItem): Promise<readonly (readonly [VSCode.TestItem, PropertyInfo])[]> {
    const own = this.#properties.get(item);
    if (own !== undefined) return [[item, own]];
    if (this.#servers.has(item)) await this.#resolve(item);
    const below = await Promise.all([...item.children].map(([, child]) => this.propertiesOf(child)));
    return below.flat();
  }

  /** Where the server is written. */
  placeOf(server: ServerStatus): Promise<ServerPlace | undefined> {
    const { status } = this.#parts.daemon;
    const folder = this.folderOf(server);
    const files = folder === undefined ? [] : [join(folder, '.signalbox', 'config.jsonc')];
    return serverPlace([...files, ...(status === undefined ? [] : [status.configFile])], server.name, folder);
  }

  /**
   * Folder of the workspace the server belongs to; the user's own servers are tested for the first folder that is open. Of one that VS Code does not
   * trust neither the configuration nor the stored cases are read.
   */
  folderOf(server: ServerStatus): string | undefined {
    const { daemon, vscode } = this.#parts;
    const [open] = vscode.workspace.isTrusted ? localFolders(vscode) : [];
    return daemon.status?.workspaces.find(({ id }) => id === server.workspace)?.folder ?? open;
  }

  /** Runs what is asked for; resolves when all of it has ended. */
  async run(request: VSCode.TestRunRequest, token: VSCode.CancellationToken, debug: boolean): Promise<void> {
    await this.#parts.daemon.start();
    const asked = request.include ?? (await this.list());
    await new TestSession(this.#parts, this, this.#controller.createTestRun(request), token, debug).all(asked, request.exclude ?? []);
  }

  /** Runs one server as the command does. */
  async runServer(item: VSCode.TestItem, token: VSCode.CancellationToken): Promise<void> {
    await this.run(new this.#parts.vscode.TestRunRequest([item], undefined, this.#profile), token, false);
  }

  /** One test run for something already known, such as a replay. */
  begin(item: VSCode.TestItem): VSCode.TestRun {
    return this.#controller.createTestRun(new this.#parts.vscode.TestRunRequest([item], undefined, this.#profile));
  }

  #runOnChange(request: VSCode.TestRunRequest, token: VSCode.CancellationToken): void {
    const { vscode, log } = this.#parts;
    let running: Promise<void> | undefined;
    let again = false;
    const start = (): void => {
      if (running !== undefined) {
        again = true;
        return;
      }
      running = this.run(request, token, false)
        .catch((error) => log.report(error))
        .finally(() => {
          running = undefined;
          if (again && !token.isCancellationRequested) start();
          again = false;
        });
    };
    void Promise.all(
      (request.include ?? [...this.items].map(([, item]) => item))
        .flatMap((item) => this.serverOf(item) ?? [])
        .map(({ server }) => this.placeOf(server)),
    )
      .then((places) => {
        if (token.isCancellationRequested) return;
        const watching = watchSources(
          vscode,
          places.flatMap((place) => place ?? []),
          start,
        );
        token.onCancellationRequested(() => watching.dispose());
      })
      .catch((error) => log.report(error));
  }

  async #refresh(): Promise<void> {
    this.#discovered = undefined;
    for (const [, item] of this.#controller.items) item.children.replace([]);
    await this.list();
  }

  async #resolve(item: VSCode.TestItem | undefined): Promise<void> {
    if (item === undefined) {
      await this.list();
      return;
    }
    if (!this.#servers.has(item) || item.children.size > 0) return;
    item.busy = true;
    try {
      this.#discovered ??= this.#parts.daemon.call('conform/discover', {}).then(({ properties }) => properties);
      const areas = byArea(await this.#discovered);
      if (item.children.size === 0) item.children.replace([...areas].map(([area, properties]) => this.#areaItem(item, area, properties)));
    } catch (error) {
      this.#discovered = undefined;
      this.#parts.log.note(error);
      item.error = error instanceof Error ? error.message : String(error);
    } finally {
      item.busy = false;
    }
  }

  #areaItem(server: VSCode.TestItem, area: string, properties: readonly PropertyInfo[]): VSCode.TestItem {
    const item = this.#controller.createTestItem(`${server.id}#${area}`, area, server.uri);
    item.range = server.range;
    for (const property of properties) {
      const child = this.#controller.createTestItem(`${server.id}#${property.name}`, property.title, server.uri);
      child.range = server.range;
      child.description = property.eras.join(', ');
      this.#properties.set(child, property);
      item.children.add(child);
    }
    return item;
  }

  /** Where a server is written has to be read first: an item is there when that is known. */
  async #listServers(): Promise<void> {
    const { vscode, daemon } = this.#parts;
    const { status } = daemon;
    if (status === undefined) {
      this.#controller.items.replace([]);
      return;
    }
    const folders = localFolders(vscode);
    const open = new Set(status.workspaces.filter(({ folder }) => folders.includes(folder)).map(({ id }) => id));
    const ofFolders = status.servers.filter(({ workspace }) => workspace !== undefined && open.has(workspace));
    const names = new Set(ofFolders.map(({ name }) => name));
    const all = [...ofFolders, ...status.servers.filter(({ workspace, name }) => workspace === undefined && !names.has(name))];
    const wanted = new Map(
      all.filter(({ state }) => state !== 'disabled').map((server) => [`${server.workspace ?? ''}/${server.name}`, server]),
    );
    for (const [id] of this.#controller.items) if (!wanted.has(id)) this.#controller.items.delete(id);
    const added: Promise<void>[] = [];
    for (const [id, server] of wanted) {
      const item = this.#controller.items.get(id);
      if (item === undefined) added.push(this.#addServer(id, server));
      else this.#servers.set(item, server);
    }
    await Promise.all(added);
  }

  async #addServer(id: string, server: ServerStatus): Promise<void> {
    const place = await this.placeOf(server);
    if (this.#controller.items.get(id) !== undefined) return;
    const { Uri, Range } = this.#parts.vscode;
    const item = this.#controller.createTestItem(id, server.name, place === undefined ? undefined : Uri.file(place.file));
    if (place !== undefined) item.range = new Range(place.line, 0, place.line, 0);
    item.description = server.kind;
    item.canResolveChildren = true;
    this.#servers.set(item, server);
    this.#controller.items.add(item);
  }
}
