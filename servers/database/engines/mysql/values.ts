/** MySQL's values, as `mysql2` gives them with our options, as JSON that loses nothing. */
import type { FieldPacket } from 'mysql2';
import { parseJson } from '../postgres/values.ts';

const NAMES: Readonly<Record<number, string>> = {
  0: 'decimal',
  1: 'tinyint',
  2: 'smallint',
  3: 'int',
  4: 'float',
  5: 'double',
  6: 'null',
  7: 'timestamp',
  8: 'bigint',
  9: 'mediumint',
  10: 'date',
  11: 'time',
  12: 'datetime',
  13: 'year',
  15: 'varchar',
  16: 'bit',
  242: 'vector',
  245: 'json',
  246: 'decimal',
  247: 'enum',
  248: 'set',
  249: 'blob',
  250: 'blob',
  251: 'blob',
  252: 'blob',
  253: 'varchar',
  254: 'char',
  255: 'geometry',
};
const BINARY = 63;

/** The engine's name for a column's type. */
export function typeName(field: FieldPacket): string | null {
  const number = field.columnType ?? field.type;
  const name = number === undefined ? undefined : NAMES[number];
  if (name === undefined) return null;
  const { characterSet } = field as { characterSet?: number };
  if (name === 'blob' && characterSet !== undefined && characterSet !== BINARY) return 'text';
  return name;
}

/** Numbers, text, JSON as it is; bytes as `{bytes, base64}`; BIT as a number. */
export function toJson(value: unknown, field: FieldPacket | undefined): unknown {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (value instanceof Uint8Array) {
    if (field !== undefined && typeName(field) === 'bit') {
      const number = BigInt(`0x${Buffer.from(value).toString('hex') || '0'}`);
      return Number.isSafeInteger(Number(number)) ? Number(number) : number.toString();
    }
    return { bytes: value.length, base64: Buffer.from(value).toString('base64') };
  }
  if (typeof value === 'string' && field !== undefined && typeName(field) === 'json') return parseJson(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}
