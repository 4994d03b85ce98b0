/**
 * Which way the imports may run (docs/architecture.md). Reads every import with a real parser, type imports too: a bundler's graph has
 * lost those, and dependency-cruiser cannot parse with TypeScript 7, which ships no JavaScript API.
 */
import { readFileSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { parseSync } from 'oxc-parser';

/** One import as written. */
export interface Import {
  /** Path of the importing file relative to the project, with `/`. */
  readonly from: string;
  /** The imported file relative to the project, or the bare specifier of a package. */
  readonly to: string;
}

interface Rule {
  readonly from: RegExp;
  readonly to: RegExp;
  readonly except?: RegExp;
  readonly why: string;
}

const RULES: readonly Rule[] = [
  { from: /^(?!extension\/|test\/editor\/|test\/unit\/extension\/)/, to: /^vscode$/, why: 'only extension/ may import vscode' },
  { from: /^daemon\/api\//, to: /^(daemon|servers|extension)\//, except: /^daemon\/api\//, why: 'daemon/api imports nothing of ours' },
  { from: /^daemon\//, to: /^(servers|extension|test|scripts)\//, why: 'the daemon finds plugins by manifest; it never imports servers/' },
  { from: /^extension\//, to: /^(daemon|servers|test|scripts)\//, except: /^daemon\/api\//, why: 'the extension sees daemon/api only' },
  { from: /^servers\//, to: /^(daemon|extension|test|scripts)\//, except: /^daemon\/api\//, why: 'servers see daemon/api only' },
  { from: /^servers\/plugin\//, to: /^servers\//, except: /^servers\/plugin\//, why: 'the plugin host knows no plugin' },
  { from: /^daemon\/protocol\//, to: /^daemon\//, except: /^daemon\/(api|protocol)\//, why: 'protocol stands on api alone' },
  {
    from: /^daemon\/conformance\//,
    to: /^daemon\//,
    except: /^daemon\/(api|protocol|conformance)\//,
    why: 'conformance has transports of its own: it must see what ours would hide',
  },
  {
    from: /^daemon\/sessions\//,
    to: /^daemon\//,
    except: /^daemon\/(api|protocol|sessions)\//,
    why: 'sessions stand beside the edges: what they need of the rest is handed in',
  },
  { from: /^daemon\/upstreams\//, to: /^daemon\/(router|endpoints|cli|main)/, why: 'endpoints → router → upstreams → protocol' },
  { from: /^daemon\/router\//, to: /^daemon\/(endpoints|cli|main)/, why: 'endpoints → router → upstreams → protocol' },
  { from: /^daemon\/patterns\//, to: /^daemon\/(config|router|endpoints|cli|main)/, why: 'a pattern is a link among upstreams' },
  {
    from: /^daemon\/(config|endpoints|lifecycle|security|wiring)\//,
    to: /^daemon\/(cli\/|main\.ts)/,
    why: 'only the composition root and the command line know everything',
  },
];

/** Every import of a source text: static, re-exported, dynamic with a literal, and of types. */
function specifiers(file: string, text: string): readonly string[] {
  const { module, errors } = parseSync(file, text, file.endsWith('.cjs') ? {} : { sourceType: 'module' });
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const dynamic = module.dynamicImports
    .map(({ moduleRequest }) => text.slice(moduleRequest.start, moduleRequest.end))
    .filter((literal) => /^['"]/.test(literal))
    .map((literal) => literal.slice(1, -1));
  const reexported = module.staticExports.flatMap(({ entries }) => entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []));
  return [...module.staticImports.map(({ moduleRequest }) => moduleRequest.value), ...reexported, ...dynamic];
}

/** The imports of the given files (relative to `root`, with `/`). Throws when a file does not parse. */
export function readImports(root: string, files: readonly string[]): readonly Import[] {
  return files.flatMap((from) =>
    specifiers(from, readFileSync(`${root}/${from}`, 'utf8')).map((specifier) => ({
      from,
      to: specifier.startsWith('.') ? posix.normalize(`${dirname(from)}/${specifier}`) : specifier,
    })),
  );
}

/** What breaks a rule, one line each: forbidden imports, a server importing its neighbour, circles between files. */
export function boundaryProblems(imports: readonly Import[]): readonly string[] {
  const problems = new Set<string>();
  for (const { from, to } of imports) {
    for (const rule of RULES) {
      if (rule.from.test(from) && rule.to.test(to) && !rule.except?.test(to)) problems.add(`${from} imports ${to}: ${rule.why}`);
    }
    const [own, other] = [from, to].map((path) => /^servers\/([^/]+)\//.exec(path)?.[1]);
    if (own !== undefined && other !== undefined && other !== own && other !== 'plugin')
      problems.add(`${from} imports ${to}: a server never imports another`);
  }
  for (const circle of circles(imports)) problems.add(`circle: ${circle.join(' → ')}`);
  return [...problems];
}

/** Circles, each found once, as the files on it with the first repeated at the end. */
function circles(imports: readonly Import[]): readonly (readonly string[])[] {
  const edges = new Map<string, string[]>();
  for (const { from, to } of imports) edges.set(from, [...(edges.get(from) ?? []), to]);
  const done = new Set<string>();
  const path: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file]);
    if (start >= 0 || done.has(file)) return;
    path.push(file);
    for (const next of edges.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of edges.keys()) visit(file);
  return found;
}
