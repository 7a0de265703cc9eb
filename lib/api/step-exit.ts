/** Exit codes of step programs by which the Build reconciler tells failures apart. The lifecycle has none of these numbers. */

/** `prepare`: the git host no longer hands out the commit that the Build names. */
export const commitGoneExitCode = 44;

/** Any step that is started with all others at once: it did not run, or was ended, because another one had failed. */
export const anotherFailedExitCode = 45;

/** `rebase`: nothing tells where the app's own layers begin, so the image is to be built from source. */
export const notRebasableExitCode = 46;
