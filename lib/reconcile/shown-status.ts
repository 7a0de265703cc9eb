/** What a status says in words, made fit to be shown: whoever wrote a reconciler, a registry's or a tenant's text gets into no status as it is. */
import { printable, printableLines } from '../text/printable.ts';

const longestReason = 256;
/** Statuses of kpack are four levels deep at most where they say something. */
const deepest = 10;

const shown = (key: string, value: unknown, depth: number): unknown => {
  if (typeof value === 'string') {
    if (key === 'message') return printableLines(value);
    return key === 'reason' ? printable(value, longestReason) : value;
  }
  if (typeof value !== 'object' || value === null || depth > deepest) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => shown('', item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shown(name, member, depth + 1)]));
};

/** The status with every `message` and `reason` printable and of bounded length; line feeds of messages stay. */
export const shownStatus = <T>(status: T): T => shown('', status, 0) as T;
