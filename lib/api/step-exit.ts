/** Exit codes of step programs by which the Build reconciler tells failures apart. The lifecycle has none of these numbers. */

/** `prepare`: the git host no longer hands out the commit that the Build names. */
export const commitGoneExitCode = 44;
