/** How people write the settings of a replay: in the configuration and on the command line. */

import type { RecordingServer } from '../../api/config.ts';
import { SignalboxError } from '../../api/errors.ts';
import type { FaultRule } from '../../api/faults.ts';
import { checkRule } from '../faults/rule.ts';
import type { IgnoreRule } from './matching.ts';
import type { ReplayOptions } from './rehearsal.ts';

/** The settings of an entry of the configuration. */
export function entryOptions({ timing, match, ignore, repeat }: RecordingServer): ReplayOptions {
  return {
    speed: typeof timing === 'number' ? timing : timing === true ? 1 : 0,
    // The daemon bridges to clients of the other era, and is better at it.
    recordedErasOnly: true,
    ...(match === undefined ? {} : { match }),
    ...(ignore === undefined ? {} : { ignore: ignore.map(ignoreRule) }),
    ...(repeat === undefined ? {} : { exhausted: repeat }),
  };
}

/**
 * A place that does not count: `/arguments/now`, or only in one method `tools/call:/arguments/now`.
 * @throws SBX_USAGE
 */
export function ignoreRule(text: string): IgnoreRule {
  const [, method, pointer] = /^(?:([^:/][^:]*):)?(\/.*)$/.exec(text) ?? [];
  if (pointer === undefined)
    throw new SignalboxError('SBX_USAGE', `${JSON.stringify(text)} names no place.`, {
      why: 'A place is a JSON pointer into the parameters; the method it holds for may stand before it.',
      fix: 'Write /arguments/now or tools/call:/arguments/now.',
    });
  return { pointer, ...(method === undefined ? {} : { method }) };
}

/**
 * A rule of a fault as one word: `latency,ms=200,tool=query`, or a JSON object.
 * @throws SBX_FAULT_RULE
 */
export function faultRule(text: string): FaultRule {
  if (text.trimStart().startsWith('{')) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new SignalboxError('SBX_FAULT_RULE', 'The rule of a fault cannot be used.', {
        why: `It is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
        fix: 'Write {"fault": "latency", "ms": 200} or latency,ms=200.',
        cause,
      });
    }
    return checkRule(value);
  }
  const [fault, ...settings] = text.split(',');
  const pairs = settings.map((setting): [string, unknown] => {
    const at = setting.indexOf('=');
    const [key, value] = at < 0 ? [setting, ''] : [setting.slice(0, at), setting.slice(at + 1)];
    return [key.trim(), TEXTS.has(key.trim()) || value.trim() === '' || Number.isNaN(Number(value)) ? value : Number(value)];
  });
  return checkRule({ ...Object.fromEntries(pairs), fault: fault?.trim() });
}
const TEXTS: ReadonlySet<string> = new Set(['server', 'method', 'tool', 'message', 'lose']);
