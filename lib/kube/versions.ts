/** Comparing resourceVersions of one kind within one history (KEP-5504). Whether to skip is never decided by it (DESIGN §3.4). */

const isVersion = (text: string): boolean => /^[1-9]\d*$/.test(text);

/** Whether version `a` is newer than `b`: decimal integers of any length. Of what is none, nothing is concluded. */
export const isNewer = (a: string, b: string): boolean =>
  isVersion(a) && isVersion(b) && (a.length === b.length ? a > b : a.length > b.length);

/** Whether version `a` is certainly as old as `b` or older. */
export const isNoNewer = (a: string, b: string): boolean => isVersion(a) && isVersion(b) && !isNewer(a, b);
