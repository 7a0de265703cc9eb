/** Structured log lines: one JSON object a line. Fields never carry object content or secrets. */

import { ExpectedError, PermanentError } from '../errors/expected.ts';
import { networkCause } from '../errors/network-cause.ts';
import { printableLines } from '../text/printable.ts';
import { isPlain, shownText } from '../text/shown-text.ts';

export type LogLevel = 'info' | 'warn' | 'error';

/** Writes one line. `what` is a stable name in the past tense, e.g. `pass finished`. */
export type Log = (level: LogLevel, what: string, fields?: Readonly<Record<string, unknown>>) => void;

/** Longest text of a field, in characters; a stack trace fits. */
const longestField = 8192;
/** Fields hold lists and small objects, nothing deeper. */
const deepest = 6;

/**
 * A field as it may be read on a terminal, whatever a host or a tenant wrote into it; and the net under everything that is logged: stacks of
 * bugs quote what they stumbled over.
 */
const shown = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'string')
    return value.length <= longestField && isPlain(value) ? value : shownText(printableLines(value, longestField));
  if (typeof value !== 'object' || value === null) return value;
  if (depth > deepest) return '…';
  if (Array.isArray(value)) return value.map((item: unknown) => shown(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shown(member, depth + 1)]));
};

/** A log that hands each line to `write`, in which every text is printable and without secrets. */
export const jsonLog =
  (write: (line: string) => void, clock: () => Date = () => new Date()): Log =>
  (level, what, fields = {}) => {
    write(`${JSON.stringify({ at: clock().toISOString(), level, what, ...(shown(fields) as object) })}\n`);
  };

const isOurs = (error: unknown): error is Error => error instanceof ExpectedError || error instanceof PermanentError;

const weights: Readonly<Record<LogLevel, number>> = { info: 0, warn: 1, error: 2 };

/** Without lines of less weight than `least`. What counts something is written all the same: metrics are made of these lines. */
export const atLeast =
  (least: LogLevel, log: Log): Log =>
  (level, what, fields = {}) => {
    if (weights[level] >= weights[least] || '_aws' in fields) log(level, what, fields);
  };

/** What an error says, with its causes, without stack: for lines about expected failures. Only our own are quoted, others told by code. */
export const sayError = (error: unknown): string => {
  if (!isOurs(error)) return networkCause(error);
  if (error.cause === undefined) return error.message;
  const because = sayError(error.cause);
  return error.message.includes(because) ? error.message : `${error.message} (${because})`;
};
