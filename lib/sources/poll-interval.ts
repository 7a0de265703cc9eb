/** How often one source is looked at, as its annotation says; kpack looks at every git source each minute and at no other ever. */
import { pollIntervalAnnotation } from '../api/labels.ts';

/** What the annotation asks for: nothing, a number of seconds (0: never), or something that cannot be read. */
export type AskedInterval =
  | { readonly kind: 'default' }
  | { readonly kind: 'seconds'; readonly seconds: number }
  | { readonly kind: 'wrong'; readonly message: string };

/** Nobody's host is asked more often for one source, in seconds. */
const LEAST_SECONDS = 10;
const MOST_SECONDS = 7 * 86_400;

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Reads `90`, `90s`, `5m`, `1h`, `1d` or `0`. Less than ten seconds is ten, more than a week a week. */
export const askedInterval = (annotations: Readonly<Record<string, string>> | undefined): AskedInterval => {
  const text = annotations?.[pollIntervalAnnotation];
  if (text === undefined) return { kind: 'default' };
  const groups = /^(?<number>\d{1,9})(?<unit>[smhd]?)$/u.exec(text.trim())?.groups;
  if (groups === undefined)
    return {
      kind: 'wrong',
      message: `annotation ${pollIntervalAnnotation} is ${JSON.stringify(text.slice(0, 40))}; write seconds, or a number with s, m, h or d, or 0 for never`,
    };
  const seconds = Number(groups['number']) * (UNITS[groups['unit'] ?? ''] ?? 1);
  return { kind: 'seconds', seconds: seconds === 0 ? 0 : Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, seconds)) };
};

/** The seconds an annotation asks for; undefined leaves it to the installation. */
export const askedSeconds = (annotations: Readonly<Record<string, string>> | undefined): number | undefined => {
  const asked = askedInterval(annotations);
  return asked.kind === 'seconds' ? asked.seconds : undefined;
};
