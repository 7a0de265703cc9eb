/** The `Retry-After` header (RFC 9110 §10.2.3): seconds, or a date. */

/** Seconds to wait from `nowMs` (Unix ms), never negative, at most a day; undefined when the header is absent or unreadable. */
export const retryAfterSeconds = (header: string | null, nowMs: number): number | undefined => {
  const text = header?.trim() ?? '';
  // Date.parse takes nearly anything for a date; an HTTP date begins with the name of a day.
  const dateMs = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : (dateMs - nowMs) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(Math.ceil(seconds), 0), 86_400);
};
