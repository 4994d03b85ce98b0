/** Finding a tool among many: BM25 over the fields of its definition (Robertson & Zaragoza, "BM25F"). Pure and deterministic. */
import { isObject, type JsonObject } from '../protocol/message.ts';
import { stem, words } from './words.ts';

/** A tool as exposed, and the alias of its server. */
export interface SearchedTool {
  readonly tool: JsonObject;
  readonly server: string;
}
/** What is looked for. */
export interface SearchRequest {
  /** In words; without any, every tool in the order of its name. */
  readonly query: string;
  /** Only tools of the server with this alias. */
  readonly server?: string;
  /** Hits at most. Default 10. */
  readonly limit?: number;
  /** Hits to leave out. */
  readonly offset?: number;
}
/** A tool that fits. */
export interface SearchHit extends SearchedTool {
  /** The higher the better; 0 without a query. */
  readonly score: number;
}
/** What was found. */
export interface SearchAnswer {
  readonly hits: readonly SearchHit[];
  /** Fitting tools in all. */
  readonly total: number;
}
/** Tools made ready for searching. */
export interface SearchIndex {
  search(request: SearchRequest): SearchAnswer;
}

/** How much a word counts where it stands, and how much it counts less in a long field (0 = not at all). */
const FIELDS = {
  name: { weight: 3, length: 0.4 },
  title: { weight: 2, length: 0.4 },
  server: { weight: 1.5, length: 0 },
  description: { weight: 1.2, length: 0.6 },
  parameters: { weight: 0.6, length: 0.7 },
  parameterTexts: { weight: 0.3, length: 0.8 },
} as const;
type Field = keyof typeof FIELDS;
const FIELD_NAMES = Object.keys(FIELDS) as Field[];
/** Saturation of a word that is said again and again. */
const K1 = 1.2;
/** A word that only begins like the one asked for. */
const PREFIX_WEIGHT = 0.6;
const PREFIX_LENGTH = 3;
const PREFIX_LIMIT = 50;
/** More for a name that has the very word, not only its stem: who asks for `pods` means the list. */
const EXACT_WEIGHT = 0.2;
/** Another word for the same act. */
const SYNONYM_WEIGHT = 0.55;
const DEFAULT_LIMIT = 10;
/** Levels of a schema whose properties are read. */
const SCHEMA_DEPTH = 4;
/** Parameters of a tool, and characters of a text, that are read: nobody finds a tool by more. */
const PARAMETER_LIMIT = 200;
const TEXT_LIMIT = 4000;

/** What tools do, in other words: a model asks for "remove" where the tool says "delete". */
const SYNONYMS: readonly (readonly string[])[] = [
  ['create', 'add', 'new', 'make', 'insert', 'open'],
  ['delete', 'remove', 'erase', 'drop', 'destroy', 'terminate'],
  ['get', 'read', 'fetch', 'show', 'retrieve', 'view', 'describe', 'inspect'],
  ['list', 'enumerate', 'browse'],
  ['update', 'edit', 'change', 'modify', 'set', 'patch'],
  ['search', 'find', 'query', 'lookup'],
  ['send', 'post', 'publish', 'deliver', 'write'],
  ['run', 'execute', 'start', 'launch', 'trigger', 'invoke', 'evaluate'],
  ['stop', 'cancel', 'abort', 'terminate', 'end'],
  ['folder', 'directory'],
  ['picture', 'image', 'photo'],
  ['mail', 'email', 'message'],
  ['repo', 'repository'],
  ['pr', 'pull', 'merge'],
  ['ticket', 'issue', 'bug'],
  ['meeting', 'event', 'appointment'],
  ['person', 'user', 'member', 'people'],
  ['directions', 'route'],
  ['db', 'database'],
];
const SYNONYMS_OF = synonymsByStem();

interface Entry extends SearchedTool {
  readonly name: string;
  /** The words of the name as they are. */
  readonly exact: ReadonlySet<string>;
  /** Stem → occurrences by field. */
  readonly stems: ReadonlyMap<string, Readonly<Partial<Record<Field, number>>>>;
  readonly lengths: Readonly<Record<Field, number>>;
}
interface Posting {
  readonly entry: number;
  /** Weighed and normalized occurrences. */
  readonly weight: number;
}

const entries = new WeakMap<JsonObject, Entry>();

/** Makes tools searchable. What is made of one tool is kept as long as the tool. */
export function searchIndex(tools: readonly SearchedTool[]): SearchIndex {
  const all = tools.map(entryOf).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const mean = meanLengths(all);
  const postings = new Map<string, Posting[]>();
  all.forEach(({ stems, lengths }, entry) => {
    for (const [word, occurrences] of stems) {
      let weight = 0;
      for (const field of FIELD_NAMES) {
        const { weight: fieldWeight, length } = FIELDS[field];
        weight += (fieldWeight * (occurrences[field] ?? 0)) / (1 - length + (length * lengths[field]) / (mean[field] || 1));
      }
      const known = postings.get(word);
      if (known === undefined) postings.set(word, [{ entry, weight }]);
      else known.push({ entry, weight });
    }
  });
  const vocabulary = [...postings.keys()].sort();
  return {
    search: ({ query, server, limit = DEFAULT_LIMIT, offset = 0 }) => {
      const scores = score(query, all, postings, vocabulary);
      const found = all.flatMap(({ tool, server: of, name }, entry): (SearchHit & { name: string })[] => {
        if (server !== undefined && of !== server) return [];
        if (scores === undefined) return [{ tool, server: of, score: 0, name }];
        const value = name === query.trim() ? Number.MAX_VALUE : scores[entry];
        return value === undefined || value === 0 ? [] : [{ tool, server: of, score: value, name }];
      });
      // The order of names decides between equals: `sort` keeps it.
      const ranked = found.sort((a, b) => b.score - a.score);
      return {
        hits: ranked.slice(offset, offset + limit).map(({ tool, server: of, score: value }) => ({ tool, server: of, score: value })),
        total: ranked.length,
      };
    },
  };
}

