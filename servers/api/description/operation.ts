/** What a tool is made of: one operation of a description, or one request of a catalogue. */
import type { JsonObject } from '../../plugin/define.ts';

/** HTTP methods an operation may have. */
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'QUERY';
/** How a parameter is serialised (OpenAPI 3.1, "Style Values"). */
export type Style = 'simple' | 'label' | 'matrix' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject';

/** One parameter: its property in the tool's input and its place in the request. */
export interface Parameter {
  readonly property: string;
  readonly name: string;
  readonly in: 'path' | 'query' | 'querystring' | 'header' | 'cookie';
  readonly required: boolean;
  readonly style: Style;
  readonly explode: boolean;
  /** Reserved characters stay as they are where that cannot change the request's structure. */
  readonly allowReserved: boolean;
  /** Written as JSON (a parameter with `content`). */
  readonly json: boolean;
  /** What is sent when the call gives nothing (a catalogue's `default`; that of a description is the API's own business). */
  readonly fallback?: unknown;
  readonly schema: JsonObject;
}

/** The body of a request. */
export interface Body {
  readonly property: string;
  readonly required: boolean;
  readonly contentType: string;
  readonly kind: 'json' | 'form' | 'multipart' | 'text' | 'binary';
  readonly schema: JsonObject;
  /** Properties of a multipart body that are files, and the content type of each part that has one. */
  readonly files: readonly string[];
  readonly partTypes: Readonly<Record<string, string>>;
}

/** How an API says where the next page is. */
export interface Pagination {
  readonly kind: 'link' | 'cursor' | 'page' | 'offset';
  /** Query parameter that asks for the next page (not for `link`). */
  readonly parameter?: string;
  /** JSON pointer to the cursor or URL of the next page (`cursor`). */
  readonly next?: string;
  /** JSON pointer to the items; default: the answer itself, or its only list. */
  readonly items?: string;
  /** JSON pointer to a boolean that says whether there is more. */
  readonly more?: string;
  /** Field of the last item that is the next cursor, as in Stripe's `starting_after`. */
  readonly lastItem?: string;
}

/** Answers that are errors although their status says otherwise. */
export interface FailureRule {
  /** JMESPath; true or a text means failure. */
  readonly when: string;
  /** JMESPath to the reason. */
  readonly message?: string;
  readonly status?: number;
}

/** One operation. */
export interface Operation {
  readonly tool: string;
  readonly operationId: string | undefined;
  readonly method: Method;
  readonly path: string;
  /** Where it is, when not beneath the API's own base. */
  readonly server: string | undefined;
  readonly tags: readonly string[];
  readonly title: string;
  readonly description: string;
  readonly deprecated: boolean;
  readonly parameters: readonly Parameter[];
  readonly body: Body | undefined;
  /** `$defs` that the schemas of parameters and body refer to. */
  readonly defs: JsonObject;
  /** What Accept says. */
  readonly accept: string | undefined;
  /** Schema of the JSON answer, read when it is asked for. */
  response(): JsonObject | undefined;
  readonly pagination: Pagination | undefined;
  /** JMESPath or JSON pointer that is applied when the call names none. */
  readonly select: string | undefined;
  readonly failures: readonly FailureRule[];
  /** Fixed query parameters and headers of a catalogue's request. */
  readonly fixedQuery: Readonly<Record<string, string>>;
  readonly fixedHeaders: Readonly<Record<string, string>>;
}

/** An operation no tool is made of, and why. */
export interface Omitted {
  readonly method: string;
  readonly path: string;
  readonly operationId: string | undefined;
  readonly reason: string;
}

/** Methods that change nothing. */
export function isReadOnly(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'QUERY';
}

/** Methods that do the same when sent twice (RFC 9110, section 9.2.2). */
export function isIdempotent(method: string): boolean {
  return isReadOnly(method) || method === 'PUT' || method === 'DELETE';
}
