/** What `validate` says: asks the guard once per access until it lets the statement through. */
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Access, Verdict } from './engine.ts';

/** @param check throws `SBX_DB_REFUSED` or gives what kind of statement it is */
export function verdictBy(check: (access: Access) => string): Verdict {
  let reason = '';
  for (const access of ['read', 'write', 'admin'] as const) {
    try {
      const kind = check(access);
      if (access === 'read') return { allowed: true, reason: `It is a reading statement (${kind}).` };
      return { allowed: false, reason, needs: access };
    } catch (thrown) {
      if (!(thrown instanceof SignalboxError)) throw thrown;
      if (access === 'read') reason = thrown.code === 'SBX_DB_REFUSED' ? thrown.why : `${thrown.message} ${thrown.why}`;
      if (thrown.code !== 'SBX_DB_REFUSED') break;
    }
  }
  return { allowed: false, reason };
}
