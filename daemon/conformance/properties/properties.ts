/** Every property, by area. */
import type { Property } from '../engine/property.ts';
import { JSONRPC } from './jsonrpc.ts';

/** Every property. */
export const PROPERTIES: readonly Property[] = [...JSONRPC];

/** The property a stored case names. */
export function propertyNamed(name: string): Property | undefined {
  return PROPERTIES.find((property) => property.name === name);
}
