/** Every property, by area. */
import type { Property } from '../engine/property.ts';
import { ASKING } from './asking.ts';
import { JSONRPC } from './jsonrpc.ts';
import { LIFECYCLE } from './lifecycle.ts';
import { LISTED } from './lists.ts';
import { MODERN } from './modern.ts';
import { STREAMS } from './streams.ts';
import { TOOLS } from './tools.ts';
import { TRANSPORTS } from './transports.ts';

/** Every property. */
export const PROPERTIES: readonly Property[] = [
  ...LIFECYCLE,
  ...MODERN,
  ...JSONRPC,
  ...TOOLS,
  ...LISTED,
  ...STREAMS,
  ...ASKING,
  ...TRANSPORTS,
];

/** The property a stored case names. */
export function propertyNamed(name: string): Property | undefined {
  return PROPERTIES.find((property) => property.name === name);
}