/** Scores by entry; undefined when the query says nothing. */
function score(
  query: string,
  all: readonly Entry[],
  postings: ReadonlyMap<string, readonly Posting[]>,
  vocabulary: readonly string[],
): Float64Array | undefined {
  const asked = [
    ...new Set(words(query.slice(0, TEXT_LIMIT)).flatMap(({ whole, parts }) => (postings.has(stem(whole)) ? [whole] : parts))),
  ];
  if (asked.length === 0) return undefined;
  const scores = new Float64Array(all.length);
  const matched = new Float64Array(all.length);
  for (const word of asked) {
    // Of all that stands for one word asked for, the best counts: a tool is not better for saying it in three ways.
    const best = new Map<number, number>();
    for (const [term, factor] of alternatives(stem(word), vocabulary)) {
      const found = postings.get(term) ?? [];
      const idf = Math.log(1 + (all.length - found.length + 0.5) / (found.length + 0.5));
      for (const { entry, weight } of found) {
        const exact = factor === 1 && all[entry]?.exact.has(word) === true ? EXACT_WEIGHT : 0;
        const value = factor * idf * ((weight * (K1 + 1)) / (K1 + weight) + exact);
        best.set(entry, Math.max(best.get(entry) ?? 0, value));
      }
    }
    for (const [entry, value] of best) {
      scores[entry] = (scores[entry] ?? 0) + value;
      matched[entry] = (matched[entry] ?? 0) + 1;
    }
  }
  // A tool that has to do with everything asked for goes before one that repeats a part of it.
  return scores.map((value, entry) => value * (0.4 + (0.6 * (matched[entry] ?? 0)) / asked.length));
}

/** The word, words that begin like it, and other words for it, with how much they count. */
function* alternatives(word: string, vocabulary: readonly string[]): Iterable<readonly [term: string, factor: number]> {
  yield [word, 1];
  if (word.length >= PREFIX_LENGTH) {
    const from = firstNotBelow(vocabulary, word);
    for (const term of vocabulary.slice(from, from + PREFIX_LIMIT)) {
      if (!term.startsWith(word)) break;
      if (term !== word) yield [term, (PREFIX_WEIGHT * (word.length + 2)) / (term.length + 2)];
    }
  }
  for (const synonym of SYNONYMS_OF.get(word) ?? []) yield [synonym, SYNONYM_WEIGHT];
}

function firstNotBelow(sorted: readonly string[], word: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < word) low = middle + 1;
    else high = middle;
  }
  return low;
}

function entryOf({ tool, server }: SearchedTool): Entry {
  const known = entries.get(tool);
  if (known !== undefined && known.server === server) return known;
  const name = String(tool['name']);
  const own = name.startsWith(`${server}__`) ? name.slice(server.length + 2) : name;
  const parameters: string[] = [];
  const parameterTexts: string[] = [];
  readSchema(tool['inputSchema'], SCHEMA_DEPTH, parameters, parameterTexts);
  const annotations = isObject(tool['annotations']) ? tool['annotations'] : {};
  const texts: Readonly<Record<Field, string>> = {
    name: own,
    title: text(tool['title'] ?? annotations['title']),
    server,
    description: text(tool['description']),
    parameters: parameters.join(' '),
    parameterTexts: parameterTexts.join(' '),
  };
  const stems = new Map<string, Partial<Record<Field, number>>>();
  const lengths: Record<Field, number> = { name: 0, title: 0, server: 0, description: 0, parameters: 0, parameterTexts: 0 };
  for (const field of FIELD_NAMES) {
    const found = words(texts[field]);
    lengths[field] = found.reduce((sum, { parts }) => sum + parts.length, 0);
    // `GitHub` is found as one word and as two.
    for (const word of found.flatMap(({ whole, parts }) => (parts.length === 1 ? parts : [...parts, whole])).map(stem)) {
      const occurrences = stems.get(word) ?? {};
      occurrences[field] = (occurrences[field] ?? 0) + 1;
      stems.set(word, occurrences);
    }
  }
  const exact = new Set(words(texts.name).flatMap(({ parts }) => parts));
  const entry: Entry = { tool, server, name, exact, stems, lengths };
  entries.set(tool, entry);
  return entry;
}

function readSchema(schema: unknown, depth: number, names: string[], texts: string[]): void {
  if (depth === 0 || !isObject(schema)) return;
  readSchema(schema['items'], depth - 1, names, texts);
  if (!isObject(schema['properties'])) return;
  for (const [name, property] of Object.entries(schema['properties'])) {
    if (names.length >= PARAMETER_LIMIT) return;
    names.push(name.slice(0, TEXT_LIMIT));
    if (!isObject(property)) continue;
    texts.push(text(property['description']));
    readSchema(property, depth - 1, names, texts);
  }
}

function meanLengths(all: readonly Entry[]): Readonly<Record<Field, number>> {
  const mean: Record<Field, number> = { name: 0, title: 0, server: 0, description: 0, parameters: 0, parameterTexts: 0 };
  for (const { lengths } of all) for (const field of FIELD_NAMES) mean[field] += lengths[field] / all.length;
  return mean;
}

function synonymsByStem(): ReadonlyMap<string, readonly string[]> {
  const by = new Map<string, string[]>();
  for (const group of SYNONYMS) {
    const stems = group.map(stem);
    for (const word of stems) by.set(word, [...(by.get(word) ?? []), ...stems.filter((other) => other !== word)]);
  }
  return by;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, TEXT_LIMIT) : '';
}
