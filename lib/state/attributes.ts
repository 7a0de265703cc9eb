/** Reads attributes of an item by the type they were written with; what is absent or of another type counts as absent. */
import type { Item } from './table.ts';

/** A string. */
export const text = (item: Item, name: string): string | undefined => {
  const value = item[name];
  return typeof value === 'string' ? value : undefined;
};

/** A number. */
export const number = (item: Item, name: string): number | undefined => {
  const value = item[name];
  return typeof value === 'number' ? value : undefined;
};

/** A set of strings; absent reads as empty, as DynamoDB keeps no empty set. */
export const set = (item: Item, name: string): readonly string[] => {
  const value = item[name];
  return typeof value === 'object' ? value : [];
};
