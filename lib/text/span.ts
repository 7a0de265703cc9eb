/** Spans of time as people say them. */

const [minute, hour, day] = [60, 3600, 86_400];

/** `40 s`, `4 min`, `2.5 h`, `3 d`; `seconds` is taken without its sign. */
export const showSpan = (seconds: number): string => {
  const span = Math.abs(seconds);
  if (span < 2 * minute) return `${Math.round(span)} s`;
  if (span < 2 * hour) return `${Math.round(span / minute)} min`;
  if (span < 2 * day) return `${Math.round((span / hour) * 10) / 10} h`;
  return `${Math.round(span / day)} d`;
};

/** A time in Unix seconds, without parts of a second: `2026-01-01 10:00:00Z`. */
export const showTime = (unixSeconds: number): string =>
  `${new Date(unixSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ')}Z`;
