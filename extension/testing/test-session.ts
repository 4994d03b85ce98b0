/** One run of the Test Explorer: each server after the other, its properties marked as they begin and end. */
import type * as VSCode from 'vscode';
import type { ConformEvent, Finding, PropertyInfo } from '../../daemon/api/conformance.ts';
import type { ServerStatus } from '../../daemon/api/control.ts';
import { errorShape } from '../../daemon/api/errors.ts';
import type { TestItems, TestingParts } from './items.ts';
import { findingPlace, type ServerPlace } from './place.ts';
import { runConformance } from './run.ts';
import { propertyVerdict, sentence, sides, summaryLine, terminal, transcript } from './words.ts';

/** What a menu sees of the message of a broken requirement. */
const COUNTEREXAMPLE = 'signalbox.counterexample';

type PropertyItems = readonly (readonly [VSCode.TestItem, PropertyInfo])[];

/** Runs items within one TestRun and ends it. */
export class TestSession {
  readonly #parts: TestingParts;
  readonly #tests: TestItems;
  readonly #run: VSCode.TestRun;
  readonly #abort = new AbortController();
  readonly #debug: boolean;
  #transcriptShown = false;

  /** @param debug show the transcript of the first broken requirement */
  constructor(parts: TestingParts, tests: TestItems, run: VSCode.TestRun, token: VSCode.CancellationToken, debug: boolean) {
    this.#parts = parts;
    this.#tests = tests;
    this.#run = run;
    this.#debug = debug;
    for (const each of [token, run.token]) {
      if (each.isCancellationRequested) this.#abort.abort();
      each.onCancellationRequested(() => this.#abort.abort());
    }
  }

  /** @param asked servers, areas or properties @param excluded what is left out of them */
  async all(asked: readonly VSCode.TestItem[], excluded: readonly VSCode.TestItem[]): Promise<void> {
    try {
      const servers = new Map<VSCode.TestItem, { server: ServerStatus; properties: Map<VSCode.TestItem, PropertyInfo> }>();
      for (const item of asked) {
        const owner = this.#tests.serverOf(item);
        if (owner === undefined) continue;
        const group = servers.get(owner.item) ?? { server: owner.server, properties: new Map() };
        for (const [child, property] of await this.#tests.propertiesOf(item))
          if (!isWithin(child, excluded)) group.properties.set(child, property);
        servers.set(owner.item, group);
      }
      for (const [item, { server, properties }] of servers) {
        if (this.#abort.signal.aborted) break;
        await this.#server(item, server, [...properties]);
      }
    } finally {
      this.#run.end();
    }
  }

  async #server(item: VSCode.TestItem, server: ServerStatus, properties: PropertyItems): Promise<void> {
    for (const [child] of properties) this.#run.enqueued(child);
    const whole = properties.length === (await this.#tests.propertiesOf(item)).length;
    const failing = properties.filter(([, { name }]) => this.#tests.isFailing(item, name));
    const rest = properties.filter((each) => !failing.includes(each));
    // What was broken goes first: after a change it is what the person looks for.
    const rounds: readonly { items: PropertyItems; all: boolean }[] =
      failing.length === 0 || rest.length === 0
        ? [{ items: properties, all: whole }]
        : [
            { items: failing, all: false },
            { items: rest, all: false },
          ];
    for (const { items, all } of rounds) {
      if (this.#abort.signal.aborted) return;
      await this.#round(item, server, items, all);
    }
  }

  async #round(item: VSCode.TestItem, server: ServerStatus, properties: PropertyItems, all: boolean): Promise<void> {
    const { daemon } = this.#parts;
    const folder = this.#tests.folderOf(server) ?? daemon.status?.stateDir;
    const place = await this.#tests.placeOf(server);
    const byName = new Map(properties.map(([child, { name }]) => [name, child]));
    const broken = new Map<VSCode.TestItem, VSCode.TestMessage[]>();
    const messages: Promise<void>[] = [];
    const { server: name, workspace } = { server: server.name, workspace: server.workspace };
    const onEvent = (event: ConformEvent): void => {
      if (event.type === 'progress') {
        const child = byName.get(event.property);
        if (child !== undefined) this.#run.started(child);
      }
      if (event.type === 'finding')
        messages.push(this.#finding(event.finding, byName.get(event.finding.property) ?? item, { place, folder, broken }));
      const line = eventLine(event);
      if (line !== undefined) this.#run.appendOutput(terminal(line));
    };
    try {
      const request = {
        target: { kind: 'server' as const, server: name, ...(workspace === undefined ? {} : { workspace }) },
        ...settings(this.#parts.vscode, place),
        ...(all ? {} : { only: properties.map(([, property]) => property.name) }),
        ...(folder === undefined ? {} : { folder }),
      };
      const { run, summary } = await runConformance(daemon, request, onEvent, this.#abort.signal);
      await Promise.all(messages);
      this.#tests.last = { run, server: name };
      const outcomes = new Map(summary.outcomes.map((outcome) => [outcome.requirement, outcome]));
      for (const [child, property] of properties) {
        const failures = broken.get(child);
        this.#tests.mark(item, property.name, failures !== undefined);
        const { verdict } = propertyVerdict(property, outcomes);
        if (failures !== undefined) this.#run.failed(child, failures);
        else if (verdict === 'passed') this.#run.passed(child);
        else this.#run.skipped(child);
      }
      const unplaced = broken.get(item);
      if (unplaced !== undefined) this.#run.failed(item, unplaced);
    } catch (error) {
      const { code, message, cause, fix } = errorShape(error);
      this.#run.appendOutput(terminal(`${code}: ${message}\n${cause}\n${fix}`), undefined, item);
      this.#run.errored(item, new this.#parts.vscode.TestMessage(`${message}\n${cause}\n${fix} (${code})`));
      for (const [child] of properties) this.#run.skipped(child);
    }
  }

  /** A broken requirement as a message; what only should be is said in the output. */
  async #finding(
    finding: Finding,
    item: VSCode.TestItem,
    to: { place: ServerPlace | undefined; folder: string | undefined; broken: Map<VSCode.TestItem, VSCode.TestMessage[]> },
  ): Promise<void> {
    const { vscode, documents } = this.#parts;
    this.#run.appendOutput(terminal(sentence(finding)), undefined, item);
    if (finding.severity !== 'error') return;
    const { expected, actual } = sides(finding);
    const message = vscode.TestMessage.diff(sentence(finding), expected, actual);
    message.contextValue = COUNTEREXAMPLE;
    to.broken.set(item, [...(to.broken.get(item) ?? []), message]);
    if (to.folder !== undefined) this.#tests.keep({ finding, folder: to.folder, item });
    const place = await findingPlace(to.place, finding);
    if (place !== undefined) message.location = new vscode.Location(vscode.Uri.file(place.file), new vscode.Position(place.line, 0));
    if (this.#debug) this.#run.appendOutput(terminal(transcript(finding)), undefined, item);
    if (!this.#debug || this.#transcriptShown) return;
    this.#transcriptShown = true;
    await documents.show(`${finding.requirement} transcript.txt`, transcript(finding));
  }
}

/** How many cases and from which seed: the person's settings for the place the server is written at. */
function settings(vscode: typeof VSCode, place: ServerPlace | undefined): { runs?: number; seed?: number } {
  const scope = place === undefined ? undefined : vscode.Uri.file(place.file);
  const section = vscode.workspace.getConfiguration('signalbox.conformance', scope);
  const [runs, seed] = [section.get<number>('runs'), section.get<number | null>('seed')];
  return { ...(runs === undefined ? {} : { runs }), ...(typeof seed === 'number' ? { seed } : {}) };
}

/** What the output says of an event; progress is seen in the tree. */
function eventLine(event: ConformEvent): string | undefined {
  switch (event.type) {
    case 'start':
      return `seed ${event.seed}, ${event.runs} runs of each property`;
    case 'tools':
      return [
        `${event.era}: tools that are called: ${event.called.join(', ') || 'none'}`,
        ...(event.left.length > 0 ? [`not called, because they do not say that they only read: ${event.left.join(', ')}`] : []),
      ].join('\n');
    case 'end':
      return summaryLine(event.summary);
    default:
      return undefined;
  }
}

function isWithin(item: VSCode.TestItem, excluded: readonly VSCode.TestItem[]): boolean {
  for (let at: VSCode.TestItem | undefined = item; at !== undefined; at = at.parent) if (excluded.includes(at)) return true;
  return false;
}
