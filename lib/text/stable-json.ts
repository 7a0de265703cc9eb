/** JSON with sorted keys: equal values give equal text. For hashes and comparisons, never for documents. */

const sorted = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/** Text that is the same for values that differ only in the order of keys or in keys that are undefined. */
export const stableJson = (value: unknown): string => JSON.stringify(value, sorted) ?? 'null';
