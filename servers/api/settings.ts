/** The settings of the API server, as plugin.json describes them. */
import { SignalboxError } from '../../daemon/api/errors.ts';
import type { FailureRule, Method, Pagination } from './description/operation.ts';
import { isFraming } from './guard/headers.ts';
import type { AuthSettings } from './request/auth.ts';

/** One parameter of a catalogue's request. */
export interface CatalogueParameter {
  readonly in?: 'path' | 'query' | 'header' | 'cookie';
  /** Its name in the request; default: the property's. */
  readonly name?: string;
  readonly required?: boolean;
  /** Lists as repeated parameters (default), or as one with commas. */
  readonly explode?: boolean;
  readonly schema?: Readonly<Record<string, unknown>>;
  readonly description?: string;
}
/** One request of a catalogue. */
export interface CatalogueRequest {
  readonly method?: Method;
  /** Beneath the base URL, with `{name}` for parameters; or absolute. */
  readonly path: string;
  readonly title?: string;
  readonly description?: string;
  readonly parameters?: Readonly<Record<string, CatalogueParameter>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body is a form and not JSON. */
  readonly form?: boolean;
  /** Schema of the body. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly select?: string;
  readonly failures?: readonly FailureRule[];
  readonly pagination?: Pagination;
  readonly output?: Readonly<Record<string, unknown>>;
}

/** The settings document. */
export interface Settings {
  readonly spec?: string;
  readonly preset?: string;
  readonly key?: string;
  readonly requests?: Readonly<Record<string, CatalogueRequest>>;
  readonly import?: readonly string[];
  readonly baseUrl?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly hosts?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly auth?: AuthSettings;
  /** More values to keep out of answers, such as a token that is a part of `baseUrl`. */
  readonly secrets?: readonly string[];
  readonly allowPrivate?: readonly string[];
  readonly ca?: string;
  readonly methods?: readonly Method[];
  readonly allow?: readonly string[];
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly rename?: Readonly<Record<string, string>>;
  readonly deprecated?: boolean;
  readonly mode?: 'auto' | 'tools' | 'search';
  readonly pagination?: Readonly<Record<string, Pagination>>;
  readonly maxPages?: number;
  readonly maxItems?: number;
  readonly rate?: { readonly perSecond?: number; readonly burst?: number };
  readonly tries?: number;
  readonly maxWaitMs?: number;
  readonly idempotencyHeader?: string;
  readonly cache?: boolean;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  readonly answerBytes?: number;
}

/** @throws SignalboxError `SBX_PLUGIN_SETTINGS` for a header that belongs to the HTTP library */
export function checkHeaders(headers: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(headers).find((name) => isFraming(name));
  if (reserved === undefined) return;
  throw new SignalboxError('SBX_PLUGIN_SETTINGS', `The header "${reserved}" cannot be set.`, {
    why: 'headers: it frames the message and belongs to the HTTP library.',
    fix: 'Remove it from "headers" in the settings.',
  });
}
