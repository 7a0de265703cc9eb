/** The end of a container's log, read as a stream so that a log of any length takes a fixed room. */

/** What was kept of a log. */
export interface LogExcerpt {
  /** The end of the log; from the beginning of a line when something before it was left out. */
  readonly bytes: Uint8Array;
  /** Bytes that were left out before it. */
  readonly leftOut: number;
}

const newline = 0x0a;

/** The last bytes of `log`, at most `limit`. All of it is read. */
export const endOfLog = async (log: AsyncIterable<Uint8Array>, limit: number): Promise<LogExcerpt> => {
  const kept: Uint8Array[] = [];
  let size = 0;
  let leftOut = 0;
  for await (const chunk of log) {
    kept.push(chunk);
    size += chunk.byteLength;
    for (let first = kept[0]; first !== undefined && size - first.byteLength >= limit; first = kept[0]) {
      kept.shift();
      size -= first.byteLength;
      leftOut += first.byteLength;
    }
  }
  const all = Buffer.concat(kept);
  if (leftOut + size <= limit) return { bytes: all, leftOut };
  const end = all.subarray(Math.max(0, size - limit));
  // A line without its beginning says less than none; a single line that is longer than everything is kept as it is.
  const lineBegins = end.indexOf(newline) + 1;
  const whole = end.subarray(lineBegins === end.byteLength ? 0 : lineBegins);
  return { bytes: whole, leftOut: leftOut + size - whole.byteLength };
};
