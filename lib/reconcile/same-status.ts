/** Whether two statuses say the same (spec 02 §2.4): condition times do not count, empty equals absent. */
import { stableJson } from '../text/stable-json.ts';

const normalised = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    const items = value.map(normalised);
    return items.length === 0 ? undefined : items;
  }
  if (typeof value !== 'object' || value === null) return value === '' || value === null ? undefined : value;
  const entries = Object.entries(value)
    .filter(([key]) => key !== 'lastTransitionTime')
    .map(([key, member]) => [key, normalised(member)] as const)
    .filter(([, member]) => member !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
};

/** True when writing `wanted` over `had` would tell a reader nothing new. */
export const sameStatus = (had: unknown, wanted: unknown): boolean =>
  stableJson(normalised(had)) === stableJson(normalised(wanted));
