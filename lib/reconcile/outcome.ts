/** What a pass may answer. Failures are thrown (lib/errors); an answer only says when to look again. */

/** `settled`: nothing to do before an event or the daily look. `again`: time or a limit is waited for. */
export type Outcome =
  | { readonly done: true }
  | { readonly done: false; readonly afterSeconds: number; readonly because: string };

/** Done, or an event will wake us. */
export const settled: Outcome = { done: true };

/** Look again in `afterSeconds`, whatever happens before; `because` is for the log. */
export const again = (afterSeconds: number, because: string): Outcome => ({ done: false, afterSeconds, because });
