/** Structured log lines: one JSON object a line. Fields never carry object content or secrets. */

import { ExpectedError, PermanentError } from '../errors/expected.ts';
import { networkCause } from '../errors/network-cause.ts';
import { shownText } from '../text/shown-text.ts';

export type LogLevel = 'info' | 'warn' | 'error';

/** Writes one line. `what` is a stable name in the past tense, e.g. `pass finished`. */
export type Log = (level: LogLevel, what: string, fields?: Readonly<Record<string, unknown>>) => void;

/** The net under everything that is logged: stacks of bugs quote what they stumbled over. */
const withoutSecrets = (_key: string, value: unknown): unknown =>
  typeof value === 'string' ? shownText(value) : value;

/** A log that hands each line to `write`. */
export const jsonLog =
  (write: (line: string) => void, clock: () => Date = () => new Date()): Log =>
  (level, what, fields = {}) => {
    write(`${JSON.stringify({ at: clock().toISOString(), level, what, ...fields }, withoutSecrets)}\n`);
  };

const isOurs = (error: unknown): error is Error => error instanceof ExpectedError || error instanceof PermanentError;

/** What an error says, with its causes, without stack: for lines about expected failures. Only our own are quoted, others told by code. */
export const sayError = (error: unknown): string => {
  if (!isOurs(error)) return networkCause(error);
  if (error.cause === undefined) return error.message;
  const because = sayError(error.cause);
  return error.message.includes(because) ? error.message : `${error.message} (${because})`;
};
