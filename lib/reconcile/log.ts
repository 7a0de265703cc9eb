/** Structured log lines: one JSON object a line. Fields never carry object content or secrets. */

export type LogLevel = 'info' | 'warn' | 'error';

/** Writes one line. `what` is a stable name in the past tense, e.g. `pass finished`. */
export type Log = (level: LogLevel, what: string, fields?: Readonly<Record<string, unknown>>) => void;

/** A log that hands each line to `write`. */
export const jsonLog =
  (write: (line: string) => void, clock: () => Date = () => new Date()): Log =>
  (level, what, fields = {}) => {
    write(`${JSON.stringify({ at: clock().toISOString(), level, what, ...fields })}\n`);
  };

/** What an error says, with its causes, without stack: for lines about expected failures. */
export const sayError = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && !error.message.includes(error.cause.message)
    ? `${error.message} (${sayError(error.cause)})`
    : error.message;
};
