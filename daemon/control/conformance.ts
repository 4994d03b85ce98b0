/** The part of the control channel about conformance: thin calls into the parts. */
import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { ConformanceMethods, ConformanceSettings, ConformTarget, Finding, PropertyInfo, Target } from '../api/conformance.ts';
import { errorFromShape, SignalboxError } from '../api/errors.ts';
import type { Paths } from '../api/paths.ts';
import { CONFORMANCE_FILE, readConformanceFile } from '../config/conformance-file.ts';
import { realFolder } from '../config/folders.ts';
import type { ConfigStore } from '../config/store.ts';
import { loadFinding, storedFindings, storeFinding } from '../conformance/cases.ts';
import { saveAsTest } from '../conformance/test-file.ts';
import { withTokens } from '../conformance/tokens.ts';
import type { ControlHandlers, ControlPeer } from '../endpoints/control-server.ts';
import { checkerBytes } from '../lifecycle/checker.ts';
import type { ChildRegistry } from '../lifecycle/children.ts';
import { ChildEnvironments } from '../lifecycle/environment.ts';
import type { Installation } from '../lifecycle/installation.ts';
import { ConformRuns } from './conform-runs.ts';
import { configuredServer, type Tested, targetOfServer } from './conform-target.ts';

/** What the handlers need of the daemon. */
export interface ConformanceParts {
  readonly config: ConfigStore;
  readonly children: ChildRegistry;
  readonly paths: Paths;
  readonly installed: Installation;
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
  /** Keeps the daemon from stopping for idleness until the returned function is called. */
  readonly hold: () => () => void;
}

const ERAS: readonly unknown[] = ['legacy', 'modern'];
/** Milliseconds a request may take unless told. */
const LIMIT_MS = 5000;
/** Generated cases for each property, and the seed, unless told. */
const [RUNS, SEED] = [20, 42];

