/** What the command's exit code says (docs/commands.md). */

/** `unwell`: it was done, and what was looked at is not as it should be. */
export const exitCodes = { done: 0, failed: 1, usage: 2, unwell: 3 } as const;

/** One of them. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
