/** The `Retry-After` header (RFC 9110 §10.2.3): seconds, or a date. */

/** Seconds to wait from `nowMs` (Unix ms), never negative, at most a day; undefined when the header is absent or unreadable. */
export const retryAfterSeconds = (header: string | null, nowMs: number): number | undefined => {
  const text = header?.trim() ?? '';
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : (Date.parse(text) - nowMs) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(Math.ceil(seconds), 0), 86_400);
};