/** Builds the handlers. */
export function conformanceHandlers(parts: ConformanceParts): Pick<ControlHandlers, keyof ConformanceMethods> {
  const { config, children, paths, installed, redact, hold } = parts;
  const environments = new ChildEnvironments();
  const electron = process.versions['electron'] === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' };
  const start = {
    node: {
      command: process.execPath,
      env: { SIGNALBOX_STATE_DIR: paths.stateDir, SIGNALBOX_CONFIG_DIR: paths.configDir, ...electron },
    },
    pluginHost: installed.pluginHost,
    pluginsDir: installed.pluginsDir,
  };
  const runs = new ConformRuns({
    redact,
    hold,
    spawn: async () =>
      children.spawn({
        command: process.execPath,
        args: ['--disable-warning=ExperimentalWarning', installed.conformRunner],
        // what its servers inherit is what servers of the daemon have
        env: { ...(await environments.of()), ...electron },
        cwd: homedir(),
      }),
  });
  let properties: readonly PropertyInfo[] | undefined;

  const configured = (server: string, folder: string | undefined): Tested => {
    const real = folder === undefined ? undefined : realFolder(folder);
    const workspace = config.workspaces().find((known) => known.id === folder || known.folder === real);
    if (folder !== undefined && workspace === undefined)
      throw new SignalboxError('SBX_WORKSPACE_UNKNOWN', `The daemon has no workspace ${folder}.`, {
        why: 'It was not opened.',
        fix: 'Open it: `signalbox up --workspace DIR`, or open the folder in VS Code.',
      });
    const found = configuredServer(config.endpoints(), server, workspace?.id);
    return targetOfServer(found, start, workspace?.folder ?? homedir());
  };
  const tested = (target: ConformTarget, folder: string | undefined): Tested => {
    const checked = checkedTarget(target);
    if (checked.kind === 'server') return configured(checked.server, checked.workspace);
    const settings = folder === undefined ? {} : readConformanceFile(join(folder, CONFORMANCE_FILE), process.env);
    return { target: settings.tokens === undefined ? checked : withTokens(checked, settings.tokens), settings };
  };
  /** The workspace of a folder, where it has a server of that name; else the user's own. */
  const again = (finding: Finding, folder: string): Tested => {
    if (finding.configured === undefined) return tested(finding.target, folder);
    try {
      return configured(finding.configured, folder);
    } catch (error) {
      const elsewhere = error instanceof SignalboxError && (error.code === 'SBX_WORKSPACE_UNKNOWN' || error.code === 'SBX_SERVER_UNKNOWN');
      if (!elsewhere) throw error;
      return configured(finding.configured, undefined);
    }
  };

  return {
    'conform/discover': async (_params, peer) => {
      if (properties === undefined) {
        const answer = await runs.ask({ kind: 'discover' }, peer);
        if (answer.type !== 'properties') throw new Error(`the runner answered ${answer.type}`);
        properties = answer.properties;
      }
      return { properties };
    },
    'conform/run': async (params, peer) => {
      const { target, eras, seed = SEED, runs: count = RUNS, only, allow, folder, limitMs = LIMIT_MS, ask, first } = params;
      listed('eras', eras, (era) => ERAS.includes(era));
      listed('only', only);
      listed('allow', allow);
      if (first !== undefined) listed('first.properties', first.properties);
      if (folder !== undefined && (!isAbsolute(folder) || statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true))
        throw wrong(
          `\`folder\` of the request, ${folder}, is no folder.`,
          'Cases are stored below an existing folder, named by its absolute path.',
        );
      const { target: aim, settings } = tested(target, folder);
      const job = {
        kind: 'run',
        target: aim,
        settings: settingsFor(settings, allow),
        seed,
        runs: count,
        limitMs,
        ...(eras === undefined ? {} : { eras }),
        ...(only === undefined ? {} : { only }),
        ...(ask === undefined ? {} : { ask }),
        ...(first === undefined ? {} : { first: { properties: first.properties, surface: first.surface ?? {} } }),
      } as const;
      const about = target.kind === 'server' ? { configured: target.server } : {};
      return { run: runs.begin(job, peer, about, (finding) => void (folder === undefined || storeFinding(folder, finding))) };
    },
    'conform/answer': async ({ run, call }) => {
      runs.answer(run, call);
      return {};
    },
    'conform/cancel': async ({ run }) => {
      runs.cancel(run);
      return {};
    },
    'conform/findings': async ({ folder }) => ({ findings: storedFindings(folder) }),
    'conform/replay': async ({ id, folder }, peer: ControlPeer) => {
      const finding = loadFinding(folder, id);
      const { target, settings } = again(finding, folder);
      const job = { kind: 'replay', finding, target, settings: settingsFor(settings, []), limitMs: LIMIT_MS } as const;
      const answer = await runs.ask(job, peer);
      if (answer.type === 'failed') throw errorFromShape(answer.error);
      if (answer.type !== 'replayed') throw new Error(`the runner answered ${answer.type}`);
      const { broken, violations, trace } = answer.replay;
      const seen = violations.find((violation) => violation.id === finding.requirement);
      const { expected, got } = seen ?? { expected: finding.expected, got: 'what was expected' };
      return { holds: !broken, finding: { ...finding, expected, got, trace } };
    },
    'conform/save': async ({ id, folder }) => ({ file: saveAsTest(folder, loadFinding(folder, id), checkerBytes(installed)) }),
    'conform/report': async ({ run, reporter }) => {
      const report = runs.report(run);
      const { REPORTERS } = await import('../conformance/reporters/reporters.ts');
      const render = Object.hasOwn(REPORTERS, reporter) ? REPORTERS[reporter] : undefined;
      if (render === undefined) throw wrong(`There is no reporter \`${reporter}\`.`, `There are ${Object.keys(REPORTERS).join(', ')}.`);
      return { text: render(report) };
    },
  };
}

/** Settings for a job: without the tokens, which are in the target, and with the tools of the request. */
function settingsFor(
  { tokens: _tokens, ...settings }: ConformanceSettings,
  allow: readonly string[] = [],
): Omit<ConformanceSettings, 'tokens'> {
  return { ...settings, allow: [...(settings.allow ?? []), ...allow] };
}

/** @throws SBX_USAGE when a request's target has another shape */
function checkedTarget(target: ConformTarget): ConformTarget {
  const given = target as unknown as Record<string, unknown>;
  const text = (key: string): boolean => typeof given[key] === 'string' && given[key] !== '';
  const sound =
    (given['kind'] === 'server' && text('server')) ||
    (given['kind'] === 'http' && text('url') && URL.canParse(String(given['url']))) ||
    (given['kind'] === 'stdio' && text('command') && Array.isArray(given['args']));
  if (!sound)
    throw wrong('The request names no target.', 'It is {kind: server, server}, {kind: stdio, command, args} or {kind: http, url}.');
  return given['kind'] === 'stdio' && given['cwd'] === undefined ? ({ ...target, cwd: homedir() } as Target) : target;
}

function listed(name: string, list: unknown, known: (item: unknown) => boolean = () => true): void {
  if (list === undefined || (Array.isArray(list) && list.every((item) => typeof item === 'string' && known(item)))) return;
  throw wrong(`\`${name}\` of the request is not a list of ${name === 'eras' ? 'eras' : 'names'}.`, 'It is of another type.');
}

function wrong(message: string, why: string): SignalboxError {
  return new SignalboxError('SBX_USAGE', message, { why, fix: 'Send what daemon/api/conformance.ts says.' });
}
