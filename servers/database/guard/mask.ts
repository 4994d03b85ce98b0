/** The forms in which a masked value leaves. */
import { createHmac } from 'node:crypto';
import type { Masking } from './policy.ts';

/**
 * @param masking how the column is protected; `deny` is treated as `redact`, which a caller should never see
 * @param value as the engine gave it; NULL stays NULL
 * @param salt of the connection
 */
export function mask(masking: Masking, value: unknown, salt: string): unknown {
  if (value === null || value === undefined) return null;
  const text = typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value);
  if (masking === 'hash') return `sha256:${createHmac('sha256', salt).update(text).digest('hex').slice(0, 32)}`;
  if (masking === 'partial') {
    // At least three quarters are hidden, and nothing of a short value is shown.
    const shown = Math.min(2, Math.floor(text.length / 8));
    return shown === 0 ? '***' : `${text.slice(0, shown)}***${text.slice(-shown)}`;
  }
  return '[redacted]';
}
