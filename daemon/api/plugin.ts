/** What the daemon and the plugin host agree on. */

/** `plugin.json` beside a plugin's code. Its JSON Schema is `servers/plugin/plugin.schema.json`. */
export interface PluginManifest {
  /** `[a-z][a-z0-9-]*` */
  readonly name: string;
  readonly version: string;
  readonly title: string;
  readonly description: string;
  /** Default alias. */
  readonly alias?: string;
  /** Module with a default export made by `definePlugin`, relative to the manifest. */
  readonly main: string;
  /** JSON Schema of the settings document. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Command-line flags when run alone: flag name → setting it fills (`root` → `roots`). */
  readonly flags?: Readonly<Record<string, { readonly setting: string; readonly list?: boolean; readonly description?: string }>>;
}

/** The settings document is read from this descriptor when the host gets `--settings-fd 3`. */
export const SETTINGS_FD = 3;
/** Audit lines (JSON, one per line) go to this descriptor when the host gets `--audit-fd 4`; else to stderr. */
export const AUDIT_FD = 4;
