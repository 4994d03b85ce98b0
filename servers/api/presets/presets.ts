/** Presets: APIs as data, no code. Each is a catalogue with its address, where its key goes, and what is an error in disguise. */
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { AuthSettings } from '../request/auth.ts';
import type { CatalogueRequest } from '../settings.ts';
import generic from './generic.json' with { type: 'json' };
import github from './github.json' with { type: 'json' };
import googleMaps from './google-maps.json' with { type: 'json' };

/** One preset. */
export interface Preset {
  readonly title: string;
  /** Absent: `baseUrl` of the settings is needed. */
  readonly baseUrl?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where `key` of the settings goes. */
  readonly key?: { readonly type: 'apiKey'; readonly in: 'header' | 'query'; readonly name: string } | { readonly type: 'bearer' };
  readonly requests: Readonly<Record<string, CatalogueRequest>>;
}

const PRESETS: Readonly<Record<string, Preset>> = {
  'google-maps': googleMaps as unknown as Preset,
  github: github as unknown as Preset,
  generic: generic as unknown as Preset,
};

/** A preset by its name. @throws SignalboxError `SBX_PLUGIN_SETTINGS` */
export function presetOf(name: string): Preset {
  const preset = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (preset !== undefined) return preset;
  throw new SignalboxError('SBX_PLUGIN_SETTINGS', `There is no preset "${name}".`, {
    why: `preset: known are ${Object.keys(PRESETS).join(', ')}.`,
    fix: 'Name one of them, or leave "preset" out and name a description in "spec".',
  });
}

/** The auth of a preset with the key of the settings. */
export function presetAuth(preset: Preset, key: string | undefined): AuthSettings | undefined {
  if (key === undefined || preset.key === undefined) return undefined;
  return preset.key.type === 'bearer' ? { type: 'bearer', token: key } : { ...preset.key, value: key };
}
