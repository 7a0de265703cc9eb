/** What really happened under fetch's "fetch failed". */

/** The innermost sentence of a transport error: `connect ECONNREFUSED 127.0.0.1:1`, `certificate has expired`. */
export const networkCause = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) return networkCause(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message || error.name : networkCause(error.cause);
};
